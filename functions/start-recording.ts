import { parseCallControl } from './lib/call-forms.ts';
import { readStartConfig } from './lib/flex-config.ts';
import { flexEndpoint } from './lib/flex-endpoint.ts';
import { startRecording } from './lib/start-recording.ts';

/** Records the agent's own leg: on demand, or where the acceptance could not start it. Asked again it starts nothing anew. */
export const handler = flexEndpoint({
  name: 'start-recording',
  config: readStartConfig,
  parse: parseCallControl,
  work: startRecording,
});

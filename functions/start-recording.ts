import { parseStartRecordingRequest } from '@flex-custody/core';
import { readStartConfig } from './lib/flex-config.ts';
import { flexEndpoint } from './lib/flex-endpoint.ts';
import { startRecording } from './lib/start-recording.ts';

/** Says what Twilio records of the agent's call, and starts the recording of the agent's own leg where that is missing. */
export const handler = flexEndpoint({
  name: 'start-recording',
  config: readStartConfig,
  parse: parseStartRecordingRequest,
  work: (form, call) => startRecording(form, call),
});

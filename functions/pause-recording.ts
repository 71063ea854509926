import { parseCallControl } from './lib/call-forms.ts';
import { readPauseConfig } from './lib/flex-config.ts';
import { flexEndpoint } from './lib/flex-endpoint.ts';
import { setPause } from './lib/set-pause.ts';

/** Pauses every recording of the agent's own call: while a card number is said, say. Asked again it changes nothing. */
export const handler = flexEndpoint({
  name: 'pause-recording',
  config: readPauseConfig,
  parse: parseCallControl,
  work: (asked, call) => setPause('paused', asked, call),
});

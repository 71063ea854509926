import { parseCallControlRequest } from '@flex-custody/core';
import { readPauseConfig } from './lib/flex-config.ts';
import { flexEndpoint } from './lib/flex-endpoint.ts';
import { setPause } from './lib/set-pause.ts';

/** Pauses every recording of the agent's own call: while a card number is said, say. Asked again it changes nothing. */
export const handler = flexEndpoint({
  name: 'pause-recording',
  config: readPauseConfig,
  parse: parseCallControlRequest,
  work: (asked, call) => setPause('paused', asked, call),
});

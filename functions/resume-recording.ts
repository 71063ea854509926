import { parseCallControlRequest } from '@flex-custody/core';
import { readPauseConfig } from './lib/flex-config.ts';
import { flexEndpoint } from './lib/flex-endpoint.ts';
import { setPause } from './lib/set-pause.ts';

/** Resumes every recording of the agent's own call. No setting forbids it, and asked again it changes nothing. */
export const handler = flexEndpoint({
  name: 'resume-recording',
  config: readPauseConfig,
  parse: parseCallControlRequest,
  work: (asked, call) => setPause('recording', asked, call),
});

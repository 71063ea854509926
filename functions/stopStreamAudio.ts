import { parseStopStreamRequest } from '@flex-custody/core';
import { readCallConfig } from './lib/flex-config.ts';
import { flexEndpoint } from './lib/flex-endpoint.ts';
import { stopStream } from './lib/streams.ts';

/** Ends what startStreamAudio began: `{callSid, streamSid?}`. One that has ended is no error. */
export const handler = flexEndpoint({
  name: 'stopStreamAudio',
  config: readCallConfig,
  parse: parseStopStreamRequest,
  work: stopStream,
});

import { parseStartStreamRequest } from '@flex-custody/core';
import { readStreamConfig } from './lib/flex-config.ts';
import { flexEndpoint } from './lib/flex-endpoint.ts';
import { startStream } from './lib/streams.ts';

/** Sends the caller's voice to the vendor, as its guide for Flex has it: `{callSid, url?}` → `{"streamSid": "MZ…"}`. */
export const handler = flexEndpoint({
  name: 'startStreamAudio',
  config: readStreamConfig,
  parse: parseStartStreamRequest,
  work: startStream,
});

import { createHash } from 'node:crypto';
import https from 'node:https';
import { report } from './world.mjs';

/** The least that reads a recording once: a request, and the digest of what comes. */
const { TWILIO_ACCOUNT_SID: account, TWILIO_AUTH_TOKEN: token, BENCH_RECORDING: recording } = process.env;
const url = `https://api.twilio.com/2010-04-01/Accounts/${account}/Recordings/${recording}.wav?RequestedChannels=2`;
const startedAt = performance.now();
const hash = createHash('sha256');
let bytes = 0;
https.get(url, { auth: `${account}:${token}` }, (response) => {
  response.on('data', (chunk) => {
    hash.update(chunk);
    bytes += chunk.length;
  });
  response.on('end', () => {
    hash.digest('hex');
    report(startedAt, bytes);
    process.exit(0);
  });
});

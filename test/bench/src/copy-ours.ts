import { asAccountSid, asRecordingSid } from '@flex-custody/core';
import { readConfig } from '../../../functions/lib/config.ts';
import { copyUnderLease } from '../../../functions/lib/copy.ts';
// Plain JavaScript, shared with the peers.
import { report, world } from '../peers/world.mjs';

/** The Function's own code path, from the lease to the sealed object; only its deadline is out of sight. */
const { auth, bucket, key, accessKeyId, secretAccessKey } = world();
const environment = {
  ...process.env,
  ACCOUNT_SID: auth.username,
  AUTH_TOKEN: auth.password,
  AWSbucket: bucket,
  AWSaccessKeyId: accessKeyId,
  AWSsecretAccessKey: secretAccessKey,
  CUSTODY_HOST_URL: 'http://127.0.0.1:1',
  CUSTODY_FUNCTIONS_URL: 'http://127.0.0.1:1',
  CUSTODY_HOST_SECRET: 'not asked in this measurement ......',
};
const accountSid = asAccountSid(auth.username);
const recordingSid = asRecordingSid(process.env['BENCH_RECORDING']);
if (!accountSid || !recordingSid) throw new Error('BENCH_RECORDING and TWILIO_ACCOUNT_SID must be SIDs');

const config = readConfig(environment as never);
const startedAt = performance.now();
const end = await copyUnderLease(
  config,
  {
    action: 'copy',
    lease: 'bench',
    leaseMs: 600_000,
    source: { accountSid, recordingSid, channels: 2 },
    objectKey: key,
    rate: 1e9,
    forwarded: false,
  },
  {
    elapsed: () => performance.now() - startedAt,
    left: () => 600_000,
    signal: new AbortController().signal,
  },
);
if (end.outcome !== 'sealed') throw new Error(JSON.stringify(end));
report(startedAt, end.object.plaintextBytes);
process.exit(0);

import { asAccountSid, asRecordingSid } from '@flex-custody/core';
import { openMedia, readMedia } from '@flex-custody/vault';

/** The host's own code path of a second look, without the catalog around it. */
const accountSid = asAccountSid(process.env['TWILIO_ACCOUNT_SID']);
const recordingSid = asRecordingSid(process.env['BENCH_RECORDING']);
if (!accountSid || !recordingSid) throw new Error('BENCH_RECORDING and TWILIO_ACCOUNT_SID must be SIDs');
const credentials = { username: accountSid, password: process.env['TWILIO_AUTH_TOKEN'] ?? '' };
const startedAt = performance.now();
const { bytes } = await readMedia(
  await openMedia({ accountSid, recordingSid, channels: 2 }, credentials),
  {},
);
const ms = performance.now() - startedAt;
const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
const cpuMs = (userCPUTime + systemCPUTime) / 1000;
process.stdout.write(`${JSON.stringify({ ms, bytes, rssMb: maxRSS / 1024, cpuMs })}\n`);
process.exit(0);

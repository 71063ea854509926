import { errorCode } from '@flex-custody/core';
import type { IngestParts } from '../parts.ts';
import { reconcile } from './index.ts';

const hour = 60 * 60_000;
/** A callback is tried for 15 s, and what its Function leaves is the host's own work by then. */
const settledMs = 15 * 60_000;
/** Comparing the whole bucket costs a request for each thousand objects. */
const bucketEveryMs = 24 * hour;
const names = { twilio: 'reconcile-recent', bucket: 'reconcile-bucket' };

/** What the schedule does: the last days of Twilio's list each time, and once a day the bucket too. */
export async function reconcileNow(parts: IngestParts, signal: AbortSignal): Promise<void> {
  const { alarms, config, log, runs } = parts;
  const last = await runs.look(names.bucket);
  const bucket = Date.now() - (last?.finishedAt?.getTime() ?? 0) > bucketEveryMs;
  const since = new Date(Date.now() - config.reconcile.hours * hour);
  // By whole hours: a run that broke off is gone on with by the next one of the same window.
  since.setMinutes(0, 0, 0);
  const options = { since: since.toISOString(), settledMs, ...(!bucket && { withoutBucket: true }) };
  try {
    const name = bucket ? names.bucket : names.twilio;
    const { counts } = await runs.run(name, options, (run) => reconcile(parts, run), signal);
    await alarms.mended(['reconcile_failed']);
    if ((counts['missed'] ?? 0) + (counts['lost'] ?? 0) + (counts['adopted'] ?? 0) > 0)
      log.warn({ event: 'reconciled', ...counts }, 'reconciled: what was missing was found');
  } catch (error) {
    // Another process is at it.
    if (errorCode(error) === 'run_busy') return;
    throw error;
  }
}

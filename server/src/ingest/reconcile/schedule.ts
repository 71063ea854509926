import { errorCode } from '@flex-custody/core';
import type { AlarmCode } from '../../catalog/alarm-table.ts';
import type { Work } from '../../runs/runs.ts';
import type { IngestParts } from '../parts.ts';
import { compareBucket } from './index.ts';
import { lookAtTwilio } from './recent.ts';

/** From the end of one pass over the bucket to the beginning of the next: it costs a request for each thousand objects. */
const bucketEveryMs = 24 * 60 * 60_000;
/** Of the runs, by which the doctor finds how they ended. */
const names = { twilio: 'reconcile-recent', bucket: 'reconcile-bucket' };

/** What the job `reconcile` does. @throws CustodyError as {@link lookAtTwilio} */
export async function lookNow(parts: IngestParts, signal: AbortSignal): Promise<void> {
  const work: Work = (run) => lookAtTwilio(parts, run);
  await runNow(parts, { name: names.twilio, work, failed: 'reconcile_failed' }, signal);
}

/**
 * What the job `compare` does: continues an unfinished pass, or begins one a day after the last one ended.
 * @throws CustodyError as {@link compareBucket}
 */
export async function compareNow(parts: IngestParts, signal: AbortSignal): Promise<void> {
  const last = await parts.runs.look(names.bucket);
  if (last?.finishedAt && Date.now() - last.finishedAt.getTime() < bucketEveryMs) return;
  const work: Work = (run) => compareBucket(parts, run);
  await runNow(parts, { name: names.bucket, work, failed: 'compare_failed' }, signal);
}

/** Without options: a run of an hour ago is the same as this one, and is continued. */
async function runNow(
  { alarms, log, runs }: IngestParts,
  { name, work, failed }: { name: string; work: Work; failed: AlarmCode },
  signal: AbortSignal,
): Promise<void> {
  try {
    const { counts } = await runs.run(name, {}, work, signal);
    await alarms.mended([failed]);
    if ((counts['missed'] ?? 0) + (counts['lost'] ?? 0) + (counts['adopted'] ?? 0) > 0)
      log.warn({ event: 'reconciled', ...counts }, 'reconciled: what was missing was found');
  } catch (error) {
    // Another process is at it.
    if (errorCode(error) === 'run_busy') return;
    throw error;
  }
}

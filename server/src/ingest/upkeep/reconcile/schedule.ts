import { errorCode } from '@flex-custody/core';
import type { Work } from '../../../runs/runs.ts';
import type { IngestParts } from '../../parts.ts';
import { compareBucket } from './index.ts';
import { lookAtTwilio, lookBack } from './recent.ts';

/** From the end of a pass over the bucket, or over a day of Twilio's list, to the beginning of the next. */
const everyMs = 24 * 60 * 60_000;
/** Of the runs, by which the doctor finds how they ended. */
const names = { twilio: 'reconcile-recent', day: 'reconcile-day', bucket: 'reconcile-bucket' };

/** What the job `reconcile` does. @throws CustodyError as {@link lookAtTwilio} */
export async function lookNow(parts: IngestParts, signal: AbortSignal): Promise<void> {
  if (await runNow(parts, names.twilio, (run) => lookAtTwilio(parts, run), signal))
    await parts.alarms.mended(['reconcile_failed']);
}

/**
 * What the job `compare` does: looks once more at all that Twilio has listed within the hours of the setting, and compares
 * the bucket. It continues what is unfinished, and begins each a day after its last end. Where one fails the other is done.
 * @throws CustodyError as {@link lookBack} and {@link compareBucket}
 */
export async function compareNow(parts: IngestParts, signal: AbortSignal): Promise<void> {
  const passes: [string, Work][] = [
    [names.day, (run) => lookBack(parts, run)],
    [names.bucket, (run) => compareBucket(parts, run)],
  ];
  const failures: unknown[] = [];
  for (const [name, work] of passes) {
    const last = await parts.runs.look(name);
    if (last?.finishedAt && Date.now() - last.finishedAt.getTime() < everyMs) continue;
    signal.throwIfAborted();
    await runNow(parts, name, work, signal).catch((error: unknown) => failures.push(error));
  }
  if (failures.length > 0) throw failures[0];
  await parts.alarms.mended(['compare_failed']);
}

/**
 * Without options: a run of an hour ago is the same as this one, and is continued.
 * @returns false where another process is at it
 */
async function runNow(
  { log, runs }: IngestParts,
  name: string,
  work: Work,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    const { counts } = await runs.run(name, {}, work, signal);
    if ((counts['missed'] ?? 0) + (counts['lost'] ?? 0) + (counts['adopted'] ?? 0) > 0)
      log.warn({ event: 'reconciled', ...counts }, 'reconciled: what was missing was found');
    return true;
  } catch (error) {
    if (errorCode(error) === 'run_busy') return false;
    throw error;
  }
}

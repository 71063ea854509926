import { errorCode } from '@flex-custody/core';
import type { Work } from '../../../runs/runs.ts';
import type { IngestDeps } from '../../deps.ts';
import { compareBucket } from './index.ts';
import { lookAtTwilio, lookBack } from './recent.ts';

/** From the end of a pass over the bucket, or over the day of Twilio's list, to the beginning of the next. */
const everyMs = 24 * 60 * 60_000;
/** Names of the runs, by which the doctor finds how they ended. */
const names = { twilio: 'reconcile-recent', day: 'reconcile-day', bucket: 'reconcile-bucket' };

/** Runs the job `reconcile`. @throws CustodyError as {@link lookAtTwilio} */
export async function lookNow(deps: IngestDeps, signal: AbortSignal): Promise<void> {
  if (await runNow(deps, names.twilio, (run) => lookAtTwilio(deps, run), signal))
    await deps.alarms.resolve(['reconcile_failed']);
}

/**
 * Runs the job `compare`: checks once more all recordings that Twilio lists within the hours of the setting, and compares
 * the bucket. It continues unfinished runs, and begins each a day after its last end. If one fails, the other is still
 * done.
 * @throws CustodyError as {@link lookBack} and {@link compareBucket}
 */
export async function compareNow(deps: IngestDeps, signal: AbortSignal): Promise<void> {
  const passes: [string, Work][] = [
    [names.day, (run) => lookBack(deps, run)],
    [names.bucket, (run) => compareBucket(deps, run)],
  ];
  const failures: unknown[] = [];
  for (const [name, work] of passes) {
    const last = await deps.runs.look(name);
    if (last?.finishedAt && Date.now() - last.finishedAt.getTime() < everyMs) continue;
    signal.throwIfAborted();
    await runNow(deps, name, work, signal).catch((error: unknown) => failures.push(error));
  }
  if (failures.length > 0) throw failures[0];
  await deps.alarms.resolve(['compare_failed']);
}

/**
 * The run has no options, so an unfinished run of an hour ago has the same ones and is continued.
 * @returns false if another process has the run
 */
async function runNow(
  { log, runs }: IngestDeps,
  name: string,
  work: Work,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    const { counts } = await runs.run(name, {}, work, signal);
    if ((counts['missed'] ?? 0) + (counts['lost'] ?? 0) + (counts['adopted'] ?? 0) > 0)
      log.warn({ event: 'reconciled', ...counts }, 'reconcile found missing recordings or objects');
    return true;
  } catch (error) {
    if (errorCode(error) === 'run_busy') return false;
    throw error;
  }
}

import { setTimeout as sleep } from 'node:timers/promises';
import { asRecordingSid, errorCode } from '@flex-custody/core';
import type { RecordingRow } from '../../catalog/recording-row.ts';
import type { Run } from '../../runs/runs.ts';
import type { IngestDeps } from '../deps.ts';
import { describeRow } from '../verify/describe-job.ts';
import { createTally } from './reconcile/tally.ts';

/** Name of the run, by which the doctor finds how far it is. */
export const signRun = 'sign-sidecars';
/** Seconds between two looks for sidecars that are left: none, once all are signed. */
export const signSeconds = 60 * 60;

const pageRows = 100;
const atOnce = 4;
/** The bucket is for recordings first: so many sidecars a second at most. */
const perSecond = 40;
/** So many failures one after the other are an outage: the job is tried again later, from there. */
const outage = 20;

export interface SignOptions {
  /** Also those that a key signed which is not listed any more: it is lost. */
  again?: boolean;
}

/** What the schedule does, until nothing is left. @throws CustodyError as {@link signSidecars} */
export async function signNow(deps: IngestDeps, signal: AbortSignal): Promise<void> {
  const { alarms, catalog, log, runs } = deps;
  // An operator's `catalog sign`, or a new description, may have signed what a failed job left.
  if ((await catalog.countUnsigned()) === 0) return alarms.resolve(['sign_failed']);
  try {
    const { counts } = await runs.run(signRun, {}, (run) => signSidecars(deps, run), signal);
    await alarms.resolve(['sign_failed']);
    log.info({ event: 'sidecars.signed', ...counts }, 'sidecars of an earlier release are signed');
  } catch (error) {
    // Another process is at it.
    if (errorCode(error) !== 'run_busy') throw error;
  }
}

/**
 * Signs the sidecars that no host has signed: writes each again from the catalog, by which nothing is believed that only
 * the bucket says. The analysis of a recording comes from the very version that the catalog noted, which a host wrote.
 * @throws CustodyError as store, keys and catalog do
 */
export async function signSidecars(deps: IngestDeps, run: Run): Promise<void> {
  const { catalog, signing } = deps;
  const { again = false } = run.options as SignOptions;
  const tally = createTally(run);
  let after = asRecordingSid(run.state?.['after']);
  if (again && after === undefined) await catalog.forgetSigners(signing.keyIds);
  const total = (tally.counts['done'] ?? 0) + (await catalog.countUnsigned());
  let failed = 0;
  for (;;) {
    const rows = await catalog.unsigned(after, pageRows);
    for (let at = 0; at < rows.length; at += atOnce) {
      run.signal.throwIfAborted();
      const some = rows.slice(at, at + atOnce);
      const pause = sleep((some.length * 1_000) / perSecond);
      const failures = await Promise.all(some.map((row) => signOne(deps, tally, row)));
      await pause;
      for (const failure of failures) {
        failed = failure === undefined ? 0 : failed + 1;
        if (failed >= outage) throw failure;
      }
      after = some.at(-1)?.recordingSid;
      await run.save({ after }, tally.counts, total);
    }
    if (rows.length < pageRows) return;
  }
}

/** @returns what it failed for; it stays unsigned then, and is tried again by a later run */
async function signOne(
  deps: IngestDeps,
  tally: ReturnType<typeof createTally>,
  row: RecordingRow,
): Promise<unknown> {
  tally.count('done');
  try {
    await describeRow(deps, row);
    tally.count('signed');
    return undefined;
  } catch (error) {
    const code = errorCode(error);
    tally.count(`failed_${code}`);
    deps.log.warn({ recording: row.recordingSid, code }, 'its sidecar could not be signed now');
    return error;
  }
}

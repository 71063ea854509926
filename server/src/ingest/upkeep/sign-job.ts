import { setTimeout as sleep } from 'node:timers/promises';
import { asRecordingSid, errorCode } from '@flex-custody/core';
import type { RecordingRow } from '../../catalog/recording-row.ts';
import type { Run } from '../../runs/runs.ts';
import type { IngestDeps } from '../deps.ts';
import { describeRow } from '../verify/describe-job.ts';
import { createTally } from './reconcile/tally.ts';

/** Name of the run, by which the doctor finds its progress. */
export const signRun = 'sign-sidecars';
/** Seconds between two checks for unsigned sidecars. */
export const signSeconds = 60 * 60;

const pageRows = 100;
const atOnce = 4;
/** Most sidecars in a second, because recordings have priority in the bucket. */
const perSecond = 40;
/** So many consecutive failures count as an outage: the job fails, and its next try continues from there. */
const outage = 20;

export interface SignOptions {
  /** Also signs sidecars of a key that is no longer listed, because it is lost. */
  again?: boolean;
}

/** The scheduled run, until no unsigned sidecar is left. @throws CustodyError as {@link signSidecars} */
export async function signNow(deps: IngestDeps, signal: AbortSignal): Promise<void> {
  const { alarms, catalog, log, runs } = deps;
  // An operator's `catalog sign`, or a new sidecar, may have signed what a failed job left.
  if ((await catalog.countUnsigned()) === 0) return alarms.resolve(['sign_failed']);
  try {
    const { counts } = await runs.run(signRun, {}, (run) => signSidecars(deps, run), signal);
    await alarms.resolve(['sign_failed']);
    log.info({ event: 'sidecars.signed', ...counts }, 'sidecars of an earlier release are signed');
  } catch (error) {
    // Another process has the run.
    if (errorCode(error) !== 'run_busy') throw error;
  }
}

/**
 * Signs unsigned sidecars: writes each again from the catalog, so that no fact comes only from the bucket. The analysis
 * of a recording comes from the sidecar version that the catalog has noted, which a host wrote.
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

/** @returns the code of the failure: the sidecar stays unsigned, and a later run tries again */
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
    deps.log.warn({ recording: row.recordingSid, code }, 'a sidecar could not be signed now');
    return error;
  }
}

import { errorCode } from '@flex-custody/core';
import { jobRunner } from '../dead-jobs.ts';
import type { RunJob } from '../queue/job.ts';
import { type CheckedWork, checkedWork } from '../runs/options.ts';
import type { Runs } from '../runs/runs.ts';
import { eraseExpired, eraseSelected, type KeepingDeps } from './erase.ts';
import { retentionJobs } from './jobs.ts';
import { noPolicy } from './policy.ts';
import { runTrim, type TrimDeps } from './trim.ts';

/** Between two runs of retention. */
const everySeconds = 60 * 60;

export interface RetentionDeps extends KeepingDeps {
  runs: Pick<Runs, 'run'>;
}

/** Errors that no retry resolves: an operator has to act, and an alarm says so. */
const needsOperator = new Set(['policy_invalid', 'retention_braked', 'clock_differs']);
/** There is nothing to do, or another process does it. */
const isNoFailure = new Set(['policy_missing', 'run_busy']);

/** The jobs that a worker runs in this room. */
export const runRetention = (deps: RetentionDeps & TrimDeps): readonly RunJob[] => [
  runRetain(deps),
  runTrim(deps),
];

export const runRetain = (deps: RetentionDeps): RunJob =>
  jobRunner(deps.alarms)(retentionJobs.retention, {
    everySeconds,
    run: (_data, { signal }) => retainNow(deps, signal),
  });

/** Long work of this room, by its name on the command line. */
export function retentionWorks(deps: KeepingDeps): Readonly<Record<string, CheckedWork>> {
  return {
    erase: checkedWork('erase', (run) => eraseSelected(deps, run)),
    retention: checkedWork('retention', (run) => eraseExpired(deps, run)),
  };
}

/** Erases the recordings whose period in the policy in force is over, and ends erasures that other runs have begun. */
export async function retainNow(deps: RetentionDeps, signal: AbortSignal): Promise<void> {
  const { alarms, catalog, log, policies, runs } = deps;
  try {
    const { digest } = await policies.inForce();
    // Without a policy and without a begun erasure, the cause of an earlier failure is over.
    if (digest === noPolicy.digest && (await catalog.unfinishedErasures(1)).length === 0)
      return await alarms.resolve(['retention_failed']);
    const { counts } = await runs.run('retention', {}, (run) => eraseExpired(deps, run), signal);
    const failed = Object.keys(counts).filter((name) => name.startsWith('failed_'));
    if (failed.length > 0) await alarms.raise('retention_failed', undefined, failed.join(', '));
    else await alarms.resolve(['retention_failed']);
    if ((counts['erased'] ?? 0) > 0)
      log.info({ event: 'retained', ...counts }, 'retention erased the recordings whose period is over');
  } catch (error) {
    const code = errorCode(error);
    if (isNoFailure.has(code)) return;
    if (!needsOperator.has(code)) throw error;
    // An unreadable policy erases nothing; the other codes have alarms of their own.
    if (code === 'policy_invalid') await alarms.raise('retention_failed', undefined, code);
    log.warn({ code }, 'retention erased nothing: see `flex-custody alarms`');
  }
}

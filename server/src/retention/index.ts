import { errorCode } from '@flex-custody/core';
import { jobRunner } from '../dead-jobs.ts';
import type { RunJob } from '../queue/job.ts';
import { type CheckedWork, checkedWork } from '../runs/options.ts';
import type { Runs } from '../runs/runs.ts';
import { eraseExpired, eraseSelected, type KeepingDeps } from './erase.ts';
import { retentionJobs } from './jobs.ts';
import { noPolicy } from './policy.ts';
import { runTrim, type TrimDeps } from './trim.ts';

/** Between two looks for what is kept long enough. */
const everySeconds = 60 * 60;

export interface RetentionDeps extends KeepingDeps {
  runs: Pick<Runs, 'run'>;
}

/** Nothing that a try in a minute would change: somebody has to look, and an alarm says so. */
const needsSomebody = new Set(['policy_invalid', 'retention_braked', 'clock_differs']);
/** There is nothing to do, or another process is at it. */
const isNoFailure = new Set(['policy_missing', 'run_busy']);

/** What a worker does in this room. */
export const runRetention = (deps: RetentionDeps & TrimDeps): readonly RunJob[] => [
  runRetain(deps),
  runTrim(deps),
];

export const runRetain = (deps: RetentionDeps): RunJob =>
  jobRunner(deps.alarms)(retentionJobs.retention, {
    everySeconds,
    run: (_data, { signal }) => retainNow(deps, signal),
  });

/** Long work of this room, by the name that the command line calls it. */
export function retentionWorks(deps: KeepingDeps): Readonly<Record<string, CheckedWork>> {
  return {
    erase: checkedWork('erase', (run) => eraseSelected(deps, run)),
    retention: checkedWork('retention', (run) => eraseExpired(deps, run)),
  };
}

/** Erases what the policy in force keeps no longer, and ends what another run has begun. */
export async function retainNow(deps: RetentionDeps, signal: AbortSignal): Promise<void> {
  const { alarms, catalog, log, policies, runs } = deps;
  try {
    const { digest } = await policies.inForce();
    // What an earlier policy or an erasure failed by is over with it.
    if (digest === noPolicy.digest && (await catalog.unfinishedErasures(1)).length === 0)
      return await alarms.resolve(['retention_failed']);
    const { counts } = await runs.run('retention', {}, (run) => eraseExpired(deps, run), signal);
    const failed = Object.keys(counts).filter((name) => name.startsWith('failed_'));
    if (failed.length > 0) await alarms.raise('retention_failed', undefined, failed.join(', '));
    else await alarms.resolve(['retention_failed']);
    if ((counts['erased'] ?? 0) > 0)
      log.info({ event: 'retained', ...counts }, 'what was kept long enough is erased');
  } catch (error) {
    const code = errorCode(error);
    if (isNoFailure.has(code)) return;
    if (!needsSomebody.has(code)) throw error;
    // By a policy that nobody can read nothing is erased; the others have their own alarms.
    if (code === 'policy_invalid') await alarms.raise('retention_failed', undefined, code);
    log.warn({ code }, 'nothing is erased by the policy: see `flex-custody alarms`');
  }
}

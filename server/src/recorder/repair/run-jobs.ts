import { errorCode } from '@flex-custody/core';
import type { Alarms } from '../../alarms/alarms.ts';
import { jobRunner } from '../../dead-jobs.ts';
import type { RunJob } from '../../queue/job.ts';
import type { Runs } from '../../runs/runs.ts';
import { completePeriod } from './complete.ts';
import { repairJobs } from './jobs.ts';
import { mostDays, nowOf, type RepairDeps, repair } from './repair.ts';

export interface RepairJobDeps extends RepairDeps {
  alarms: Pick<Alarms, 'raise' | 'resolve'>;
  runs: Pick<Runs, 'look' | 'run'>;
  /** Between two comparisons; 0 for none. */
  repairMinutes: number;
}

/** Each comparison begins a little before the end of the one before: Twilio may list an event late. */
const overlapMs = 10 * 60_000;
/** How far the first comparison of a host looks back; `recorder repair --since` looks further. */
const firstMs = 24 * 60 * 60_000;
/** Not the name that operators' repairs have: each continues only its own. */
export const scheduledRun = 'repair-schedule';

/** The jobs of gap repair. A host that no stream reaches has no gaps: it asks TaskRouter for nothing. */
export const runRepair = (deps: RepairJobDeps & { isFollowed(): Promise<boolean> }): readonly RunJob[] => [
  jobRunner(deps.alarms)(repairJobs.repair, {
    ...(deps.repairMinutes > 0 && { everySeconds: deps.repairMinutes * 60 }),
    run: async (_data, { signal }) => {
      if (await deps.isFollowed()) await repairNow(deps, signal);
    },
  }),
];

/** Compares everything since the end of the last comparison. @throws CustodyError as {@link repair} */
export async function repairNow(deps: RepairJobDeps, signal: AbortSignal): Promise<void> {
  const { alarms, catalog, log, runs } = deps;
  const now = await nowOf(deps);
  const last = await runs.look(scheduledRun);
  const complete = await completePeriod(catalog);
  const oldest = now - mostDays * 24 * 60 * 60_000;
  // An unfinished run has the same options again, and so it continues.
  const begun = last && !last.finishedAt ? Date.parse(String(last.options['since'])) : Number.NaN;
  const from = Number.isNaN(begun)
    ? complete
      ? complete.until.getTime() - overlapMs
      : now - firstMs
    : begun;
  const since = Number.isNaN(begun) ? Math.max(from, oldest) : begun;
  // After so long a pause TaskRouter has no longer what is between.
  const instead = complete !== undefined && complete.until.getTime() < oldest;
  try {
    const options = { since: new Date(since).toISOString() };
    const { counts } = await runs.run(scheduledRun, options, (run) => repair(deps, run, { instead }), signal);
    if ((counts['missing'] ?? 0) > 0)
      log.warn(
        { event: 'events.repaired', ...counts },
        'events of TaskRouter were missing, and were taken in',
      );
    await alarms.resolve(['repair_failed']);
  } catch (error) {
    if (errorCode(error) !== 'run_busy') throw error;
  }
}

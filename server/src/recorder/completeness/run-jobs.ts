import { jobRunner } from '../../dead-jobs.ts';
import type { RunJob } from '../../queue/job.ts';
import { compareShortAgain } from '../lengths/compare.ts';
import { completenessJobs } from './jobs.ts';
import { findMissing, type MissingDeps } from './missing.ts';
import { type StatementDeps, stateDays } from './statements.ts';

/** Between two looks at whether a day is to be stated. */
const everySeconds = 60 * 60;

/** Between two looks for recordings that have not come. */
const missingSeconds = 5 * 60;

export const runCompleteness = (
  deps: StatementDeps & MissingDeps & Parameters<typeof compareShortAgain>[0],
): readonly RunJob[] => [
  jobRunner(deps.alarms)(completenessJobs.missing, {
    everySeconds: missingSeconds,
    async run(_data, { signal }) {
      await findMissing(deps, signal);
      await deps.alarms.resolve(['missing_failed']);
    },
  }),
  jobRunner(deps.alarms)(completenessJobs.completeness, {
    everySeconds,
    async run(_data, { signal }) {
      await stateDays(deps, signal);
      await compareShortAgain(deps);
      await deps.alarms.resolve(['completeness_failed']);
    },
  }),
];

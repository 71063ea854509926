import type { Alarms } from '../../alarms/alarms.ts';
import { jobRunner } from '../../dead-jobs.ts';
import type { RunJob } from '../../queue/job.ts';
import { recoveryJobs } from './jobs.ts';
import type { Recovery } from './recovery.ts';

const everySeconds = 300;

/** @param deps.isOn whether the host looks for missing recordings on a schedule at all */
export const runRecovery = (deps: {
  alarms: Pick<Alarms, 'raise' | 'resolve'>;
  recovery: Recovery;
  isOn: boolean;
}): readonly RunJob[] => [
  jobRunner(deps.alarms)(recoveryJobs.recover, {
    ...(deps.isOn && { everySeconds }),
    async run(_data, { signal }) {
      await deps.recovery.recoverDue(signal);
      await deps.alarms.resolve(['recover_failed']);
    },
  }),
];

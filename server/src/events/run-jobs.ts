import type { Alarms } from '../alarms/alarms.ts';
import { jobRunner } from '../dead-jobs.ts';
import type { RunJob } from '../queue/job.ts';
import { watchLag } from './event-lag.ts';
import { eventJobs } from './jobs.ts';
import { type TakeBackDeps, takeBackSetAside } from './take-back.ts';

export interface EventJobDeps extends TakeBackDeps {
  alarms: Pick<Alarms, 'raise' | 'resolve'>;
  log: { info(fields: object, message: string): void };
}

/** What a worker does in this room. */
export const runEventJobs = (deps: EventJobDeps): readonly RunJob[] => [
  jobRunner(deps.alarms)(eventJobs.events, {
    everySeconds: 60,
    async run(_data, { signal }) {
      const taken = await takeBackSetAside(deps, signal);
      if (taken > 0)
        deps.log.info(
          { event: 'events.taken_back', count: taken },
          'events of types that this release handles newly are taken in',
        );
      await watchLag(deps);
      await deps.alarms.resolve(['events_failed']);
    },
  }),
];

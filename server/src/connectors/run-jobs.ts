import type { Alarms } from '../alarms/alarms.ts';
import { jobRunner } from '../dead-jobs.ts';
import type { RunJob } from '../queue/job.ts';
import { type ForgetDeps, forgetCustomers } from './brevo/forget.ts';
import { deliveryJobs } from './jobs.ts';
import { type WatchDeps, watchOutbox } from './watch-outbox.ts';

export interface DeliveryJobDeps {
  alarms: Pick<Alarms, 'raise' | 'resolve'>;
  watch: WatchDeps;
  forget: ForgetDeps;
}

const everySeconds = 60;

/** What a worker does beside delivery. */
export function runDelivery({ alarms, forget, watch }: DeliveryJobDeps): readonly RunJob[] {
  const running = jobRunner(alarms);
  return [
    running(deliveryJobs.outbox, {
      everySeconds,
      async run() {
        await watchOutbox(watch);
        await alarms.resolve(['outbox_failed']);
      },
    }),
    running(deliveryJobs.forget, {
      everySeconds,
      async run(_data, { signal }) {
        await forgetCustomers(forget, signal);
        await alarms.resolve(['forget_failed']);
      },
    }),
  ];
}

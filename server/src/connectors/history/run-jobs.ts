import type { Alarms } from '../../alarms/alarms.ts';
import { jobRunner } from '../../dead-jobs.ts';
import type { RunJob } from '../../queue/job.ts';
import { type CountMessagesDeps, countMessages } from './count-messages.ts';
import { historyJobs } from './jobs.ts';
import { type ReadTaskDeps, readTask } from './task-complete.ts';

export interface HistoryJobDeps extends ReadTaskDeps, CountMessagesDeps {
  alarms: Pick<Alarms, 'raise'>;
  twilio: ReadTaskDeps['twilio'] & CountMessagesDeps['twilio'];
}

/** Shorter than an effect waits for late events, so that the number is in it. */
const messagesSeconds = 20;

/** What a worker reads at Twilio for connectors. What fails for good is left out: events of a task come by gap repair too. */
export function runHistory(deps: HistoryJobDeps): readonly RunJob[] {
  const running = jobRunner(deps.alarms);
  const { log } = deps;
  return [
    running(historyJobs.taskComplete, {
      concurrency: 2,
      run: (task, { signal }) => readTask(deps, task, signal),
      dead: async ({ data, error }) =>
        log.warn({ task: data.taskSid, code: error.code }, 'the events of a completed task were not read'),
    }),
    running(historyJobs.messages, {
      everySeconds: messagesSeconds,
      run: (_data, { signal }) => countMessages(deps, signal),
      dead: async ({ error }) => log.warn({ code: error.code }, 'messages of conversations were not counted'),
    }),
  ];
}

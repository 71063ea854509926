import { type Connection, readAtTurn } from './connection.ts';
import type { AdjustablePace } from './pace.ts';

/** Source: https://www.twilio.com/docs/taskrouter/api/task-queue */
export interface TwilioTaskQueues {
  /** Names of all queues of the workspace; undefined where there is no such workspace. */
  taskQueues(): Promise<string[] | undefined>;
}

const pageSize = 1_000;

export function taskQueues({ workspace }: Connection, pace: AdjustablePace): TwilioTaskQueues {
  return {
    taskQueues: () =>
      readAtTurn(pace, 'the task queues', async () =>
        (await (await workspace()).taskQueues.list({ pageSize })).map(({ friendlyName }) => friendlyName),
      ),
  };
}

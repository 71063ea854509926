import { type Connection, read } from './connection.ts';

/** Source: https://www.twilio.com/docs/taskrouter/api/task-queue */
export interface TwilioTaskQueues {
  /** Names of all queues of the workspace; undefined where there is no such workspace. */
  taskQueues(): Promise<string[] | undefined>;
}

const pageSize = 1_000;

export function taskQueues({ workspace }: Connection): TwilioTaskQueues {
  return {
    taskQueues: () =>
      read('the task queues', async () =>
        (await (await workspace()).taskQueues.list({ pageSize })).map(({ friendlyName }) => friendlyName),
      ),
  };
}

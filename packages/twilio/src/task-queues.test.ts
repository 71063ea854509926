import type { Connection } from './connection.ts';
import { createAdjustablePace } from './pace.ts';
import { taskQueues } from './task-queues.ts';

const pace = createAdjustablePace(20, { windowMs: 1, longestMs: 1_000 });
/** As far as the SDK is asked for it. */
const connection = (list: (options: object) => Promise<object[]>) =>
  ({ workspace: async () => ({ taskQueues: { list } }) }) as unknown as Connection;

test('the names of all queues, asked for by large pages and without a limit', async () => {
  const list = jest.fn(async (_options: object) => [
    { friendlyName: 'Everyone' },
    { friendlyName: 'Rückfragen' },
  ]);
  expect(await taskQueues(connection(list), pace).taskQueues()).toEqual(['Everyone', 'Rückfragen']);
  expect(list).toHaveBeenCalledWith({ pageSize: 1_000 });
});

test('no workspace is undefined; everything else that fails is an error', async () => {
  const failing = (status: number) =>
    taskQueues(
      connection(() => Promise.reject(Object.assign(new Error('x'), { status }))),
      pace,
    ).taskQueues();
  expect(await failing(404)).toBeUndefined();
  await expect(failing(401)).rejects.toMatchObject({ code: 'twilio_unauthorized' });
  await expect(failing(503)).rejects.toMatchObject({ code: 'twilio_unavailable', retryable: true });
});

import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../../../test/support/until.ts';
import { type Puller, startPuller } from './puller.ts';

let puller: Puller;
afterEach(async () => {
  await puller.stop();
});

/** A queue in memory, and what was asked of it; what waits does not show to the first `blind` who ask. */
function house({ concurrency, pollMs, blind = 0 }: { concurrency: number; pollMs: number; blind?: number }) {
  const waiting: number[] = [];
  const asked: number[] = [];
  const atWork = new Map<number, () => void>();
  puller = startPuller<number>({
    concurrency,
    pollMs,
    fetch: async (most) => {
      asked.push(most);
      return asked.length <= blind ? [] : waiting.splice(0, most);
    },
    run: (job) => new Promise((resolve) => atWork.set(job, resolve)),
    onError: () => undefined,
  });
  const end = async (job: number) => {
    atWork.get(job)?.();
    atWork.delete(job);
    await sleep(5);
  };
  return { waiting, asked, atWork, end };
}

test('a backlog is fetched by halves, without waiting for a poll', async () => {
  const { waiting, asked, atWork, end } = house({ concurrency: 4, pollMs: 600_000 });
  waiting.push(...Array.from({ length: 20 }, (_, n) => n));
  puller.wake();
  await until(() => atWork.size === 4);
  expect([...atWork.keys()]).toEqual([0, 1, 2, 3]);
  const before = asked.length;
  await end(0);
  expect(asked).toHaveLength(before);
  await end(1);
  await until(() => atWork.size === 4);
  expect(asked.slice(before)).toEqual([2]);
  expect([...atWork.keys()]).toEqual([2, 3, 4, 5]);
});

test('a place beside jobs that take long is filled at the next poll', async () => {
  const { waiting, atWork, end } = house({ concurrency: 4, pollMs: 1_000 });
  waiting.push(0, 1, 2, 3, 4, 5);
  puller.wake();
  await until(() => atWork.size === 4);
  await end(0);
  expect([...atWork.keys()]).toEqual([1, 2, 3]);
  await until(() => atWork.size === 4);
  expect([...atWork.keys()]).toEqual([1, 2, 3, 4]);
});

test('what is sent while every place is taken is fetched when one is free', async () => {
  const { waiting, atWork, end } = house({ concurrency: 1, pollMs: 600_000 });
  waiting.push(0);
  puller.wake();
  await until(() => atWork.size === 1);
  waiting.push(1);
  puller.wake();
  await sleep(5);
  expect([...atWork.keys()]).toEqual([0]);
  await end(0);
  await until(() => atWork.size === 1);
  expect([...atWork.keys()]).toEqual([1]);
});

test('a job that does not show yet is looked for once more; one that does, is not', async () => {
  // At the start one look, the job's first the second.
  const { waiting, asked, atWork } = house({ concurrency: 4, pollMs: 600_000, blind: 2 });
  await until(() => asked.length === 1);
  waiting.push(7);
  puller.wake();
  await until(() => atWork.size === 1);
  expect(asked).toHaveLength(3);
  waiting.push(8);
  puller.wake();
  await until(() => atWork.size === 2);
  await sleep(60);
  expect(asked).toHaveLength(4);
});

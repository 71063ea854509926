import { until } from '../../../test/support/until.ts';
import { runConsumers } from './run-consumers.ts';

const untilAborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));

test('a consumer that fails, or ends by itself, is started again; the others are not disturbed', async () => {
  const logged: object[] = [];
  const starts = { broken: 0, ending: 0, steady: 0 };
  const running = runConsumers(
    [
      {
        name: 'broken',
        async run() {
          starts.broken += 1;
          throw new Error('no');
        },
      },
      {
        name: 'ending',
        async run() {
          starts.ending += 1;
        },
      },
      {
        name: 'steady',
        run(signal) {
          starts.steady += 1;
          return untilAborted(signal);
        },
      },
    ],
    { error: (fields: object) => void logged.push(fields) },
    1,
  );
  await until(() => starts.broken > 2 && starts.ending > 2);
  await running.stop();
  expect(starts.steady).toBe(1);
  expect(logged).toContainEqual(expect.objectContaining({ consumer: 'broken', code: expect.any(String) }));
  expect(logged).toContainEqual(expect.objectContaining({ consumer: 'ending', code: 'consumer_ended' }));
  const { broken } = starts;
  await new Promise(setImmediate);
  expect(starts.broken).toBe(broken);
});

test('stop waits for each consumer, also for one that waits to be started again', async () => {
  let ended = false;
  const logged: object[] = [];
  const running = runConsumers(
    [
      {
        name: 'slow',
        async run(signal) {
          await untilAborted(signal);
          await new Promise(setImmediate);
          ended = true;
        },
      },
      {
        name: 'broken',
        async run() {
          throw new Error('no');
        },
      },
    ],
    { error: (fields: object) => void logged.push(fields) },
    3_600_000,
  );
  await until(() => logged.length === 1);
  await running.stop();
  expect(ended).toBe(true);
});

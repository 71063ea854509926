import { setTimeout as sleep } from 'node:timers/promises';
import { createGate } from './gate.ts';

test('so many at once, in their order, whatever becomes of each', async () => {
  const gate = createGate(2);
  const order: number[] = [];
  let now = 0;
  let most = 0;
  const work = (number: number) =>
    gate(async () => {
      order.push(number);
      now += 1;
      most = Math.max(most, now);
      await sleep(5);
      now -= 1;
      if (number % 3 === 0) throw new Error('failed');
      return number;
    });
  const ends = await Promise.allSettled([0, 1, 2, 3, 4, 5, 6].map(work));
  expect(most).toBe(2);
  expect(order).toEqual([0, 1, 2, 3, 4, 5, 6]);
  expect(ends.map(({ status }) => status)).toEqual(
    [0, 1, 2, 3, 4, 5, 6].map((number) => (number % 3 === 0 ? 'rejected' : 'fulfilled')),
  );
  // No place was lost with the failures.
  await Promise.all([1, 2].map(work));
});

import { setTimeout as sleep } from 'node:timers/promises';
import { createGate, untilCalm } from './gate.ts';

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

test('work in the background begins when nothing waits any more at any of the gates', async () => {
  const [one, other] = [createGate(1), createGate(1)];
  const open: (() => void)[] = [];
  const hold = () => new Promise<void>((resolve) => open.push(resolve));
  const { signal } = new AbortController();
  await untilCalm([one, other], signal);
  const held = [one(hold), one(hold), other(hold), other(hold)];
  let isCalm = false;
  const calm = untilCalm([one, other], signal).then(() => {
    isCalm = true;
  });
  await sleep(1);
  open[0]?.();
  await sleep(5);
  // At the other one something still waits.
  expect(isCalm).toBe(false);
  open[1]?.();
  await calm;
  // What runs is not waited for.
  for (const end of open) end();
  await sleep(1);
  for (const end of open) end();
  await Promise.all(held);
});

test('work in the background that waits ends with the process', async () => {
  const gate = createGate(1);
  let end: () => void = () => undefined;
  const held = [gate(() => new Promise<void>((resolve) => (end = resolve))), gate(async () => undefined)];
  const ending = new AbortController();
  const calm = untilCalm([gate], ending.signal);
  const reason = new Error('the process ends');
  ending.abort(reason);
  await expect(calm).rejects.toBe(reason);
  await expect(untilCalm([gate], ending.signal)).rejects.toBe(reason);
  end();
  await Promise.all(held);
});

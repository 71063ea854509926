import { coalesce } from './coalesce.ts';

/** Calls that end when they are told to. */
function gated() {
  const calls: { items: number[]; end(error?: Error): void }[] = [];
  const work = (items: number[]) =>
    new Promise<void>((resolve, reject) => {
      calls.push({ items, end: (error) => (error ? reject(error) : resolve()) });
    });
  return { calls, work };
}
const turns = () => new Promise((resolve) => setImmediate(resolve));

test('what comes while one call is under way goes along with the next', async () => {
  const { calls, work } = gated();
  const ask = coalesce(work);
  const first = ask(1);
  await turns();
  const others = [ask(2), ask(3)];
  await turns();
  expect(calls.map(({ items }) => items)).toEqual([[1]]);
  calls[0]!.end();
  await first;
  await turns();
  expect(calls.map(({ items }) => items)).toEqual([[1], [2, 3]]);
  calls[1]!.end();
  await Promise.all(others);
});

test('what fails, fails for those who asked for it, and not for those behind them', async () => {
  const { calls, work } = gated();
  const ask = coalesce(work);
  const first = ask(1);
  await turns();
  const second = ask(2);
  calls[0]!.end(new Error('away'));
  await expect(first).rejects.toThrow('away');
  await turns();
  calls[1]!.end();
  await second;
  expect(calls.map(({ items }) => items)).toEqual([[1], [2]]);
});

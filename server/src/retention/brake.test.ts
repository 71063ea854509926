import type { Catalog } from '../catalog/catalog.ts';
import { brake } from './brake.ts';

const raised: string[] = [];
const alarms = {
  raise: async (code: string) => void raised.push(code),
  resolve: async () => undefined,
};
const stops = (due: number, { size, mean }: { size: number; mean?: number }) => {
  raised.length = 0;
  const catalog = { size: async () => size, usuallyRetained: async () => mean } as unknown as Catalog;
  return brake({ alarms, catalog }, due).then(
    () => false,
    (error: { code: string }) => error.code === 'retention_braked' && raised.join() === 'retention_braked',
  );
};

test.each([
  ['a share of a small catalog', 200, { size: 200 }, false],
  ['five percent of a larger one', 10, { size: 201 }, false],
  ['more than five percent', 11, { size: 201 }, true],
  ['a thousand, at the first time', 1_000, { size: 100_000 }, false],
  ['more than a thousand, at the first time', 1_001, { size: 100_000 }, true],
  ['more than a thousand where little is usual', 1_001, { size: 100_000, mean: 3 }, true],
  ['ten times what is usual', 3_000, { size: 100_000, mean: 300 }, false],
  ['more than ten times what is usual', 3_001, { size: 100_000, mean: 300 }, true],
])('%s: %i', async (_what, due, of, stopped) => {
  expect(await stops(due, of)).toBe(stopped);
});

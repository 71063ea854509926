import { brake } from './brake.ts';

test.each([
  ['a share of a small catalog', 200, { size: 200 }, false],
  ['five percent of a larger one', 10, { size: 201 }, false],
  ['more than five percent', 11, { size: 201 }, true],
  ['a thousand, at the first time', 1_000, { size: 100_000 }, false],
  ['more than a thousand, at the first time', 1_001, { size: 100_000 }, true],
  ['more than a thousand where little is usual', 1_001, { size: 100_000, mean: 3 }, true],
  ['ten times what is usual', 3_000, { size: 100_000, mean: 300 }, false],
  ['more than ten times what is usual', 3_001, { size: 100_000, mean: 300 }, true],
])('%s: %i', async (_what, due, { size, mean }: { size: number; mean?: number }, stops) => {
  const braked = await brake({ size: async () => size }, due, {
    mean,
    command: 'flex-custody retention --yes',
  });
  if (stops) expect(braked).toContain('flex-custody retention --yes');
  else expect(braked).toBeUndefined();
});

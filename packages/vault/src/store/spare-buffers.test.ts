import { giveSpare, takeSpare } from './spare-buffers.ts';

const mega = 1024 * 1024;

test('one that was given back is used again, where it fits', () => {
  const first = takeSpare(600_000);
  expect(first.byteLength).toBeGreaterThanOrEqual(600_000);
  expect(takeSpare(600_000)).not.toBe(first);
  giveSpare(first);
  expect(takeSpare(5 * mega)).not.toBe(first);
  // Half of it would lie about for nothing.
  expect(takeSpare(1_000)).not.toBe(first);
  expect(takeSpare(first.byteLength)).toBe(first);
});

test('what lies idle is bounded', () => {
  const many = Array.from({ length: 20 }, () => takeSpare(mega));
  for (const buffer of many) giveSpare(buffer);
  const again = Array.from({ length: 20 }, () => takeSpare(mega));
  expect(again.filter((buffer) => many.includes(buffer))).toHaveLength(8);
});

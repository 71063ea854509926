import { contentRange, parseRange, unsatisfiedRange } from './range.ts';

describe('a Range header on 10,000 bytes (RFC 9110, 14.1.2)', () => {
  test.each([
    ['the first 500 bytes', 'bytes=0-499', { start: 0, end: 499 }],
    ['the second 500 bytes', 'bytes=500-999', { start: 500, end: 999 }],
    ['the final 500 bytes', 'bytes=-500', { start: 9500, end: 9999 }],
    ['an open range', 'bytes=9500-', { start: 9500, end: 9999 }],
    ['the first byte only', 'bytes=0-0', { start: 0, end: 0 }],
    ['the last byte only', 'bytes=-1', { start: 9999, end: 9999 }],
    ['everything', 'bytes=0-', { start: 0, end: 9999 }],
    ['an end past the last byte is clamped', 'bytes=9000-20000', { start: 9000, end: 9999 }],
    ['an end beyond any integer is clamped', `bytes=1-${'9'.repeat(40)}`, { start: 1, end: 9999 }],
    ['a suffix longer than the whole is the whole', 'bytes=-20000', { start: 0, end: 9999 }],
    ['unit names are case-insensitive', 'Bytes=1-2', { start: 1, end: 2 }],
    ['empty list elements do not count', 'bytes= , 1-2 ,', { start: 1, end: 2 }],
  ])('%s: %s', (_name, header, range) => {
    expect(parseRange(header, 10_000)).toEqual(range);
  });

  test.each([
    ['starts at the size', 'bytes=10000-'],
    ['starts past the size', 'bytes=20000-30000'],
    ['starts beyond any integer', `bytes=${'9'.repeat(40)}-`],
    ['a suffix of no bytes', 'bytes=-0'],
  ])('%s is unsatisfiable: %s', (_name, header) => {
    expect(parseRange(header, 10_000)).toBe('unsatisfiable');
  });

  test.each([
    ['another unit', 'seconds=1-2'],
    ['no unit', '1-2'],
    ['several ranges', 'bytes=0-0,-1'],
    ['last before first', 'bytes=500-499'],
    ['no digits', 'bytes=-'],
    ['nothing', 'bytes='],
    ['a sign', 'bytes=+1-2'],
    ['words', 'bytes=a-b'],
    ['three positions', 'bytes=1-2-3'],
    ['a fraction', 'bytes=1.5-2'],
  ])('%s is ignored: %s', (_name, header) => {
    expect(parseRange(header, 10_000)).toBeUndefined();
  });
});

test('an empty representation has no satisfiable position', () => {
  expect(parseRange('bytes=0-', 0)).toBe('unsatisfiable');
  expect(parseRange('bytes=-5', 0)).toBeUndefined();
});

test('every range granted lies inside the representation, whatever was asked', () => {
  let seed = 7;
  const random = (below: number) => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return seed % below;
  };
  for (let round = 0; round < 2000; round += 1) {
    const size = random(300);
    const header = `bytes=${random(4) === 0 ? '' : random(400)}-${random(4) === 0 ? '' : random(400)}`;
    const range = parseRange(header, size);
    if (range === undefined || range === 'unsatisfiable') continue;
    expect(range.start).toBeGreaterThanOrEqual(0);
    expect(range.end).toBeGreaterThanOrEqual(range.start);
    expect(range.end).toBeLessThan(size);
  }
});

test('Content-Range is written as the RFC writes it (14.4)', () => {
  expect(contentRange({ start: 42, end: 1233 }, 1234)).toBe('bytes 42-1233/1234');
  expect(unsatisfiedRange(1234)).toBe('bytes */1234');
});

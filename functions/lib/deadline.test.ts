import { abortAtMs, finishMs, fits, limitMs, startDeadline, timeLimit } from './deadline.ts';

function at(elapsedMs: number) {
  let now = 1_000;
  const deadline = startDeadline(() => now);
  now += elapsedMs;
  return deadline;
}

describe('the time a Function has', () => {
  test('counts from the start of the handler', () => {
    const deadline = at(2_500);
    expect([deadline.elapsed(), deadline.left()]).toEqual([2_500, 7_500]);
  });

  test('what is begun is dropped before the platform ends the process', () => {
    expect(abortAtMs).toBeLessThan(limitMs);
    expect(abortAtMs).toBeGreaterThanOrEqual(limitMs - finishMs);
    expect(at(0).signal.aborted).toBe(false);
  });
});

describe('whether a copy fits', () => {
  const rate = 1_000_000;

  test.each([
    ['what takes all the time but the last 1.5 s', 8_500_000, 0, true],
    ['a byte more', 8_500_001, 0, false],
    ['the same after 3 s of waiting for the host', 8_500_000, 3_000, false],
    ['a small one, late', 500_000, 8_000, true],
    ['a small one, too late', 500_001, 8_000, false],
    ['nothing, when the time to finish has begun', 0, 8_500, false],
  ])('%s', (_, bytes, elapsed, expected) => {
    expect(fits(bytes, rate, at(elapsed))).toBe(expected);
  });

  test('of unknown size is tried while there is time', () => {
    expect(fits(undefined, rate, at(1_000))).toBe(true);
    expect(fits(undefined, rate, at(8_600))).toBe(false);
  });

  test('a slower line carries less', () => {
    expect(fits(8_500_000, rate / 2, at(0))).toBe(false);
  });
});

// AbortSignal.timeout refuses what is no whole number, and a clock seldom gives one.
test.each([
  [0, 3_500],
  [7_000.25, 2_899],
  [9_999, 1],
  [12_000, 1],
])('after %d ms one request may take %d ms', (elapsed, expected) => {
  expect(timeLimit(3_500, at(elapsed))).toBe(expected);
});

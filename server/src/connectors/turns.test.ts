import fc from 'fast-check';
import { brevoLimits, plans } from './brevo/limits.ts';
import { burstOf, intervalOf, type LimitClass, latenessOf, spanOf, turnsOf } from './turns.ts';

const classes = plans.flatMap((plan) => [1, 50].flatMap((times) => Object.values(brevoLimits(plan, times))));

test.each(classes)('$name, $limit in $windowMs ms: no window has more, and 95 % is used', (of) => {
  const interval = intervalOf(of);
  const burst = burstOf(of);
  const most = of.most ?? of.limit;
  expect(burst + of.windowMs / interval).toBeLessThanOrEqual(of.limit);
  // As long as a turn may be late, and once more for the way to the other system.
  expect(burst + (of.windowMs + 2 * latenessOf(of)) / interval).toBeLessThanOrEqual(of.limit + 1e-9);
  expect(of.windowMs / interval).toBeGreaterThanOrEqual(0.95 * of.limit);
  expect(of.windowMs / intervalOf(of, most)).toBeGreaterThanOrEqual(0.95 * most);
});

test('answers may raise the limit up to its most, and lower it without end', () => {
  const batch = brevoLimits().batch;
  expect(spanOf(batch) / intervalOf(batch, 1_000)).toBeCloseTo(10);
  const { events, other } = brevoLimits();
  expect(intervalOf(events, 1_000)).toBe(intervalOf(events));
  expect(intervalOf(events, 0.028)).toBeCloseTo(1_040 / 0.028);
  expect(burstOf(other, 20)).toBe(0);
});

test('turns are even, those of a burst at once, and none before its time', () => {
  const of = { nextAt: 1_000, notBefore: 0, count: 3, intervalMs: 100, burst: 0 };
  expect(turnsOf(of)).toEqual([700, 800, 900]);
  expect(turnsOf({ ...of, notBefore: 750 })).toEqual([750, 800, 900]);
  expect(turnsOf({ ...of, notBefore: 700, burst: 2 })).toEqual([700, 700, 700]);
});

test('a chain of grants keeps to the limit in every window, by any limit and burst', () => {
  const anyClass = fc.record({
    name: fc.constant('x'),
    limit: fc.integer({ min: 1, max: 1_000 }),
    windowMs: fc.constantFrom(1_000, 3_600_000),
  });
  fc.assert(
    fc.property(anyClass, fc.array(fc.nat(3), { maxLength: 60 }), (of: LimitClass, rests) => {
      const intervalMs = intervalOf(of);
      const times: number[] = [];
      let [now, next] = [0, 0];
      for (const rest of rests) {
        now += rest * intervalMs;
        const count = 1 + (rest % 3);
        next = Math.max(next, now) + count * intervalMs;
        times.push(...turnsOf({ nextAt: next, notBefore: now, count, intervalMs, burst: burstOf(of) }));
      }
      for (const [index, at] of times.entries())
        expect((times[index + of.limit] ?? Number.POSITIVE_INFINITY) - at).toBeGreaterThanOrEqual(
          of.windowMs,
        );
    }),
  );
});

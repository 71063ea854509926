import { brevoLimits } from './brevo/limits.ts';
import { correctionBy } from './reports.ts';

const { events, other, batch } = brevoLimits();

test.each([
  ['the limit that is known', { limit: 10, remaining: 9, resetSeconds: 1 }],
  ['none that can be used', {}],
  ['a limit above the plan’s', { limit: 20, remaining: 19, resetSeconds: 1 }],
  ['none left for less than a second, which may be much less', { limit: 10, remaining: 0, resetSeconds: 1 }],
  ['the same limit by the hour', { limit: 36_000, remaining: 35_000, resetSeconds: 3_600 }],
  ['more left of an hour than we would send', { limit: 36_000, remaining: 20_000, resetSeconds: 2_000 }],
  ['nonsense', { limit: Number.NaN, remaining: -1, resetSeconds: Number.NaN }],
  ['a limit of nothing', { limit: 0 }],
])('%s is no news', (_, report) => {
  expect(correctionBy(events, report, {}, 0)).toBeUndefined();
});

test('a smaller limit is news once, and so is the plan’s after it', () => {
  const report = { limit: 5, remaining: 4, resetSeconds: 1 };
  expect(correctionBy(events, report, {}, 0)).toEqual({ limit: 5 });
  expect(correctionBy(events, report, { limit: 5 }, 0)).toBeUndefined();
  expect(correctionBy(events, { limit: 10 }, { limit: 5 }, 0)).toEqual({ limit: 10 });
});

test('a smaller limit of an hour is spread over seconds', () => {
  expect(correctionBy(events, { limit: 1_800, resetSeconds: 3_000 }, {}, 0)).toEqual({ limit: 0.5 });
});

test('a limit that is not published follows the answers, up to its most', () => {
  expect(correctionBy(batch, { limit: 4, resetSeconds: 1 }, {}, 0)).toEqual({ limit: 4 });
  expect(correctionBy(batch, { limit: 400, resetSeconds: 1 }, {}, 0)).toEqual({ limit: 10 });
});

test('less left than we would send is news, unless we know of less in that window', () => {
  const report = { limit: 100, remaining: 12.5, resetSeconds: 1_800 };
  const left = { count: 12, forMs: 1_801_000 };
  expect(correctionBy(other, report, {}, 0)).toEqual({ left });
  expect(correctionBy(other, report, { remaining: 12, resetsAt: 100 }, 50)).toBeUndefined();
  expect(correctionBy(other, report, { remaining: 14, resetsAt: 100 }, 50)).toEqual({ left });
  expect(correctionBy(other, report, { remaining: 12, resetsAt: 100 }, 150)).toEqual({ left });
  expect(correctionBy(other, { remaining: 90, resetSeconds: 1_800 }, {}, 0)).toBeUndefined();
});

test('no window is longer than an hour', () => {
  expect(correctionBy(other, { remaining: 0, resetSeconds: 86_400 }, {}, 0)).toEqual({
    left: { count: 0, forMs: 3_601_000 },
  });
});

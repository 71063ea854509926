import fc from 'fast-check';
import {
  type AfterTry,
  afterLook,
  afterTry,
  longestPauseMs,
  looksBeforeResend,
  nextLookMs,
  pauseAfter,
  type TryOutcome,
} from './effect-state.ts';

const refused = { kind: 'refused', code: 'invalid_parameter', message: 'event_name', status: 400 } as const;

test.each<[TryOutcome, AfterTry]>([
  [{ kind: 'done' }, { state: 'sent', dueInMs: 0, attempts: 3 }],
  [{ kind: 'unknown' }, { state: 'uncertain', dueInMs: 0, attempts: 3 }],
  [{ kind: 'paused' }, { state: 'waiting', dueInMs: 0, attempts: 2 }],
  [{ kind: 'later' }, { state: 'waiting', dueInMs: 4_000, attempts: 3 }],
  [
    { kind: 'later', afterMs: 90_000, status: 429 },
    { state: 'waiting', dueInMs: 90_000, attempts: 3, error: { code: 'later', status: 429 } },
  ],
  [
    refused,
    {
      ...{ state: 'failed', dueInMs: 0, attempts: 3 },
      error: { code: 'invalid_parameter', message: 'event_name', status: 400 },
    },
  ],
  [
    { kind: 'dropped', why: 'no_event' },
    { state: 'dropped', dueInMs: 0, attempts: 2, error: { code: 'no_event' } },
  ],
])('a try that came to %j, the third', (outcome, after) => {
  expect(afterTry(outcome, 2, 1)).toEqual(after);
});

test('the pause grows to 15 minutes, and by chance is at least half of it', () => {
  expect([1, 2, 3, 4].map((attempts) => pauseAfter(attempts, 1))).toEqual([1_000, 2_000, 4_000, 8_000]);
  expect(pauseAfter(1, 0)).toBe(500);
  expect(pauseAfter(1_000, 1)).toBe(longestPauseMs);
  fc.assert(
    fc.property(fc.nat(5_000), fc.double({ min: 0, max: 1, noNaN: true }), (attempts, chance) => {
      const pause = pauseAfter(attempts + 1, chance);
      expect(pause).toBeGreaterThanOrEqual(pauseAfter(attempts + 1, 0));
      expect(pause).toBeLessThanOrEqual(longestPauseMs);
    }),
  );
});

test('only what may have been taken is uncertain, and only what was certainly not taken is sent again by itself', () => {
  const outcomes: TryOutcome['kind'][] = ['done', 'later', 'paused', 'unknown', 'refused', 'dropped'];
  const states = outcomes.map((kind) => [
    kind,
    afterTry({ ...refused, why: 'x', kind } as TryOutcome, 0, 0).state,
  ]);
  expect(Object.fromEntries(states)).toEqual({
    ...{ done: 'sent', later: 'waiting', paused: 'waiting' },
    ...{ unknown: 'uncertain', refused: 'failed', dropped: 'dropped' },
  });
});

test('an uncertain effect is sent again only after three complete looks and the time for it', () => {
  const hour = 60 * 60_000;
  expect(afterLook({ isFound: true }, 0, 0, hour)).toBe('sent');
  for (let looks = 0; looks <= 5; looks += 1)
    for (const since of [0, hour - 1, hour, 2 * hour])
      expect(afterLook({ isFound: false }, looks, since, hour)).toBe(
        looks >= looksBeforeResend && since >= hour ? 'waiting' : 'uncertain',
      );
});

test('looks come further apart, and the fourth comes when the effect may be sent again', () => {
  const hour = 60 * 60_000;
  const looks = [0, 1, 2, 3, 4, 5].map((n) => nextLookMs(n, hour));
  expect(looks).toEqual([
    36_000,
    6 * 60_000,
    30 * 60_000,
    hour,
    hour + longestPauseMs,
    hour + 2 * longestPauseMs,
  ]);
  expect(looks.indexOf(hour)).toBeGreaterThanOrEqual(looksBeforeResend);
});

import { type ExpectedEnd, expectedEnd, type LengthFacts, missingSeconds } from './judge.ts';

const start = Date.parse('2026-11-28T10:00:00Z');
const at = (seconds: number) => start + seconds * 1_000;
const until = (seconds: number): ExpectedEnd => ({ until: at(seconds) });
const leg = { startedAt: start, isAgentsLeg: true };
const other = { startedAt: start, isAgentsLeg: false };

test.each<[string, LengthFacts, ExpectedEnd]>([
  ['an agent’s leg: to its end', { ...leg, legEndedAt: at(300) }, until(300)],
  ['an agent’s leg that lasts', leg, 'later'],
  [
    'an agent’s leg whose agent ended the segment earlier',
    { ...leg, legEndedAt: at(300), segment: { endedAt: at(200) } },
    until(200),
  ],
  [
    'an agent’s leg that ended before the wrap-up began',
    { ...leg, legEndedAt: at(300), segment: { endedAt: at(303) } },
    until(300),
  ],
  ['an agent’s leg of an open segment', { ...leg, legEndedAt: at(300), segment: {} }, until(300)],
  [
    'a call whose record Twilio no longer has: by the segment',
    { ...leg, segment: { endedAt: at(200) } },
    until(200),
  ],
  [
    'a customer’s leg after a transfer: to the end of its agent’s segment',
    { ...other, legEndedAt: at(900), segment: { endedAt: at(120) } },
    until(120),
  ],
  ['a customer’s leg that lasts with another agent', { ...other, segment: { endedAt: at(120) } }, until(120)],
  ['a customer’s leg whose segment lasts', { ...other, segment: {} }, 'later'],
  [
    'a customer’s leg of no known segment, such as a voicemail or a menu',
    { ...other, legEndedAt: at(900) },
    'unknown',
  ],
  ['a conference of no known segment', other, 'unknown'],
  ['another recording continues it', { ...leg, legEndedAt: at(300), nextStartedAt: at(100) }, until(100)],
  ['another recording began before it', { ...leg, legEndedAt: at(300), nextStartedAt: at(-5) }, until(300)],
  ['it began after the segment', { ...other, segment: { endedAt: at(-10) } }, until(0)],
])('%s', (_which, facts, expected) => {
  expect(expectedEnd(facts)).toEqual(expected);
});

test.each([
  ['as long', 300, 0, 300, 0],
  ['longer', 300, 0, 400, 0],
  ['2 seconds short of a short one', 20, 0, 18, 0],
  ['3 seconds short of a short one', 20, 0, 17, 3],
  ['exactly 2 % short', 500, 0, 490, 0],
  ['more than 2 % short', 500, 0, 489, 11],
  ['more than 2 seconds, less than 2 %', 3_600, 0, 3_550, 0],
  ['short by its skipped pauses', 300, 60, 240, 0],
  ['short by more than its skipped pauses', 300, 60, 200, 40],
  ['paused for the whole time', 300, 400, 0, 0],
  ['empty', 60, 0, 0, 60],
])(
  '%s: of %d expected seconds and %d skipped, %d recorded',
  (_which, expected, skipped, duration, missing) => {
    expect(missingSeconds(expected, skipped, duration)).toBe(missing);
  },
);

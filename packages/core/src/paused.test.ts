import { isPaused, pausedSince, withoutPause, withPause } from './paused.ts';
import { asWorkerSid } from './sids.ts';

const by = asWorkerSid(`WK${'a'.repeat(32)}`)!;
const other = asWorkerSid(`WK${'b'.repeat(32)}`)!;

test('a call is paused from the time in its mark on, and until the mark has none', () => {
  const paused = withPause({ started: 1 }, { since: 0, by });
  expect([isPaused(paused), pausedSince(paused)]).toEqual([true, 0]);
  const resumed = withoutPause(paused);
  expect(resumed).toEqual({ started: 1 });
  expect([isPaused(resumed), pausedSince(resumed)]).toEqual([false, undefined]);
});

test('a pause that lasts keeps its beginning, and where nothing changes the mark is the same', () => {
  const mark = { paused: { since: 5, by } };
  expect(withPause(mark, { since: 9, by: other })).toBe(mark);
  const none = { started: 1 };
  expect(withoutPause(none)).toBe(none);
});

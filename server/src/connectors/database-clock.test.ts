import { createDatabaseClock } from './database-clock.ts';

test('of two answers the quicker one says what the clock shows', () => {
  const clock = createDatabaseClock();
  clock.saw(1_000_000, 100, 102);
  clock.saw(1_000_050, 110, 400);
  expect(clock.ours(1_000_000)).toBe(102);
  expect(clock.theirs(102)).toBe(1_000_000);
  expect(clock.tookMs()).toBe(290);
  clock.saw(1_000_400, 500, 501);
  expect(clock.ours(1_000_400)).toBe(501);
});

test('after a minute a slower one counts, since clocks drift', () => {
  const clock = createDatabaseClock();
  clock.saw(0, 0, 1);
  clock.saw(60_000, 59_990, 60_001);
  expect(clock.ours(0)).toBe(1);
  clock.saw(60_010, 60_000, 60_020);
  expect(clock.ours(60_010)).toBe(60_020);
});

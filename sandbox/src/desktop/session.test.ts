import { createWorld } from '../world.ts';
import { createSeats } from './session.ts';

test('two looks at once get the same new token; a later one, or one that is waited for, a newer one', () => {
  let now = 1_000_000;
  const world = createWorld();
  const seats = createSeats(world, () => now);
  const seat = seats.take(undefined, ['agent']);
  const first = seat.token;
  seats.refresh(seat);
  const second = seat.token;
  expect(second).not.toBe(first);
  expect(world.tokens.has(first)).toBe(false);
  now += 500;
  seats.refresh(seat);
  expect(seat.token).toBe(second);
  seat.due = true;
  seats.refresh(seat);
  const third = seat.token;
  expect(third).not.toBe(second);
  now += 5_000;
  seats.refresh(seat);
  expect(seat.token).not.toBe(third);
});

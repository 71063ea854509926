import { until } from '../../../test/support/until.ts';
import { type Taker, Turns } from './turns.ts';

/** A stream that notes when its turn begins. */
function taker(name: string, began: string[]): Taker & { pausedAt: number | undefined } {
  return { pausedAt: undefined, go: () => void began.push(name) };
}

const never = 3_600_000;

test('at most so many flow, and the others follow in order as streams end', () => {
  const began: string[] = [];
  const turns = new Turns({ most: 2, pausedMs: never, longestMs: never });
  const [a, b, c, d, e] = ['a', 'b', 'c', 'd', 'e'].map((name) => taker(name, began)) as Taker[];
  for (const one of [a, b, c, d, e]) turns.ask(one!);
  expect(began).toEqual(['a', 'b']);
  turns.ask(a!);
  expect(began).toEqual(['a', 'b', 'a']);
  // One that has left does not get the turn that it waited for.
  turns.leave(c!);
  turns.leave(a!);
  expect(began).toEqual(['a', 'b', 'a', 'd']);
  turns.leave(b!);
  turns.leave(d!);
  expect(began).toEqual(['a', 'b', 'a', 'd', 'e']);
});

test('a listener who does not read gives the turn to the next, and asks for another', async () => {
  const began: string[] = [];
  const turns = new Turns({ most: 1, pausedMs: 5, longestMs: never });
  const slow = taker('slow', began);
  turns.ask(slow);
  turns.ask(taker('next', began));
  expect(began).toEqual(['slow']);
  slow.pausedAt = performance.now();
  await until(() => began.length === 2);
  expect(began).toEqual(['slow', 'next']);
  turns.ask(slow);
  expect(began).toEqual(['slow', 'next']);
});

test('a stream whose store does not answer keeps its turn no longer than a turn is', async () => {
  const began: string[] = [];
  const turns = new Turns({ most: 1, pausedMs: never, longestMs: 5 });
  turns.ask(taker('stalled', began));
  turns.ask(taker('next', began));
  await until(() => began.length === 2);
  expect(began).toEqual(['stalled', 'next']);
});

test('one that reads without a pause takes turns with those that wait', async () => {
  const began: string[] = [];
  const turns = new Turns({ most: 1, pausedMs: never, longestMs: 5 });
  const [fast, other] = [taker('fast', began), taker('other', began)];
  turns.ask(fast);
  turns.ask(other);
  await until(() => {
    turns.ask(fast);
    return began.includes('other');
  });
  await until(() => {
    turns.ask(other);
    return began.at(-1) === 'fast';
  });
});

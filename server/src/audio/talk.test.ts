import { longestMonologue, type Turn, talkMetrics, turnsOf } from './talk.ts';
import { frameMs } from './voice-activity.ts';

/** A letter a frame of 20 ms: a, b, both (x), neither (.); `a10` is ten of them. */
function frames(text: string): Uint8Array {
  const bits = { '.': 0, a: 1, b: 2, x: 3 };
  return Uint8Array.from(
    [...text.matchAll(/([.abx])(\d*)/g)].flatMap(([, letter, count]) =>
      new Array<number>(Number(count || 1)).fill(bits[letter as keyof typeof bits]),
    ),
  );
}

test.each<[string, string, Turn[]]>([
  ['silence', '.50', []],
  ['a turn', '.5a10.5', [[5, 15]]],
  ['to the very end', '.5a10', [[5, 15]]],
  ['less than 80 ms is nothing', '.5a3.50a4.5', [[58, 62]]],
  ['a pause of less than 300 ms is none', 'a10.14a10', [[0, 34]]],
  [
    'one of 300 ms is one',
    'a10.15a10',
    [
      [0, 10],
      [25, 35],
    ],
  ],
  [
    'clicks do not bridge a pause',
    'a10.8a2.8a10',
    [
      [0, 10],
      [28, 38],
    ],
  ],
  ['the other channel is not this one', 'b20x10b20', [[20, 30]]],
])('turns: %s', (_what, text, wanted) => {
  expect(turnsOf(frames(text), 1)).toEqual(wanted);
});

describe('a monologue', () => {
  const longest = (own: string) => {
    const active = frames(own);
    return longestMonologue(turnsOf(active, 1), turnsOf(active, 2));
  };
  test.each([
    ['outlasts pauses of up to two seconds', 'a100.100a100', 300],
    ['but none longer', 'a100.101a120', 120],
    ['and a word of the other in between', 'a100.20b25.20a100', 265],
    ['not when he takes the floor', 'a100.20b26.20a120', 120],
    ['an interjection while he speaks', 'a100x25a100', 225],
    ['who talks over him ends it', 'a100x50a110', 110],
    ['up to the interruption', 'a130x50a110', 130],
    ['and who is only ever talked over has none', 'x100', 0],
    ['nobody speaks', '.100', 0],
  ])('%s', (_what, text, wanted) => {
    expect(longest(text)).toBe(wanted);
  });
});

test('the sum of it all is the length of the recording', () => {
  const active = frames('.50a100x50b200.30a25b50.7');
  const total = active.length * frameMs;
  expect(talkMetrics(active, 1, total)).toEqual({
    customerMs: 175 * frameMs,
    agentMs: 300 * frameMs,
    crosstalkMs: 50 * frameMs,
    silenceMs: 87 * frameMs,
    customerMonologueMs: 100 * frameMs,
    // From where the customer ends, over his interjection of half a second.
    agentMonologueMs: 305 * frameMs,
    longestMonologueMs: 305 * frameMs,
  });
});

test('of which channel the agent is', () => {
  const active = frames('a100b50');
  expect(talkMetrics(active, 0, 3_000)).toMatchObject({ agentMs: 2_000, customerMs: 1_000 });
  expect(talkMetrics(active, 1, 3_000)).toMatchObject({ agentMs: 1_000, customerMs: 2_000 });
});

import { createAdjustablePace, createPace } from './pace.ts';

let clock = 0;
const waits: number[] = [];
const pace = () =>
  createPace({
    most: 3,
    windowMs: 1_000,
    longestMs: 2_500,
    now: () => clock,
    wait: async (ms) => waits.push(ms),
  });

beforeEach(() => {
  waits.length = 0;
});

test('three begin at once, and each further one a window after the third before it', async () => {
  const { turn } = pace();
  for (let times = 0; times < 8; times += 1) await turn();
  expect(waits).toEqual([1_000, 1_000, 1_000, 2_000, 2_000]);
  clock += 5_000;
  waits.length = 0;
  for (let times = 0; times < 4; times += 1) await turn();
  expect(waits).toEqual([1_000]);
});

test('who would wait too long is told at once, and takes nobody’s turn', async () => {
  const { turn } = pace();
  for (let times = 0; times < 9; times += 1) await turn();
  for (let times = 0; times < 5; times += 1)
    await expect(turn()).rejects.toMatchObject({ code: 'twilio_unavailable', status: 503, retryable: true });
  clock += 1_000;
  await turn();
  expect(waits.at(-1)).toBe(2_000);
});

test('who breaks off waits no longer', async () => {
  const { turn } = createPace({ most: 1, windowMs: 60_000, longestMs: 60_000 });
  await turn();
  const stop = new AbortController();
  const waiting = turn(stop.signal);
  stop.abort(new Error('gone'));
  await expect(waiting).rejects.toThrow('gone');
  await expect(turn(stop.signal)).rejects.toThrow('gone');
});

test.each([
  [2, 2],
  [2.9, 2],
  [0, 1],
  [-5, 1],
  [1_000, 20],
  [Number.POSITIVE_INFINITY, 20],
  [Number.NaN, 3],
])('a reported limit of %s a second lets %s begin at once', async (reported, atOnce) => {
  const { turn, adjust } = createAdjustablePace(3, {
    windowMs: 1_000,
    longestMs: 10_000,
    now: () => clock,
    wait: async (ms) => waits.push(ms),
  });
  adjust(reported);
  for (let times = 0; times < atOnce; times += 1) await turn();
  expect(waits).toEqual([]);
  await turn();
  expect(waits).toEqual([1_000]);
});

describe('a pace that follows', () => {
  const adjustable = (more: object = {}) =>
    createAdjustablePace(4, {
      windowMs: 1_000,
      longestMs: 100_000,
      now: () => clock,
      wait: async (ms) => waits.push(ms),
      ...more,
    });
  /** How many begin at once. */
  const atOnce = async (pace: ReturnType<typeof adjustable>) => {
    clock += 200_000;
    waits.length = 0;
    let begun = 0;
    while (waits.length === 0) {
      await pace.turn();
      begun += 1;
    }
    return begun - 1;
  };

  test('a setting, and before it what is reported', async () => {
    const pace = adjustable({ mostBound: 50 });
    pace.set(30);
    expect(await atOnce(pace)).toBe(30);
    pace.adjust(7);
    pace.set(40);
    expect(await atOnce(pace)).toBe(7);
    pace.set(Number.NaN);
    pace.adjust(90);
    expect(await atOnce(pace)).toBe(50);
  });

  test('a refusal: nothing for a window, half as many, and more again with time', async () => {
    const pace = adjustable({ mostBound: 50 });
    pace.set(16);
    pace.slow();
    await pace.turn();
    expect(waits).toEqual([1_000]);
    const start = clock;
    const rate = async (at: number) => {
      clock = start + at;
      waits.length = 0;
      let begun = 0;
      while (waits.length === 0) {
        await pace.turn();
        begun += 1;
      }
      return begun - 1;
    };
    expect(await rate(10_000)).toBe(8);
    expect(await rate(61_000)).toBe(10);
    expect(await rate(600_000)).toBe(16);
    for (let times = 0; times < 10; times += 1) pace.slow();
    expect(await rate(602_000)).toBe(1);
  });
});

import { whileMoving } from './while-moving.ts';

const never = new AbortController().signal;
const forever = () => new Promise<never>(() => undefined);

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

test('work that moves may take as long as it likes', async () => {
  let done: ((value: string) => void) | undefined;
  let move = () => {};
  const end = whileMoving(never, 1_000, (_halted, moved) => {
    move = moved;
    return new Promise<string>((resolve) => {
      done = resolve;
    });
  });
  for (let n = 0; n < 10; n += 1) {
    await jest.advanceTimersByTimeAsync(900);
    move();
  }
  done?.('whole');
  await expect(end).resolves.toBe('whole');
});

test('work that stands still is aborted, and ended where it does not heed that', async () => {
  let heard: unknown;
  const end = whileMoving(never, 1_000, ({ signal }) => {
    signal.addEventListener('abort', () => {
      heard = signal.reason;
    });
    return forever();
  });
  const failure = end.catch((error: unknown) => error);
  await jest.advanceTimersByTimeAsync(999);
  expect(heard).toBeUndefined();
  await jest.advanceTimersByTimeAsync(1_001);
  expect(heard).toMatchObject({ code: 'stalled', retryable: true, message: 'nothing moved for 1 s' });
  expect(await failure).toBe(heard);
});

test('the end of the process ends it, with its reason, after what it still had to put away', async () => {
  const ended = new AbortController();
  const reason = new Error('the process ends');
  const tidy = whileMoving(ended.signal, 1_000, async ({ signal }) => {
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    await new Promise((resolve) => setTimeout(resolve, 500));
    throw new Error('put away');
  }).catch((error: unknown) => error);
  const deaf = whileMoving(ended.signal, 60_000, forever).catch((error: unknown) => error);
  ended.abort(reason);
  await jest.advanceTimersByTimeAsync(1_000);
  expect(await tidy).toEqual(new Error('put away'));
  expect(await deaf).toBe(reason);
  expect(jest.getTimerCount()).toBe(0);
});

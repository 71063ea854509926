import { Readable } from 'node:stream';
import { Lanes } from './lanes.ts';

const body = () => new Readable({ read: () => undefined });
const opened: Readable[] = [];
const open = async () => {
  const found = { body: body() };
  opened.push(found.body);
  return found;
};
beforeEach(() => {
  opened.length = 0;
});

test('players who hold every connection of theirs leave work its own', async () => {
  const lanes = new Lanes({ most: 2, turnMs: 20 });
  await lanes.read('play', undefined, open);
  await lanes.read('play', undefined, open);
  await expect(lanes.read('play', undefined, open)).rejects.toMatchObject({
    code: 'store_busy',
    status: 503,
    retryable: true,
  });
  await expect(lanes.read('work', undefined, open)).resolves.toBeDefined();
  expect(opened).toHaveLength(3);
});

test.each<[string, (one: Readable) => void]>([
  ['ends', (one) => one.push(null)],
  ['is given up', (one) => one.destroy()],
  ['fails', (one) => one.destroy(new Error('cut'))],
])('the next in turn begins when a body %s', async (_how, end) => {
  const lanes = new Lanes({ most: 1, turnMs: 60_000 });
  const { body: first } = await lanes.read('play', undefined, open);
  const order: string[] = [];
  const waiting = ['second', 'third'].map((name) =>
    lanes.read('play', undefined, async () => {
      order.push(name);
      return open();
    }),
  );
  first.resume();
  end(first);
  (await waiting[0])?.body.destroy();
  await waiting[1];
  expect(order).toEqual(['second', 'third']);
});

test('what could not be opened takes no turn', async () => {
  const lanes = new Lanes({ most: 1, turnMs: 20 });
  for (let times = 0; times < 3; times += 1)
    await expect(lanes.read('work', undefined, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  await lanes.read('work', undefined, open);
});

test('who breaks off waits no longer, and takes no turn', async () => {
  const lanes = new Lanes({ most: 1, turnMs: 60_000 });
  const { body: first } = await lanes.read('play', undefined, open);
  const stop = new AbortController();
  const gone = lanes.read('play', stop.signal, open);
  const next = lanes.read('play', undefined, open);
  stop.abort(new Error('gone'));
  await expect(gone).rejects.toThrow('gone');
  await expect(lanes.read('play', stop.signal, open)).rejects.toThrow('gone');
  first.destroy();
  await next;
  expect(opened).toHaveLength(2);
});

import { OpenedCache } from './opened-cache.ts';

let clock = 0;
const cacheOf = (limit = 2) => new OpenedCache<string>({ limit, ttlMs: 1000, now: () => clock });
const opener = (value = 'v') => jest.fn(async () => value);

test('what is open is opened once, until its time is over', async () => {
  const cache = cacheOf();
  const open = opener();
  await cache.get('a', open);
  clock += 999;
  await cache.get('a', open);
  expect(open).toHaveBeenCalledTimes(1);
  clock += 1;
  await cache.get('a', open);
  expect(open).toHaveBeenCalledTimes(2);
});

test('simultaneous requests share one opening', async () => {
  const cache = cacheOf();
  const open = opener();
  await Promise.all([cache.get('a', open), cache.get('a', open)]);
  expect(open).toHaveBeenCalledTimes(1);
});

test('the least recently used goes first', async () => {
  const cache = cacheOf(2);
  const [a, b, c] = [opener('a'), opener('b'), opener('c')];
  await cache.get('a', a);
  await cache.get('b', b);
  await cache.get('a', a);
  await cache.get('c', c);
  expect(cache.size).toBe(2);
  await expect(cache.get('a', a)).resolves.toBe('a');
  expect(a).toHaveBeenCalledTimes(1);
  await cache.get('b', b);
  expect(b).toHaveBeenCalledTimes(2);
});

test('a failed opening is everybody’s, and forgotten', async () => {
  const cache = cacheOf();
  const open = jest.fn(async () => 'v').mockRejectedValueOnce(new Error('no'));
  const attempts = await Promise.allSettled([cache.get('a', open), cache.get('a', open)]);
  expect(attempts.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  await expect(cache.get('a', open)).resolves.toBe('v');
  expect(open).toHaveBeenCalledTimes(2);
});

test('a late failure does not take its successor along', async () => {
  const cache = cacheOf();
  let fail: (error: Error) => void = () => undefined;
  const slow = cache.get('a', () => new Promise<string>((_, reject) => (fail = reject)));
  clock += 1000;
  const open = opener();
  await cache.get('a', open);
  fail(new Error('late'));
  await expect(slow).rejects.toThrow('late');
  await cache.get('a', open);
  expect(open).toHaveBeenCalledTimes(1);
});

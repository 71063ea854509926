import { chooseLeases } from './choose.ts';
import type { ShardState } from './leases.ts';

const shard = (n: number, owner: string | null = null, more: Partial<ShardState> = {}): ShardState => ({
  ...{ shard: `shardId-${n}`, owner, counter: 0, isFree: owner === null },
  ...{ isReady: true, isSilent: false, isRead: true, ...more },
});
const chosen = (me: string, shards: ShardState[], owners: string[]) =>
  chooseLeases(me, { shards, owners }).map((choice) => `${choice.shard.shard}${choice.force ? '!' : ''}`);

test('one process takes every free shard, and each of several its share', () => {
  const free = [1, 2, 3, 4, 5].map((n) => shard(n));
  expect(chosen('a', free, ['a'])).toHaveLength(5);
  expect(chosen('a', free, ['a', 'b'])).toHaveLength(3);
  expect(chosen('b', [...free.slice(0, 2), shard(3, 'a'), shard(4, 'a'), shard(5, 'a')], ['a', 'b'])).toEqual(
    ['shardId-1', 'shardId-2'],
  );
});

test('an expired lease is free, its former owner or not', () => {
  expect(chosen('a', [shard(1, 'a', { isFree: true })], ['a'])).toEqual(['shardId-1']);
  expect(chosen('a', [shard(1, 'b', { isFree: true })], ['a'])).toEqual(['shardId-1']);
});

test('one lease is taken from the process that has the most, if that has two more', () => {
  const all = [1, 2, 3].map((n) => shard(n, 'a'));
  expect(chosen('b', all, ['a', 'b'])).toEqual(['shardId-1!']);
  expect(chosen('b', [shard(1, 'a'), shard(2, 'a'), shard(3, 'b')], ['a', 'b'])).toEqual([]);
  expect(chosen('b', [shard(1, 'a')], ['a', 'b'])).toEqual([]);
});

test('a shard that is silent at another process is taken, one at a look; an own one is not', () => {
  const silent = { isSilent: true };
  expect(chosen('b', [shard(1, 'a', silent), shard(2, 'a', silent), shard(3, 'b')], ['a', 'b'])).toEqual([
    'shardId-1!',
  ]);
  expect(chosen('a', [shard(1, 'a', silent), shard(2, 'b')], ['a', 'b'])).toEqual([]);
});

test.each([
  [1, 1],
  [7, 2],
  [8, 3],
  [2, 5],
  [16, 4],
])('%i shards and %i processes are even after some looks, and then none moves', (shards, processes) => {
  const owners = Array.from({ length: processes }, (_, n) => `p${n}`);
  let state = Array.from({ length: shards }, (_, n) => shard(n, 'p0'));
  const round = () => {
    let moves = 0;
    for (const me of owners)
      for (const { shard: taken } of chooseLeases(me, { shards: state, owners })) {
        state = state.map((one) => (one.shard === taken.shard ? { ...one, owner: me, isFree: false } : one));
        moves += 1;
      }
    return moves;
  };
  for (let n = 0; n < shards; n += 1) round();
  const counts = owners.map((owner) => state.filter((one) => one.owner === owner).length);
  expect(Math.max(...counts) - Math.min(...counts)).toBeLessThan(2);
  expect(round()).toBe(0);
});

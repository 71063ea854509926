import type { ShardState, StreamState } from './leases.ts';

export interface Choice {
  shard: ShardState;
  /** From a living owner. */
  force: boolean;
}

/**
 * The leases that a process takes at one look: free ones up to its share; if there are none, one that is silent at another
 * process, else one of the process that has the most, if that has at least two more. So shards are even within a few looks,
 * and none moves to and fro.
 */
export function chooseLeases(
  me: string,
  { shards, owners }: Pick<StreamState, 'shards' | 'owners'>,
): Choice[] {
  const free = shards.filter(({ isFree }) => isFree);
  const taken = shards.filter(({ isFree }) => !isFree);
  const countOf = (owner: string) => taken.filter((shard) => shard.owner === owner).length;
  const share = Math.ceil(shards.length / Math.max(owners.length, 1)) - countOf(me);
  if (free.length > 0) return free.slice(0, Math.max(share, 0)).map((shard) => ({ shard, force: false }));
  const silent = taken.find(({ owner, isSilent }) => isSilent && owner !== me);
  if (silent) return [{ shard: silent, force: true }];
  const [richest] = taken.map(({ owner }) => owner ?? '').sort((a, b) => countOf(b) - countOf(a));
  if (richest === undefined || share < 1 || countOf(richest) - countOf(me) < 2) return [];
  return taken
    .filter(({ owner }) => owner === richest)
    .slice(0, 1)
    .map((shard) => ({ shard, force: true }));
}

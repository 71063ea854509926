import { CustodyError } from '@flex-custody/core';
import type { Store, StoredVersion } from '@flex-custody/vault';
import { sealedObject } from '../testing/house.ts';
import { sids } from '../testing/scene.ts';
import { removeSurplus } from './surplus.ts';

const sid = sids.recording(1);
const object = sealedObject(sid, { versionId: 'v3' });

function bucket(versions: readonly Partial<StoredVersion>[], failing?: Error) {
  const deleted: string[] = [];
  const store = {
    async *versions(): AsyncIterable<StoredVersion> {
      for (const version of versions)
        yield {
          key: object.key,
          bytes: 1,
          etag: '"e"',
          lastModified: new Date(),
          latest: false,
          deleteMarker: false,
          ...version,
        };
    },
    async delete(_key: string, versionId?: string) {
      if (failing) throw failing;
      deleted.push(versionId ?? '');
    },
  } as unknown as Store;
  const said: string[] = [];
  const say = (_fields: object, words: string) => void said.push(words);
  return { deps: { store, log: { info: say, warn: say, error: say } }, deleted, said };
}

test('what is older than the proven version goes; what is newer, and what is of another key, stays', async () => {
  const { deps, deleted } = bucket([
    { versionId: 'v4' },
    { versionId: 'v3' },
    { versionId: 'v2' },
    { versionId: 'v0', key: `${object.key}.json` },
    { versionId: 'v1' },
  ]);
  expect(await removeSurplus(deps, { recordingSid: sid, object })).toEqual({
    removed: 2,
    left: 0,
    again: false,
  });
  expect(deleted).toEqual(['v2', 'v1']);
});

test('a proven version that is not listed says nothing of the others', async () => {
  const { deps, deleted } = bucket([{ versionId: 'v2' }, { versionId: 'v1' }]);
  expect(await removeSurplus(deps, { recordingSid: sid, object })).toEqual({
    removed: 0,
    left: 0,
    again: false,
  });
  expect(deleted).toEqual([]);
});

test('without versions there is nothing to tell apart', async () => {
  const { deps } = bucket([{ versionId: 'null' }]);
  const { versionId: _, ...bare } = object;
  expect(await removeSurplus(deps, { recordingSid: sid, object: bare })).toEqual({
    removed: 0,
    left: 0,
    again: false,
  });
});

test('while versions are suspended the ones from before stay: the newest is overwritten by whoever writes next', async () => {
  const { deps, deleted } = bucket([{ versionId: 'null' }, { versionId: 'v2' }, { versionId: 'v1' }]);
  const suspended = { ...object, versionId: 'null' };
  expect(await removeSurplus(deps, { recordingSid: sid, object: suspended })).toEqual({
    removed: 0,
    left: 0,
    again: false,
  });
  expect(deleted).toEqual([]);
});

test('a store that is away costs the verified recording nothing, and is asked again; one that refuses is not', async () => {
  for (const retryable of [true, false]) {
    const failure = new CustodyError(retryable ? 'store_unavailable' : 'store_unsupported', 'not now');
    const { deps, said } = bucket([{ versionId: 'v3' }, { versionId: 'v2' }], failure);
    const result = await removeSurplus(deps, { recordingSid: sid, object });
    expect(result).toEqual({ removed: 0, left: 1, again: retryable });
    expect(said).toEqual(['surplus object versions could not be removed']);
  }
});

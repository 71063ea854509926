import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CustodyError, objectKey, type RecordingSid, sidecarKey } from '@flex-custody/core';
import { createKeys, createStore, type Store, sealBytes } from '@flex-custody/vault';
import { wav } from '../../../../../../packages/vault/test/support.ts';
import { createFaults } from '../../../../../../sandbox/src/faults.ts';
import { type OwnS3, startS3 } from '../../../../../../sandbox/src/s3/index.ts';
import { createInventoryKeys } from '../../../../catalog/inventory-keys.ts';
import { house, sharedDatabase } from '../../../testing/house.ts';
import { type InventoryOptions, type Listed, putInventory } from '../../../testing/inventory.ts';
import { recorded, scene, sids } from '../../../testing/scene.ts';
import { bucketPass } from '../bucket-pass.ts';
import { type ReconcileOptions, reconcile } from '../index.ts';
import { createTally } from '../tally.ts';

const shared = sharedDatabase();
const keys = createKeys({ kind: 'raw-aes', keys: [{ keyId: 'k1', key: new Uint8Array(32).fill(3) }] });
const audio = wav(4);
const day = 24 * 60 * 60_000;
const faults = createFaults();
let folder: string;
let s3: OwnS3;
let store: Store;
let inventories: Store;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'inventory-pass-'));
  const buckets = ['custody', 'inventories'];
  s3 = await startS3({ directory: folder, region: 'us-east-1', buckets, faults });
  const open = (bucket: string) =>
    createStore({ ...s3, region: 'us-east-1', bucket, pathStyle: true, mode: 'envelope' });
  [store, inventories] = [open('custody'), open('inventories')];
});
afterAll(async () => {
  store.close();
  inventories.close();
  await s3.close();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  await shared.db.query('TRUNCATE runs');
  for (const bucket of [store, inventories])
    for await (const { key, versionId } of bucket.versions('')) await bucket.delete(key, versionId);
});

/** A host that takes the bucket's keys from the inventory, and what it asks the bucket for. */
async function open() {
  const twilio = scene();
  const asked: string[] = [];
  /** What is in the bucket is as old as this, by its answers to HEAD. */
  const bucket = { lastModified: new Date(0) };
  const watched = new Proxy(store, {
    get(target, name) {
      if (name === 'list')
        return (prefix: string) => {
          asked.push('list');
          return target.list(prefix);
        };
      if (name === 'head')
        return async (key: string, versionId?: string) => {
          asked.push(key.slice(-6));
          const found = await target.head(key, versionId);
          return found && { ...found, lastModified: bucket.lastModified };
        };
      const own: unknown = Reflect.get(target, name, target);
      return typeof own === 'function' ? own.bind(target) : own;
    },
  });
  const host = await house(twilio, shared.db, { store: watched, keys });
  host.deps.inventory = {
    store: inventories,
    prefix: '',
    keys: createInventoryKeys(shared.db, host.catalog),
  };
  const run = async (options: Partial<ReconcileOptions> = {}) => {
    host.queue.sent = [];
    asked.length = 0;
    const all = { since: new Date(Date.now() + 1_000).toISOString(), ...options };
    return (await host.deps.runs.run('reconcile', all, (one) => reconcile(host.deps, one))).counts;
  };
  return { twilio, asked, bucket, ...host, run };
}
type House = Awaited<ReturnType<typeof open>>;

async function put(sid: RecordingSid) {
  const sealed = await sealBytes(keys, { account: sids.account, recording: sid }, audio);
  return store.putBytes(objectKey(sids.account, sid), sealed);
}

async function verified({ catalog, ingest, twilio }: House, n: number) {
  const sid = sids.recording(n);
  const answer = await ingest.receive(recorded(twilio, n));
  if (answer.action !== 'copy') throw new Error('no lease');
  const stored = await put(sid);
  const object = {
    key: objectKey(sids.account, sid),
    mode: 'envelope' as const,
    ...(stored.versionId !== undefined && { versionId: stored.versionId }),
    etag: stored.etag,
    bytes: stored.bytes,
    plaintextBytes: audio.length,
    plaintextSha256: 'a'.repeat(64),
    keyId: 'k1',
  };
  await catalog.sealed(sid, answer.lease, object, 2);
  await catalog.verified(sid, object, object.plaintextSha256);
  return { sid, object };
}

/** S3 lists what is in the bucket now, in no order. */
async function inventory(options: InventoryOptions = {}): Promise<void> {
  const rows: Listed[] = [];
  for await (const { key, etag, lastModified } of store.list(''))
    rows.push({ key, etag: etag.replaceAll('"', ''), lastModified: new Date(lastModified.getTime() - day) });
  await putInventory(inventories, rows.reverse(), options);
}

afterEach(() => faults.clear());

const end = (sid: RecordingSid) => sid.slice(-6);

test('what catalog and inventory agree on costs no request, and the bucket is not listed', async () => {
  const host = await open();
  for (const n of [1, 2, 3]) await verified(host, n);
  await store.putBytes(sidecarKey(sids.account, sids.recording(2)), Buffer.from('{}'));
  await inventory({ format: 'Parquet' });
  expect(await host.run()).toMatchObject({ compared: 3 });
  expect(host.asked).toEqual([]);
  expect(await host.alarmCodes()).toEqual([]);
});

test('what is newer than the inventory is lost only where the bucket says so', async () => {
  const host = await open();
  await verified(host, 1);
  await inventory({ createdAt: new Date(Date.now() - day) });
  const there = await verified(host, 2);
  const gone = await verified(host, 3);
  await store.delete(gone.object.key, gone.object.versionId);
  expect(await host.run()).toMatchObject({ compared: 3, lost: 1, recopied: 1 });
  expect(host.asked).toEqual([end(there.sid), end(gone.sid)]);
  expect(
    (await host.alarms.list({ open: true })).map(({ code, recordingSid }) => [code, recordingSid]),
  ).toEqual([['object_lost', gone.sid]]);
});

test('what is found lost is looked for in the bucket, as long as its alarm is open', async () => {
  const host = await open();
  const { sid, object } = await verified(host, 1);
  await verified(host, 2);
  await inventory();
  await store.delete(object.key, object.versionId);
  recorded(host.twilio, 1, { status: 'deleted' });
  await host.alarms.raise('object_lost', sid, 'found by a player');
  expect(await host.run()).toMatchObject({ lost: 1 });
  expect(host.asked).toEqual([end(sid)]);
  expect(await host.alarmCodes()).toEqual(['object_lost']);
});

test('the alarm of many is closed only by an inventory that was begun after it', async () => {
  const host = await open();
  const lost = [await verified(host, 1), await verified(host, 2)];
  await verified(host, 3);
  await inventory({ createdAt: new Date(Date.now() - 2 * day) });
  await host.alarms.raise('object_lost', undefined, '2 recordings');
  for (const { object } of lost) await store.delete(object.key, object.versionId);
  expect((await host.run())['lost']).toBeUndefined();
  expect(await host.alarmCodes()).toEqual(['object_lost']);
  await shared.db.query(`UPDATE alarms SET last_at = now() - interval '2 days'`);
  await inventory({ createdAt: new Date(Date.now() - day) });
  expect(await host.run()).toMatchObject({ lost: 2, recopied: 2 });
  await shared.db.query(`UPDATE alarms SET last_at = now() - interval '2 days'`);
  expect(await host.run({ dryRun: true })).not.toHaveProperty('lost');
  expect(await host.alarmCodes()).toEqual(['object_lost']);
  await host.run();
  expect(await host.alarmCodes()).toEqual([]);
});

describe('what the inventory has and the catalog lacks', () => {
  test('is adopted where it is in the bucket', async () => {
    const host = await open();
    recorded(host.twilio, 1);
    await put(sids.recording(1));
    await inventory();
    expect(await host.run()).toMatchObject({ unknown: 1, adopted: 1 });
    expect(await host.catalog.find(sids.recording(1))).toMatchObject({ state: 'sealed', source: 'adopted' });
  });

  test('is nothing where it has gone since', async () => {
    const host = await open();
    const { versionId } = await put(sids.recording(1));
    await inventory();
    await store.delete(objectKey(sids.account, sids.recording(1)), versionId);
    for (const dryRun of [true, false]) expect(await host.run({ dryRun })).not.toHaveProperty('unknown');
    expect(await host.alarmCodes()).toEqual([]);
  });

  test('is left alone where a writer has only just replaced it', async () => {
    const host = await open();
    await put(sids.recording(1));
    await inventory();
    host.bucket.lastModified = new Date();
    expect(await host.run()).toMatchObject({ underway: 1 });
    expect(await host.catalog.find(sids.recording(1))).toBeUndefined();
  });
});

test('what was erased since the inventory is not counted as left over, and what is there is removed', async () => {
  const host = await open();
  const both = [await verified(host, 1), await verified(host, 2)];
  await inventory();
  for (const { sid } of both) {
    await host.catalog.erasing(sid);
    await host.catalog.erased(sid, '00000000-0000-0000-0000-000000000000');
  }
  await store.delete(both[0]!.object.key, both[0]!.object.versionId);
  expect(await host.run({ dryRun: true })).toMatchObject({ left_of_erased: 1 });
  expect(await host.run()).toMatchObject({ left_of_erased: 1 });
  expect(await store.head(both[1]!.object.key)).toBeUndefined();
});

describe('without an inventory that can be used', () => {
  test('the bucket is listed, under an alarm and a warning, until there is one', async () => {
    const host = await open();
    await verified(host, 1);
    await inventory({ change: (manifest) => ({ ...manifest, fileFormat: 'ORC' }) });
    expect(await host.run({ dryRun: true })).toMatchObject({ compared: 1 });
    expect(await host.alarmCodes()).toEqual([]);
    expect(await host.run()).toMatchObject({ compared: 1 });
    expect(host.asked).toEqual(['list']);
    expect(await host.alarms.list({ open: true })).toEqual([
      expect.objectContaining({ code: 'inventory_unusable', detail: expect.stringContaining('ORC') }),
    ]);
    expect(host.lines.join()).toContain('the host lists the bucket instead');
    await inventory({ createdAt: new Date(Date.now() - 60_000) });
    await host.run();
    expect(host.asked).toEqual([]);
    expect(await host.alarmCodes()).toEqual([]);
  });

  test('since the setting was taken away, the bucket is listed and the alarm closed', async () => {
    const host = await open();
    await host.alarms.raise('inventory_unusable', undefined, 'ORC');
    delete host.deps.inventory;
    await host.run();
    expect(host.asked).toEqual(['list']);
    expect(await host.alarmCodes()).toEqual([]);
  });

  test('as its bucket refuses it, the bucket of the recordings is listed', async () => {
    const host = await open();
    await inventory();
    const failure = { code: 'AccessDenied' };
    faults.add({ target: 's3', kind: 'status', value: 403, failure, times: 0, match: '/inventories' });
    await host.run();
    expect(host.asked).toEqual(['list']);
    expect(await host.alarmCodes()).toEqual(['inventory_unusable']);
  });

  test('as its bucket does not answer, the next try looks for it again', async () => {
    const host = await open();
    await inventory();
    const away = new CustodyError('store_unavailable', 'away');
    const source = host.deps.inventory;
    if (!source) throw new Error('no inventory');
    host.deps.inventory = {
      ...source,
      store: {
        ...source.store,
        list: () => {
          throw away;
        },
      },
    };
    await expect(host.run()).rejects.toBe(away);
    expect(host.asked).toEqual([]);
    expect(await host.alarmCodes()).toEqual([]);
  });
});

test('a pass continues behind the SID where an earlier one stopped, by the same inventory', async () => {
  const host = await open();
  for (const n of [1, 2]) await verified(host, n);
  await put(sids.recording(1));
  await put(sids.recording(3));
  await inventory();
  await host.run({ dryRun: true });
  const loaded = await host.deps.inventory?.keys.loaded();
  const tally = createTally();
  host.asked.length = 0;
  const options = { dryRun: true, after: sids.recording(1), signal: new AbortController().signal };
  expect(await bucketPass(host.deps, tally, options, async () => undefined)).toBeInstanceOf(Date);
  expect(tally.counts).toEqual({ compared: 2, unknown: 1 });
  expect(await host.deps.inventory?.keys.loaded()).toEqual(loaded);
});

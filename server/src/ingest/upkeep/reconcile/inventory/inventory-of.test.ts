import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { objectKey, type RecordingSid, sidecarKey } from '@flex-custody/core';
import { createStore, type Store } from '@flex-custody/vault';
import { createFaults } from '../../../../../../sandbox/src/faults.ts';
import { type OwnS3, startS3 } from '../../../../../../sandbox/src/s3/index.ts';
import { createAlarms } from '../../../../alarms/alarms.ts';
import { createCatalog } from '../../../../catalog/create-catalog.ts';
import { createInventoryKeys, type InventoryKeys } from '../../../../catalog/inventory-keys.ts';
import { migrate } from '../../../../db/migrate.ts';
import { onEachEngine, type TestDatabase } from '../../../../db/testing/on-each-engine.ts';
import { createRuns } from '../../../../runs/runs.ts';
import type { IngestDeps } from '../../../deps.ts';
import { type InventoryOptions, type Listed, putInventory } from '../../../testing/inventory.ts';
import { sids } from '../../../testing/scene.ts';
import type { Entry } from './entry.ts';
import { inventoryOf } from './inventory-of.ts';

const day = 24 * 60 * 60_000;
const at = new Date('2026-11-20T10:00:05.000Z');
const signal = new AbortController().signal;
const account = sids.account;

let folder: string;
let s3: OwnS3;
let inventories: Store;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'inventory-'));
  s3 = await startS3({
    directory: folder,
    region: 'us-east-1',
    buckets: ['inventories'],
    faults: createFaults(),
  });
  inventories = createStore({
    ...s3,
    region: 'us-east-1',
    bucket: 'inventories',
    pathStyle: true,
    mode: 'envelope',
  });
});
afterAll(async () => {
  inventories.close();
  await s3.close();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  for await (const { key } of inventories.list('')) await inventories.delete(key);
});

const objectOf = (n: number): Listed => ({
  key: objectKey(account, sids.recording(n)),
  etag: `e${n}`,
  lastModified: at,
});
const sidecarOf = (n: number): Listed => ({
  key: sidecarKey(account, sids.recording(n)),
  etag: `s${n}`,
  lastModified: at,
});
/** In no order, as S3 writes them. */
const shuffled = (most: number) =>
  Array.from({ length: most }, (_, n) => ((n * 7_919) % most) + 1).flatMap((n) => [
    sidecarOf(n),
    objectOf(n),
  ]);
const inOrder = (most: number) =>
  Array.from({ length: most }, (_, n) => [objectOf(n + 1).key, sidecarOf(n + 1).key]).flat();

onEachEngine('an inventory', (open) => {
  let database: TestDatabase;
  let keys: InventoryKeys;
  beforeAll(async () => {
    database = await open();
    await migrate(database.db);
  });
  afterAll(() => database.drop());
  beforeEach(async () => {
    await database.db.query('TRUNCATE marks, runs, alarms, inventory_keys');
    keys = createInventoryKeys(database.db, createCatalog(database.db, account));
  });

  /** The bucket of the inventories; `onGet` waits before each object that is read. */
  function watched(onGet: (key: string) => unknown): Store {
    return new Proxy(inventories, {
      get(target, name) {
        if (name === 'get')
          return async (key: string, options: Parameters<Store['get']>[1]) => {
            await onGet(key);
            return target.get(key, options);
          };
        const own: unknown = Reflect.get(target, name, target);
        return typeof own === 'function' ? own.bind(target) : own;
      },
    });
  }
  const isData = (key: string) => key.includes('/data/');

  /** An inventory whose one data file is this. */
  async function putFile(key: string, bytes: Buffer, format: 'CSV' | 'Parquet' = 'CSV'): Promise<void> {
    await inventories.putBytes(key, bytes);
    const MD5checksum = createHash('md5').update(bytes).digest('hex').toUpperCase();
    await putInventory(inventories, [], {
      format,
      files: 0,
      change: (manifest) => ({ ...manifest, files: [{ key, size: bytes.length, MD5checksum }] }),
    });
  }

  const take = (after?: RecordingSid, store: Store = inventories, prefix = '', of = signal) => {
    const quiet = () => undefined;
    return inventoryOf(
      {
        config: { accountSid: account } as IngestDeps['config'],
        log: { info: quiet, warn: quiet, error: quiet },
        runs: createRuns(database.db),
        store: { bucket: 'custody' } as Store,
        inventory: { store, prefix, keys },
      },
      { after, signal: of },
    );
  };
  const all = async (after?: RecordingSid): Promise<Entry[]> => {
    const found: Entry[] = [];
    for await (const entry of (await take(after)).keys) found.push(entry);
    return found;
  };
  const names = async (after?: RecordingSid) => (await all(after)).map(({ key }) => key);

  test.each<[string, InventoryOptions]>([
    ['CSV', { format: 'CSV', files: 3 }],
    ['Parquet, of several groups of rows', { format: 'Parquet', files: 2, groupRows: 400 }],
  ])('in %s is read in the order of its keys, whatever the order of its files', async (_which, options) => {
    const createdAt = new Date(Date.now() - day);
    await putInventory(inventories, shuffled(1_300), { ...options, createdAt });
    const { asOf } = await take();
    expect(asOf).toEqual(createdAt);
    const found = await all();
    expect(found.map(({ key }) => key)).toEqual(inOrder(1_300));
    expect(found[0]).toEqual({ key: objectOf(1).key, etag: '"e1"', lastModified: at });
    expect(found[1]).toMatchObject({ etag: '"s1"' });
  });

  test.each(['CSV', 'Parquet'] as const)(
    'of all versions (%s) has the latest alone, and none that is a delete marker',
    async (format) => {
      const rows = [
        { ...objectOf(1), etag: 'old', isLatest: false },
        objectOf(1),
        { ...objectOf(2), isDeleteMarker: true },
        { ...objectOf(2), isLatest: false },
        objectOf(3),
      ];
      await putInventory(inventories, rows, { format, versions: true });
      expect((await all()).map(({ etag }) => etag)).toEqual(['"e1"', '"e3"']);
    },
  );

  test('may list other keys', async () => {
    const others = ['recordings/.check', `recordings/${account}/notes (1) ü.txt`, 'certificates/x', '100%'];
    const foreign = objectKey(sids.otherAccount, sids.recording(4));
    const rows = [...others, foreign].map((key) => ({ key, etag: 'x', lastModified: at }));
    await putInventory(inventories, [...rows, objectOf(1)]);
    expect(await names()).toEqual([objectOf(1).key]);
  });

  test('in CSV has keys as in a URL; what is no such text is no recording', async () => {
    const line = (key: string) => `"custody","${key}","1","${at.toISOString()}","e2"\n`;
    const inUrl = `recordings%2F${account}%2F%52E${sids.recording(2).slice(2)}`;
    await putFile('own.csv.gz', gzipSync(line('100%') + line(inUrl) + line('%ff')));
    expect(await names()).toEqual([objectOf(2).key]);
  });

  test('is loaded once, and read on behind a SID', async () => {
    await putInventory(inventories, shuffled(1_200));
    expect(await names(sids.recording(1_190))).toEqual(inOrder(1_200).slice(2 * 1_190));
    const got: string[] = [];
    const store = watched((key) => got.push(key));
    const { keys: rest } = await take(sids.recording(1_199), store);
    const found = [];
    for await (const { key } of rest) found.push(key);
    expect(found).toEqual(inOrder(1_200).slice(-2));
    expect(got.length).toBeGreaterThan(0);
    expect(got.filter(isData)).toEqual([]);
  });

  test('is loaded again where a crash of the database has emptied its table', async () => {
    await putInventory(inventories, shuffled(3));
    await names();
    await database.db.query('TRUNCATE inventory_keys');
    expect(await names()).toEqual(inOrder(3));
  });

  test('that a newer one replaces while somebody reads it ends that reading', async () => {
    await putInventory(inventories, shuffled(1_200), { createdAt: new Date(Date.now() - 2 * day) });
    const reading = (await take()).keys[Symbol.asyncIterator]();
    expect((await reading.next()).value).toMatchObject({ key: objectOf(1).key });
    await putInventory(inventories, [objectOf(5)], { createdAt: new Date(Date.now() - day) });
    expect(await names()).toEqual([objectOf(5).key]);
    const rest = (async () => {
      while (!(await reading.next()).done);
    })();
    await expect(rest).rejects.toMatchObject({ code: 'inventory_gone', retryable: true });
    const { n } =
      (await database.db.query<{ n: number }>('SELECT count(*)::int AS n FROM inventory_keys'))[0] ?? {};
    expect(n).toBe(1);
  });

  test('of two configurations the newer is read, below the prefix and of this bucket alone', async () => {
    const prefix = 'some/where/';
    await putInventory(inventories, [objectOf(1)], {
      prefix,
      config: 'a',
      createdAt: new Date(Date.now() - day),
    });
    await putInventory(inventories, [objectOf(2)], {
      prefix,
      config: 'b',
      createdAt: new Date(Date.now() - 2 * day),
    });
    await putInventory(inventories, [objectOf(3)], { prefix, source: 'another' });
    await putInventory(inventories, [objectOf(4)]);
    const found = [];
    for await (const { key } of (await take(undefined, inventories, prefix)).keys) found.push(key);
    expect(found).toEqual([objectOf(1).key]);
  });

  test('that is not complete yet is passed over for the one before', async () => {
    await putInventory(inventories, [objectOf(1)], { createdAt: new Date(Date.now() - day) });
    await putInventory(inventories, [objectOf(2)], { checksum: false });
    expect(await names()).toEqual([objectOf(1).key]);
  });

  test('of an empty bucket has no keys', async () => {
    await putInventory(inventories, [], { files: 0 });
    expect(await names()).toEqual([]);
    expect((await keys.loaded())?.keys).toBe(0);
  });

  const schema = (fileSchema: string) => (manifest: Record<string, unknown>) => ({ ...manifest, fileSchema });
  test.each<[string, InventoryOptions | undefined, string]>([
    ['is not there', undefined, 'no inventory is under s3://inventories/custody/'],
    ['has no manifest.checksum', { checksum: false }, 'has both manifest.json and manifest.checksum'],
    ['has a manifest of another MD5', { checksum: 'f'.repeat(32) }, 'MD5 of its manifest.checksum'],
    ['is no manifest', { change: () => ({ files: 'none' }) }, 'is not a manifest'],
    [
      'is of another bucket',
      { change: (manifest) => ({ ...manifest, sourceBucket: 'theirs' }) },
      'of the bucket theirs, and recordings are in custody',
    ],
    [
      'is in ORC',
      { change: (manifest) => ({ ...manifest, fileFormat: 'ORC' }) },
      'format ORC, which the host does not read: set the format of the inventory to CSV or Parquet',
    ],
    ['lacks a column', { change: schema('Bucket, Key, Size') }, 'lacks ETag and LastModifiedDate: add'],
    [
      'lacks a column, in Parquet',
      {
        format: 'Parquet',
        change: schema(
          'message s3.inventory { required binary key (UTF8); optional int64 last_modified_date; }',
        ),
      },
      'lacks ETag: add',
    ],
    [
      'has versions and does not say which are the latest',
      { change: schema('Key, VersionId, LastModifiedDate, ETag') },
      'list current versions alone',
    ],
    ['is older than eight days', { createdAt: new Date(Date.now() - 8 * day - 60_000) }, 'older than 8 days'],
    [
      'has a data file of another MD5',
      {
        spoil: (bytes) =>
          Buffer.concat([bytes.subarray(0, 9), Buffer.from([bytes[9] === 3 ? 7 : 3]), bytes.subarray(10)]),
      },
      'does not have the MD5',
    ],
    [
      'has a Parquet file of another MD5',
      {
        format: 'Parquet',
        spoil: (bytes) => Buffer.concat([bytes.subarray(0, -9), Buffer.from([1]), bytes.subarray(-8)]),
      },
      'does not have the MD5',
    ],
    ['has a data file that is cut off', { spoil: (bytes) => bytes.subarray(0, -1) }, 'and the manifest says'],
    [
      'has lines of other fields than it names',
      { change: schema('Key, LastModifiedDate, ETag') },
      'has 5 fields',
    ],
  ])('that %s is refused, with the reason', async (_what, options, reason) => {
    if (options) await putInventory(inventories, [objectOf(1), objectOf(2)], options);
    await expect(all()).rejects.toMatchObject({
      code: 'inventory_unusable',
      message: expect.stringContaining(reason),
    });
    expect(await keys.loaded()).toBeUndefined();
  });

  test.each([
    ['junk.csv.gz', 'CSV'],
    ['junk.parquet', 'Parquet'],
  ] as const)('whose data file %s is not %s is refused, though its MD5 is right', async (key, format) => {
    await putFile(key, Buffer.from('<html>not an inventory</html>'), format);
    await expect(all()).rejects.toMatchObject({
      code: 'inventory_unusable',
      message: expect.stringContaining(key),
    });
  });

  test('lists a recording under an open alarm of its loss without an ETag: it may be older than the loss', async () => {
    await putInventory(inventories, [objectOf(1), objectOf(2)]);
    const alarms = createAlarms(database.db);
    await alarms.raise('object_lost', sids.recording(2), 'gone');
    expect((await all()).map(({ etag }) => etag)).toEqual(['"e1"', '']);
    await alarms.resolve(['object_lost'], sids.recording(2));
    expect((await all()).map(({ etag }) => etag)).toEqual(['"e1"', '"e2"']);
  });

  test('is loaded by one process at a time', async () => {
    await putInventory(inventories, shuffled(10));
    let refused: unknown;
    const first = watched(async (key) => {
      if (isData(key) && refused === undefined)
        refused = await take().then(
          () => 'loaded',
          (error) => error.code,
        );
    });
    await take(undefined, first);
    expect(refused).toBe('run_busy');
    expect(await names()).toEqual(inOrder(10));
  });

  test('is not loaded on behind the end of the process', async () => {
    await putInventory(inventories, shuffled(10));
    const ending = new AbortController();
    const reason = new Error('the process ends');
    const store = watched((key) => isData(key) && ending.abort(reason));
    await expect(take(undefined, store, '', ending.signal)).rejects.toBe(reason);
    expect(await keys.loaded()).toBeUndefined();
    expect(await names()).toEqual(inOrder(10));
  });
});

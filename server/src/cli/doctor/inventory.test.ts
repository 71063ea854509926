import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createStore, type Store } from '@flex-custody/vault';
import { createFaults } from '../../../../sandbox/src/faults.ts';
import { type OwnS3, startS3 } from '../../../../sandbox/src/s3/index.ts';
import type { Config } from '../../config.ts';
import { putInventory } from '../../ingest/testing/inventory.ts';
import { diagnosis } from './finding.ts';
import { inventory } from './inventory.ts';
import type { Scene } from './scene.ts';

const faults = createFaults();
const hour = 60 * 60_000;
let folder: string;
let s3: OwnS3;
let store: Store;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'doctor-inventory-'));
  s3 = await startS3({ directory: folder, region: 'us-east-1', buckets: ['inventories'], faults });
  store = createStore({
    ...s3,
    region: 'us-east-1',
    bucket: 'inventories',
    pathStyle: true,
    mode: 'envelope',
  });
});
afterAll(async () => {
  store.close();
  await s3.close();
  rmSync(folder, { recursive: true, force: true });
});
afterEach(async () => {
  faults.clear();
  for await (const { key, versionId } of store.versions('')) await store.delete(key, versionId);
});

const look = (source: Config['inventory'] | undefined) => {
  const at = { ...s3, region: 'us-east-1', bucket: 'custody', pathStyle: true, mode: 'envelope' };
  const config = { store: at, inventory: source } as unknown as Config;
  return inventory({ config } as Scene);
};
const named = { bucket: 'inventories', prefix: 'of/' };
const faultOf = () => look(named).then(() => undefined, diagnosis);

test('without the setting there is nothing to look at', async () => {
  expect(await look(undefined)).toBe('none is used: the comparison lists the bucket (CUSTODY_INVENTORY)');
});

test('the newest inventory is shown with its format, age and files', async () => {
  const createdAt = new Date(Date.now() - 30 * hour);
  await putInventory(store, [], { prefix: 'of/', format: 'Parquet', files: 1, createdAt });
  expect(await look(named)).toBe('Parquet, begun 30 hours ago, 1 data file');
});

test('one that cannot be used is to be fixed, with the next step', async () => {
  expect(await faultOf()).toEqual({
    detail: 'no inventory is under s3://inventories/of/custody/',
    next: 'S3 writes the first one within 48 hours after you switch it on (docs/reconcile.md)',
  });
  await putInventory(store, [], { prefix: 'of/', createdAt: new Date(Date.now() - 9 * 24 * hour) });
  expect(await faultOf()).toMatchObject({
    detail: expect.stringContaining('older than 8 days'),
    next: 'check that the inventory is still switched on',
  });
  const change = (manifest: Record<string, unknown>) => ({ ...manifest, fileFormat: 'ORC' });
  await putInventory(store, [], { prefix: 'of/', change });
  expect(await faultOf()).toMatchObject({
    detail: expect.stringContaining('format ORC'),
    next: 'set the format of the inventory to CSV or Parquet',
  });
});

test('a bucket that refuses is to be fixed, with the rights that are missing', async () => {
  const failure = { code: 'AccessDenied' };
  faults.add({ target: 's3', kind: 'status', value: 403, failure, times: 0 });
  expect(await faultOf()).toMatchObject({
    detail: expect.stringContaining('s3:ListBucket and s3:GetObject on s3://inventories/of/*'),
    next: expect.stringContaining('allow it'),
  });
});

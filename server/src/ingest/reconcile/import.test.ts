import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createKeys, createStore, type Store, type StoreConfig, verifyObject } from '@flex-custody/vault';
import { wav } from '../../../../packages/vault/test/support.ts';
import { createFaults } from '../../../../sandbox/src/faults.ts';
import { type OwnS3, startS3 } from '../../../../sandbox/src/s3/index.ts';
import { house, sharedDatabase } from '../testing/house.ts';
import { recorded, scene, sids } from '../testing/scene.ts';
import { type ImportOptions, type ImportParts, importPlain, readFrom } from './import.ts';

const shared = sharedDatabase();
const keys = createKeys({ kind: 'raw-aes', keys: [{ keyId: 'k1', key: new Uint8Array(32).fill(3) }] });
const audio = wav(4);
const long = wav(300);
let folder: string;
let s3: OwnS3;
let config: StoreConfig;
let store: Store;
let old: Store;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'import-'));
  s3 = await startS3({
    directory: folder,
    region: 'us-east-1',
    buckets: ['custody', 'old'],
    faults: createFaults(),
  });
  config = { ...s3, region: 'us-east-1', bucket: 'custody', pathStyle: true, mode: 'envelope' };
  store = createStore(config);
  old = createStore({ ...config, bucket: 'old' });
});
afterAll(async () => {
  store.close();
  old.close();
  await s3.close();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  await shared.db.query('TRUNCATE runs');
  for (const bucket of [store, old])
    for await (const { key, versionId } of bucket.versions('')) await bucket.delete(key, versionId);
});

async function open() {
  const twilio = scene();
  const host = await house(twilio, shared.db, { store, keys });
  const parts = { ...host.parts, config: { ...host.parts.config, store: config } } as ImportParts;
  const run = async (options: Partial<ImportOptions> = {}) => {
    const all = { from: 's3://old/calls/', ...options };
    return (await parts.runs.run('import', all, (one) => importPlain(parts, one))).counts;
  };
  return { twilio, ...host, run };
}
const sid = sids.recording(7);

test.each([
  ['s3://old', { bucket: 'old', prefix: '' }],
  ['s3://old/calls/2025', { bucket: 'old', prefix: 'calls/2025' }],
])('%s is read', (from, wanted) => expect(readFrom(from)).toEqual(wanted));

test.each(['old/calls', 'https://old', 's3://'])('%s is refused with what it must be', (from) => {
  expect(() => readFrom(from)).toThrow('s3://bucket');
});

test('what was stored in plain is sealed, byte for byte, and to be verified; what lies there stays', async () => {
  const host = await open();
  await old.putBytes(`calls/${sid}.wav`, audio);
  await old.putBytes(`calls/2025/${sids.recording(8)}`, long);
  expect(await host.run({ dryRun: true })).toMatchObject({ to_import: 2 });
  expect(await host.catalog.find(sid)).toBeUndefined();
  expect(await host.run()).toMatchObject({ to_import: 2, imported: 2, done: 2 });
  for (const [of, bytes] of [
    [sid, audio],
    [sids.recording(8), long],
  ] as const) {
    const row = await host.catalog.find(of);
    expect(row).toMatchObject({ state: 'sealed', source: 'import', channels: 2, copiedBy: 'import' });
    if (!row?.object) throw new Error('no object');
    const seen: Uint8Array[] = [];
    const source = { accountSid: sids.account, recordingSid: of, channels: 2 as const };
    await verifyObject({ object: row.object, source, keys, store, onPlaintext: (chunk) => seen.push(chunk) });
    expect(Buffer.concat(seen).equals(bytes)).toBe(true);
  }
  expect(host.queue.names().sort()).toEqual(['link', 'link', 'verify', 'verify']);
  expect(await old.head(`calls/${sid}.wav`)).toBeDefined();
});

test("Twilio's facts are taken where it still has the recording", async () => {
  const host = await open();
  const startedAt = new Date('2025-05-05T05:05:05Z');
  recorded(host.twilio, 7, { startedAt, durationSeconds: 4 });
  await old.putBytes(`calls/${sid}.wav`, audio);
  expect(await host.run()).toMatchObject({ imported: 1 });
  expect(await host.catalog.find(sid)).toMatchObject({ startedAt, durationSeconds: 4 });
});

test('twice is once; in plain it goes only on request, and only behind a verified copy', async () => {
  const host = await open();
  await old.putBytes(`calls/${sid}.wav`, audio);
  await host.run();
  expect(await host.run({ deletePlain: true })).toEqual({ underway: 1, done: 1 });
  expect(await old.head(`calls/${sid}.wav`)).toBeDefined();
  const row = await host.catalog.find(sid);
  if (row?.object) await host.catalog.verified(sid, row.object, 'a'.repeat(64));
  expect(await host.run()).toMatchObject({ verified: 1 });
  expect(await old.head(`calls/${sid}.wav`)).toBeDefined();
  await old.putBytes(`calls/${sid}.wav`, long);
  expect(await host.run({ deletePlain: true })).toMatchObject({ verified: 1, plain_differs: 1 });
  await old.putBytes(`calls/${sid}.wav`, audio);
  expect(await host.run({ deletePlain: true })).toMatchObject({ verified: 1, plain_deleted: 1 });
  const left: string[] = [];
  for await (const { key } of old.versions('calls/')) left.push(key);
  expect(left).toEqual([]);
});

test('what is no recording is counted by what it is, and nothing is made of it', async () => {
  const host = await open();
  await old.putBytes('calls/notes.txt', Buffer.from('x'));
  await old.putBytes(`calls/${sid}.mp3`, audio);
  await old.putBytes(`calls/${sids.recording(8)}.wav`, Buffer.alloc(9_000, 1));
  await old.putBytes(`calls/${sids.recording(9)}.wav`, audio.subarray(0, audio.length - 5_000));
  expect(await host.run()).toMatchObject({
    other: 1,
    not_wav_mp3: 1,
    refused_not_audio: 1,
    refused_media_short: 1,
    done: 4,
  });
  expect(await host.catalog.find(sid)).toBeUndefined();
  expect(await host.catalog.find(sids.recording(9))).toMatchObject({
    state: 'failed',
    failure: 'media_short',
  });
});

test('what was erased is not taken in again, and its plain copy goes on request', async () => {
  const host = await open();
  recorded(host.twilio, 7);
  await host.ingest.receive({ ...recorded(host.twilio, 7), recordingSid: sid });
  await host.catalog.erasing(sid);
  await host.catalog.erased(sid, '0b5f2c36-5b3b-4c57-9a51-0f2f3c1f9d11');
  await old.putBytes(`calls/${sid}.wav`, audio);
  expect(await host.run()).toEqual({ erased: 1, done: 1 });
  expect(await old.head(`calls/${sid}.wav`)).toBeDefined();
  expect(await host.run({ deletePlain: true })).toEqual({ erased: 1, plain_deleted: 1, done: 1 });
  expect(await old.head(`calls/${sid}.wav`)).toBeUndefined();
  expect((await host.catalog.find(sid))?.state).toBe('erased');
});

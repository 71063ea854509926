import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createKeys, createStore, type Store, type StoreConfig, verifyObject } from '@flex-custody/vault';
import { wav } from '../../../../packages/vault/test/support.ts';
import { createFaults } from '../../../../sandbox/src/faults.ts';
import { type OwnS3, startS3 } from '../../../../sandbox/src/s3/index.ts';
import { house, sealedObject, sharedDatabase } from '../testing/house.ts';
import { recorded, scene, sids } from '../testing/scene.ts';
import { type ImportOptions, type ImportParts, importPlain, readFrom } from './import.ts';
import { secondsOf, wavLayout } from './wav-layout.ts';

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

const startedAt = new Date('2025-05-05T05:05:05Z');
/** A WAV whose header names another byte rate than its samples have. */
const withByteRate = (bytes: Buffer, byteRate: number): Buffer => {
  const forged = Buffer.from(bytes);
  forged.writeUInt32LE(byteRate, 28);
  return forged;
};

test('what Twilio still has is copied from there, whatever somebody has put into the old bucket', async () => {
  const host = await open();
  recorded(host.twilio, 7, { startedAt, durationSeconds: 45 });
  await old.putBytes(`calls/${sid}.wav`, withByteRate(audio, 0));
  expect(await host.run({ dryRun: true })).toEqual({ from_twilio: 1, done: 1 });
  expect(await host.catalog.find(sid)).toBeUndefined();
  expect(await host.run()).toEqual({ from_twilio: 1, done: 1 });
  const row = await host.catalog.find(sid);
  expect(row).toMatchObject({
    state: 'registered',
    startedAt,
    durationSeconds: 45,
    source: 'import',
    unproven: [],
  });
  expect(row).not.toHaveProperty('object');
  expect(host.queue.names()).toEqual(['link', 'copy']);
  for await (const { key } of store.list('')) throw new Error(`${key} was sealed`);
});

test.each(['in-progress', 'processing'] as const)(
  'what Twilio has not finished (%s) comes from there, too',
  async (status) => {
    const host = await open();
    recorded(host.twilio, 7, { status });
    await old.putBytes(`calls/${sid}.wav`, audio);
    expect(await host.run()).toEqual({ from_twilio: 1, done: 1 });
    expect((await host.catalog.find(sid))?.sourceCompleted).toBe(false);
  },
);

test.each([
  ['its object, where it has one', true, 'sealed', 'verify'],
  ['Twilio, where it has none', false, 'registered', 'copy'],
])('what failed earlier starts over from %s', async (_from, hasObject, state, job) => {
  const host = await open();
  const answer = await host.ingest.receive(recorded(host.twilio, 7));
  if (answer.action !== 'copy') throw new Error('no lease');
  if (hasObject) await host.catalog.sealed(sid, answer.lease, sealedObject(sid), 2);
  await host.catalog.giveUp(sid, 'store_denied');
  host.queue.sent = [];
  await old.putBytes(`calls/${sid}.wav`, audio);
  expect(await host.run()).toMatchObject({ from_twilio: 1 });
  expect((await host.catalog.find(sid))?.state).toBe(state);
  expect(host.queue.names()).toEqual(['link', job]);
});

test('what Twilio only remembers is sealed from the old bucket, with its facts, and held to its length', async () => {
  const host = await open();
  recorded(host.twilio, 7, { status: 'deleted', startedAt, durationSeconds: 4 });
  recorded(host.twilio, 8, { status: 'deleted', startedAt, durationSeconds: 45 });
  await old.putBytes(`calls/${sid}.wav`, audio);
  await old.putBytes(`calls/${sids.recording(8)}.wav`, audio);
  expect(await host.run()).toMatchObject({ imported: 1, refused_media_short: 1 });
  const facts = { startedAt, durationSeconds: 4, unproven: [], callSid: sids.leg };
  expect(await host.catalog.find(sid)).toMatchObject({ state: 'sealed', ...facts });
  expect(await host.alarmCodes()).toEqual(['import_refused']);
});

test('of what Twilio calls absent the start is known, and a length is not', async () => {
  const host = await open();
  recorded(host.twilio, 7, { status: 'absent', startedAt, durationSeconds: 0 });
  await old.putBytes(`calls/${sid}.wav`, audio);
  expect(await host.run()).toMatchObject({ imported: 1 });
  expect(await host.catalog.find(sid)).toMatchObject({ state: 'sealed', startedAt, unproven: [] });
});

test('of what Twilio has no longer nothing is proven, and one alarm says so for all of a run', async () => {
  const host = await open();
  await old.putBytes(`calls/${sid}.wav`, audio);
  await old.putBytes(`calls/${sids.recording(8)}.wav`, long);
  expect(await host.run()).toMatchObject({ imported: 2, without_twilio: 2 });
  for (const one of [sid, sids.recording(8)]) {
    await host.queue.run('link', { recordingSid: one });
    expect(await host.catalog.find(one)).toMatchObject({
      unproven: ['owner', 'caller', 'direction', 'start'],
      linkState: 'unlinked',
      linkReason: 'task_not_found',
    });
  }
  expect(await host.alarms.list({ open: true })).toEqual([
    expect.objectContaining({
      code: 'import_without_twilio',
      times: 1,
      detail: expect.stringContaining('2 of the'),
    }),
  ]);
  await host.run({ dryRun: true });
  expect((await host.alarms.list({ open: true }))[0]?.times).toBe(1);
});

test('a start that was a guess is replaced once Twilio tells it', async () => {
  const host = await open();
  await old.putBytes(`calls/${sid}.wav`, audio);
  await host.run();
  const { recordingSid, accountSid, channels } = (await host.catalog.find(sid)) ?? ({} as never);
  const known = { recordingSid, accountSid, channels, startedAt, hints: {}, source: 'reconcile' };
  expect(await host.catalog.register(known)).toMatchObject({
    startedAt,
    unproven: ['owner', 'caller', 'direction'],
  });
  const again = await host.catalog.register({ ...known, startedAt: new Date() });
  expect(again).toMatchObject({ startedAt, unproven: ['owner', 'caller', 'direction'] });
});

test.each([
  ['PCM', 1, 16, 4],
  ['mu-law', 7, 8, 8],
  ['A-law', 6, 8, 8],
  ['another format', 85, 16, undefined],
  ['PCM of no known width', 1, 12, undefined],
])(
  'a length is reckoned from the samples of %s, never from the byte rate that the file names',
  (_name, format, bits, seconds) => {
    for (const byteRate of [0, 1, 4_000_000]) {
      const forged = withByteRate(audio, byteRate);
      forged.writeUInt16LE(format, 20);
      forged.writeUInt16LE(bits, 34);
      const layout = wavLayout(forged);
      expect(secondsOf(layout, layout.dataBytes ?? 0)).toBe(seconds);
    }
  },
);

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

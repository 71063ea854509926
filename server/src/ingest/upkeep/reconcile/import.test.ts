import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, PutBucketVersioningCommand, S3Client } from '@aws-sdk/client-s3';
import { type CopyProof, objectKey } from '@flex-custody/core';
import {
  createKeys,
  createStore,
  type Store,
  type StoreConfig,
  sealBytes,
  verifyObject,
} from '@flex-custody/vault';
import { wav } from '../../../../../packages/vault/test/support.ts';
import { createFaults } from '../../../../../sandbox/src/faults.ts';
import { type OwnS3, startS3 } from '../../../../../sandbox/src/s3/index.ts';
import { holdsOn } from '../../../retention/decide.ts';
import { readPolicy } from '../../../retention/policy.ts';
import { house, sealedObject, sharedDatabase } from '../../testing/house.ts';
import { recorded, scene, sids } from '../../testing/scene.ts';
import { proofOf } from '../../verify/proof.ts';
import { type ImportDeps, type ImportOptions, importPlain, readFrom } from './import.ts';

const shared = sharedDatabase();
const keys = createKeys({ kind: 'raw-aes', keys: [{ keyId: 'k1', key: new Uint8Array(32).fill(3) }] });
const audio = wav(4);
const long = wav(300);
const faults = createFaults();
let client: S3Client;
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
    faults,
  });
  config = { ...s3, region: 'us-east-1', bucket: 'custody', pathStyle: true, mode: 'envelope' };
  store = createStore(config);
  old = createStore({ ...config, bucket: 'old' });
  client = new S3Client({ ...s3, region: 'us-east-1', forcePathStyle: true, credentials: s3 });
});
afterAll(async () => {
  store.close();
  old.close();
  client.destroy();
  await s3.close();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  await shared.db.query('TRUNCATE runs');
  for (const bucket of [store, old])
    for await (const { key, versionId } of bucket.versions('')) await bucket.delete(key, versionId);
});

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

/** Keys of what is left in the old bucket, a line for each version and marker. */
async function left(): Promise<string[]> {
  const keys: string[] = [];
  for await (const version of old.versions('calls/')) keys.push(version.key);
  return keys;
}

async function verify(host: Host, bytes: Buffer, of = sid): Promise<void> {
  const object = (await host.catalog.find(of))?.object;
  if (!object || !(await host.catalog.verified(of, object, sha256(bytes)))) throw new Error('not verified');
}

/** As the host copies a recording from Twilio, and reads it back. */
async function copied(host: Host, bytes: Buffer, found: { proof?: CopyProof } = {}): Promise<void> {
  await host.catalog.register({
    recordingSid: recorded(host.twilio, 7).recordingSid,
    accountSid: sids.account,
    channels: 2,
    startedAt,
    hints: {},
    source: 'callback',
  });
  const sealed = await sealBytes(keys, { account: sids.account, recording: sid }, bytes);
  const { etag, versionId } = await store.putBytes(objectKey(sids.account, sid), sealed);
  const object = {
    key: objectKey(sids.account, sid),
    mode: 'envelope' as const,
    etag,
    ...(versionId !== undefined && { versionId }),
    bytes: sealed.length,
    plaintextBytes: bytes.length,
    keyId: keys.keyId,
  };
  const lease = (await host.catalog.lease(sid, 'test', 60_000))?.secret ?? '';
  await host.catalog.sealed(sid, lease, object, 2, 'host');
  if (!(await host.catalog.verified(sid, object, sha256(bytes), found))) throw new Error('not verified');
}

async function versioning(Bucket: string, Status: 'Enabled' | 'Suspended'): Promise<void> {
  await client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status } }));
}

async function unversioned(Bucket: string): Promise<Store> {
  await client.send(new CreateBucketCommand({ Bucket }));
  return createStore({ ...config, bucket: Bucket });
}

type Host = Awaited<ReturnType<typeof open>>;
async function open() {
  const twilio = scene();
  const host = await house(twilio, shared.db, { store, keys });
  const deps = host.deps as ImportDeps;
  Object.assign(deps.config, { store: config });
  const run = async (options: Partial<ImportOptions> = {}) => {
    const all = { from: 's3://old/calls/', ...options };
    return (await deps.runs.run('import', all, (one) => importPlain(deps, one))).counts;
  };
  return { twilio, ...host, run };
}
const sid = sids.recording(7);

test.each([
  ['s3://old', { bucket: 'old', prefix: '' }],
  ['s3://old/calls/2025', { bucket: 'old', prefix: 'calls/2025' }],
])('%s is read', (from, wanted) => expect(readFrom(from)).toEqual(wanted));

test.each([
  ['old/calls', '--from takes s3://bucket'],
  ['https://old', '--from takes s3://bucket'],
  ['s3://', '--from takes s3://bucket'],
  ['s3://x/y', 'at least 3 characters'],
  ['s3://a bucket', 'A-Z a-z 0-9'],
])('%s is refused with what it must be', (from, what) => {
  expect(() => readFrom(from)).toThrow(what);
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

test('twice is once; in plain it goes only on request, and only behind a verified copy', async () => {
  const host = await open();
  await old.putBytes(`calls/${sid}.wav`, audio);
  await host.run();
  expect(await host.run({ deletePlain: true })).toEqual({ underway: 1, done: 1 });
  expect(await old.head(`calls/${sid}.wav`)).toBeDefined();
  await verify(host, audio);
  expect(await host.run()).toEqual({ verified: 1, done: 1 });
  expect(await old.head(`calls/${sid}.wav`)).toBeDefined();
  expect(await host.run({ deletePlain: true })).toEqual({ verified: 1, plain_deleted: 1, done: 1 });
  expect(await left()).toEqual([]);
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

test('out of a store that keeps no versions, and knows no such question, plain objects go all the same', async () => {
  const directory = join(folder, 'bare');
  const bare = await startS3({ directory, region: 'us-east-1', buckets: ['old'], faults, unversioned: true });
  const host = await open();
  const elsewhere = { ...config, ...bare, bucket: 'old' };
  Object.assign(host.deps.config, { store: elsewhere });
  const archive = createStore(elsewhere);
  const [erased, kept] = [sids.recording(8), sid];
  try {
    await host.ingest.receive({ ...recorded(host.twilio, 8), recordingSid: erased });
    await host.catalog.erasing(erased);
    await host.catalog.erased(erased, '0b5f2c36-5b3b-4c57-9a51-0f2f3c1f9d12');
    for (const one of [erased, kept]) await archive.putBytes(`calls/${one}.wav`, audio);
    await host.run();
    await verify(host, audio);
    expect(await host.run({ deletePlain: true })).toEqual({
      erased: 1,
      verified: 1,
      plain_deleted: 2,
      done: 2,
    });
    for (const one of [erased, kept]) expect(await archive.head(`calls/${one}.wav`)).toBeUndefined();
  } finally {
    archive.close();
    await bare.close();
  }
});

/** With a chunk of so many bytes before the samples. */
function headed(id: string, bytes: number): Buffer {
  const chunk = Buffer.alloc(8 + bytes, 7);
  chunk.write(id, 0, 'latin1');
  chunk.writeUInt32LE(bytes, 4);
  const all = Buffer.concat([audio.subarray(0, 36), chunk, audio.subarray(36)]);
  all.writeUInt32LE(all.length - 8, 4);
  return all;
}

test.each([
  ['a bext of 5,000 bytes', headed('bext', 5_000)],
  ['a LIST of 6,000 bytes', headed('LIST', 6_000)],
  ['chunks of 60,000 bytes', headed('JUNK', 60_000)],
])('%s before the samples is taken in as it is', async (_what, bytes) => {
  const host = await open();
  await old.putBytes(`calls/${sid}.wav`, bytes);
  expect(await host.run({ dryRun: true })).toEqual({ to_import: 1, done: 1 });
  expect(await host.run()).toMatchObject({ imported: 1 });
  expect(await host.catalog.find(sid)).toMatchObject({
    durationSeconds: 4,
    object: { plaintextBytes: bytes.length, plaintextSha256: sha256(bytes) },
  });
});

describe('what is refused', () => {
  const objects: [string, Buffer, string][] = [
    ['is empty', Buffer.alloc(0), 'media_empty'],
    ['is an error page', Buffer.from('<html>'.repeat(900)), 'not_audio'],
    ['has no samples within 64 KiB', headed('bext', 66_000), 'not_audio'],
    ['is cut', audio.subarray(0, -5_000), 'media_short'],
    ['has other bytes behind it', Buffer.concat([audio, Buffer.alloc(9)]), 'media_long'],
    [
      'states sizes that no object has',
      wav(4, 2, { riff: 3_000_000_000, data: 3_000_000_000 }),
      'media_short',
    ],
  ];

  test('is named with its reason, in a dry run as well, which counts what the run then does', async () => {
    const host = await open();
    for (const [n, [, bytes]] of objects.entries())
      await old.putBytes(`calls/${sids.recording(n + 1)}.wav`, bytes);
    await old.putBytes(`calls/${sids.recording(9)}.wav`, audio);
    const refused = {
      refused_media_empty: 1,
      refused_not_audio: 2,
      refused_media_short: 2,
      refused_media_long: 1,
    };
    expect(await host.run({ dryRun: true })).toEqual({ ...refused, to_import: 1, done: 7 });
    const dry = await host.deps.runs.look('import');
    expect(await host.run()).toEqual({ ...refused, to_import: 1, imported: 1, without_twilio: 1, done: 7 });
    const run = await host.deps.runs.look('import');
    expect(run?.notes).toEqual(dry?.notes);
    expect(run?.notes).toEqual(
      Object.fromEntries(
        objects.map(([, , code], n) => [
          `calls/${sids.recording(n + 1)}.wav`,
          expect.stringMatching(new RegExp(`^refused \\(${code}\\): `)),
        ]),
      ),
    );
    const logged = host.lines.flatMap((line) =>
      line.includes('import.refused')
        ? [JSON.parse(line.slice(line.indexOf('{'))) as Record<string, string>]
        : [],
    );
    expect(logged.map((line) => [line['key'], line['code']])).toEqual([
      ...objects.map(([, , code], n) => [`calls/${sids.recording(n + 1)}.wav`, code]),
      ...objects.map(([, , code], n) => [`calls/${sids.recording(n + 1)}.wav`, code]),
    ]);
  });

  test('is one alarm for all of a run', async () => {
    const host = await open();
    for (let n = 1; n <= 12; n += 1)
      await old.putBytes(
        `calls/${sids.recording(n)}.wav`,
        n % 2 ? audio.subarray(0, -5_000) : Buffer.alloc(0),
      );
    await host.run();
    expect((await host.alarms.list()).map(({ code, times, detail }) => [code, times, detail])).toEqual([
      ['import_refused', 1, '12 recordings, which the log names: media_short; media_empty'],
    ]);
  });

  test('beyond a hundred is counted, and named in the log', async () => {
    const host = await open();
    for (let n = 1; n <= 103; n += 1) await old.putBytes(`calls/${sids.recording(n)}.wav`, Buffer.alloc(0));
    await host.run({ dryRun: true });
    const run = await host.deps.runs.look('import');
    expect([Object.keys(run?.notes ?? {}).length, run?.unnamed]).toEqual([100, 3]);
  });
});

test('what Twilio has no longer is no alarm each, though originals are to be deleted', async () => {
  const host = await open();
  Object.assign(host.deps.config, { deleteSourceAfterHours: 24 });
  const all = [1, 2, 3, 4].map((n) => sids.recording(n));
  for (const of of all) await old.putBytes(`calls/${of}.wav`, audio);
  await host.run();
  for (const recordingSid of all)
    for (const job of ['verify', 'link', 'prove'] as const) await host.queue.run(job, { recordingSid });
  for (const of of all)
    expect(await host.catalog.find(of)).toMatchObject({
      state: 'verified',
      linkState: 'unlinked',
      linkReason: 'task_not_found',
    });
  expect((await host.alarms.list()).map(({ code, times }) => [code, times])).toEqual([
    ['import_without_twilio', 1],
  ]);
});

describe('--repair-header', () => {
  const key = `calls/${sid}.wav`;
  const off = wav(4, 2, { riff: audio.length, data: audio.length });

  test.each<[string, Buffer]>([
    ['whose sizes are those of the file', off],
    ['with an odd number of bytes', Buffer.concat([audio, Buffer.alloc(1)])],
    ['with a line end behind it', Buffer.concat([audio, Buffer.from('\r\n')])],
    ['whose header counts 8 bytes too few', wav(4, 2, { riff: audio.length - 16 })],
  ])('takes in whole audio %s, with a right header', async (_what, bytes) => {
    const host = await open();
    await old.putBytes(key, bytes);
    expect(await host.run()).toMatchObject({
      [`refused_${bytes === off ? 'media_short' : 'media_long'}`]: 1,
    });
    expect(await host.run({ repairHeader: true, dryRun: true })).toEqual({
      to_import: 1,
      to_repair: 1,
      done: 1,
    });
    expect(await host.run({ repairHeader: true })).toMatchObject({ imported: 1, repaired: 1 });
    const row = await host.catalog.find(sid);
    expect(row?.object?.plaintextBytes).toBe(bytes.length);
    await host.queue.run('verify', { recordingSid: sid });
    expect(await host.catalog.find(sid)).toMatchObject({ state: 'verified', durationSeconds: 4 });
    expect(await host.catalog.importedFrom(sid)).toMatchObject({
      sha256: sha256(bytes),
      repairedSha256: row?.object?.plaintextSha256,
    });
    expect(row?.object?.plaintextSha256).not.toBe(sha256(bytes));
  });

  test('leaves what is sound as it is, and refuses what is cut', async () => {
    const host = await open();
    await old.putBytes(key, audio);
    await old.putBytes(`calls/${sids.recording(8)}.wav`, audio.subarray(0, -5_000));
    expect(await host.run({ repairHeader: true })).toMatchObject({ imported: 1, refused_media_short: 1 });
    const noted = await host.catalog.importedFrom(sid);
    expect([noted?.sha256, noted?.repairedSha256]).toEqual([sha256(audio), undefined]);
  });

  test('of the plain object only the bytes go that were noted', async () => {
    const host = await open();
    const bare = await unversioned('barely');
    const from = 's3://barely/calls/';
    await bare.putBytes(key, off);
    await host.run({ from, repairHeader: true });
    await host.queue.run('verify', { recordingSid: sid });
    await shared.db.query(`UPDATE imports SET sha256 = repeat('0', 64)`);
    expect(await host.run({ from, deletePlain: true })).toMatchObject({ plain_differs: 1 });
    await shared.db.query('UPDATE imports SET sha256 = $1', [sha256(off)]);
    expect(await host.run({ from, deletePlain: true })).toMatchObject({ plain_deleted: 1 });
    bare.close();
  });

  test('no plain object is taken for the copy by the copy’s own bytes', async () => {
    const host = await open();
    await old.putBytes(key, off);
    await host.run({ repairHeader: true });
    await host.queue.run('verify', { recordingSid: sid });
    await shared.db.query('DELETE FROM imports');
    expect(await host.run({ deletePlain: true })).toMatchObject({ plain_differs: 1 });
  });
});

describe('--delete-plain', () => {
  const key = `calls/${sid}.wav`;
  /** Of the same length, with other samples. */
  const forged = Buffer.from(audio).fill(7, 1_000);

  test('removes the very object that was imported: another of its name and size stays', async () => {
    const host = await open();
    // Sorts first, so it is the one that is sealed: the other may be the true one.
    await old.putBytes(`calls/a/${sid}.wav`, forged);
    await old.putBytes(`calls/b/${sid}.wav`, audio);
    await host.run();
    await verify(host, forged);
    expect(await host.catalog.importedFrom(sid)).toEqual({
      bucket: 'old',
      key: `calls/a/${sid}.wav`,
      versionId: expect.any(String),
      etag: expect.any(String),
      sha256: sha256(forged),
    });
    expect(await host.run({ deletePlain: true })).toEqual({
      verified: 2,
      plain_deleted: 1,
      plain_other: 1,
      done: 2,
    });
    expect(await left()).toEqual([`calls/b/${sid}.wav`]);
  });

  test('of its key the very version goes and no other, and no marker takes its place', async () => {
    const host = await open();
    await old.putBytes(key, forged);
    await old.putBytes(key, audio);
    await host.run();
    await verify(host, audio);
    expect(await host.run({ deletePlain: true })).toMatchObject({ plain_deleted: 1 });
    expect(await left()).toEqual([key]);
    expect((await old.head(key))?.bytes).toBe(forged.length);
    expect(await host.run({ deletePlain: true })).toMatchObject({ plain_other: 1 });
    // The same bytes, put again, are another version.
    await old.putBytes(key, audio);
    expect(await host.run({ deletePlain: true })).toMatchObject({ plain_other: 1 });
  });

  test('in a bucket without versions the object goes whose ETag was noted', async () => {
    const host = await open();
    const bare = await unversioned('bare');
    await bare.putBytes(key, audio);
    const from = 's3://bare/calls/';
    await host.run({ from });
    await verify(host, audio);
    expect(await host.catalog.importedFrom(sid)).not.toHaveProperty('versionId');
    await bare.putBytes(key, forged);
    expect(await host.run({ from, deletePlain: true })).toMatchObject({ plain_other: 1 });
    await bare.putBytes(key, audio);
    expect(await host.run({ from, deletePlain: true })).toMatchObject({ plain_deleted: 1 });
    expect(await bare.head(key)).toBeUndefined();
    bare.close();
  });

  test('of a recording that was copied from Twilio it removes what holds the same bytes as the proven copy', async () => {
    const host = await open();
    const proof = proofOf('second-look', 'sha256', false);
    await copied(host, audio, { proof });
    await old.putBytes(`calls/a/${sid}.wav`, forged);
    await old.putBytes(`calls/b/${sid}.wav`, audio);
    expect(await host.run({ deletePlain: true })).toMatchObject({ plain_differs: 1, plain_deleted: 1 });
    expect(await left()).toEqual([`calls/a/${sid}.wav`]);
  });

  test('a copy that is not proven is none to delete by while Twilio has the recording', async () => {
    const host = await open();
    await copied(host, audio);
    await old.putBytes(key, audio);
    expect(await host.run({ deletePlain: true })).toMatchObject({ plain_unproven: 1 });
    host.twilio.recordings.delete(sid);
    expect(await host.run({ deletePlain: true })).toMatchObject({ plain_deleted: 1 });
  });

  test('of what was imported before it was noted, only equal bytes go', async () => {
    const host = await open();
    await old.putBytes(key, audio);
    await host.run();
    await verify(host, audio);
    await shared.db.query('DELETE FROM imports');
    await old.putBytes(key, forged);
    expect(await host.run({ deletePlain: true })).toMatchObject({ plain_differs: 1 });
    await old.putBytes(key, audio);
    expect(await host.run({ deletePlain: true })).toMatchObject({ plain_deleted: 1 });
  });

  test('a note of bytes that are not in the copy any more counts for nothing', async () => {
    const host = await open();
    await old.putBytes(key, forged);
    await host.run();
    const before = (await host.catalog.find(sid))?.object;
    if (!before) throw new Error('no object');
    await host.catalog.rejected(sid, before, 'object_mismatch');
    await copied(host, audio);
    host.twilio.recordings.delete(sid);
    expect(await host.run({ deletePlain: true })).toMatchObject({ plain_differs: 1 });
  });

  test('no key that opens the copy stops all of it, with an alarm', async () => {
    const host = await open();
    for (const n of [7, 8]) await old.putBytes(`calls/${sids.recording(n)}.wav`, audio);
    await host.run();
    for (const n of [7, 8]) await verify(host, audio, sids.recording(n));
    host.deps.keys = createKeys({
      kind: 'raw-aes',
      keys: [{ keyId: 'k2', key: new Uint8Array(32).fill(4) }],
    });
    await expect(host.run({ deletePlain: true })).rejects.toMatchObject({ code: 'envelope_wrong_key' });
    expect(await left()).toHaveLength(2);
    expect(await host.alarmCodes()).toEqual(['import_without_twilio', 'plain_kept']);
  });

  test('a copy that is not there as it was verified keeps its plain object, and alarms', async () => {
    const host = await open();
    await old.putBytes(key, audio);
    await host.run();
    await verify(host, audio);
    const object = (await host.catalog.find(sid))?.object;
    await store.delete(object?.key ?? '', object?.versionId);
    expect(await host.run({ deletePlain: true })).toMatchObject({ plain_unreadable_copy: 1 });
    expect(await left()).toEqual([key]);
    expect(await host.alarmCodes()).toContain('plain_kept');
  });

  test('nothing goes while the bucket of the copies does not keep versions', async () => {
    const host = await open();
    await old.putBytes(key, audio);
    await host.run();
    await verify(host, audio);
    await versioning('custody', 'Suspended');
    expect(await host.run({ deletePlain: true })).toMatchObject({ plain_unversioned: 1 });
    await versioning('custody', 'Enabled');
    expect(await left()).toEqual([key]);
  });

  test('a hold keeps it, one by days too: when such a call began nobody knows', async () => {
    const host = await open();
    await old.putBytes(key, audio);
    await host.run();
    await verify(host, audio);
    host.deps.policies = {
      inForce: async () =>
        readPolicy('version: 1\nholds: [{id: old, from: 2019-01-01, until: 2019-12-31}]\n'),
    };
    const row = await host.catalog.find(sid);
    if (!row) throw new Error('no row');
    expect(holdsOn(await host.deps.policies.inForce(), row, undefined)).toEqual(['old']);
    expect(await host.run({ deletePlain: true })).toMatchObject({ plain_held: 1 });
    expect(await left()).toEqual([key]);
  });

  test('what may not be deleted there is counted, and the next one goes', async () => {
    const host = await open();
    for (const n of [7, 8]) await old.putBytes(`calls/${sids.recording(n)}.wav`, audio);
    await host.run();
    for (const n of [7, 8]) await verify(host, audio, sids.recording(n));
    faults.add({ target: 's3', kind: 'status', value: 403, times: 1, match: 'DELETE /old' });
    expect(await host.run({ deletePlain: true })).toMatchObject({ plain_refused: 1, plain_deleted: 1 });
  });

  test('what is imported out of the bucket of the copies itself is no plain object', async () => {
    const host = await open();
    await old.putBytes(key, audio);
    await host.run();
    await verify(host, audio);
    expect(await host.run({ from: 's3://custody/recordings/', deletePlain: true })).toMatchObject({
      plain_own: 1,
    });
  });
});

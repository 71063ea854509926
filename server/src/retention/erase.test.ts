import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CustodyError, type RecordingSid, type SealedObject, type TaskSid } from '@flex-custody/core';
import type { ObjectLock, Store, StoredVersion } from '@flex-custody/vault';
import { createAlarms } from '../catalog/alarms.ts';
import { type Catalog, createCatalog } from '../catalog/catalog.ts';
import { type Certificates, createCertificates } from '../catalog/certificates.ts';
import { openEmbedded, type TestDatabase } from '../db/testing/on-each-engine.ts';
import { migrate } from '../db.ts';
import { createRuns, type RunView } from '../runs/runs.ts';
import { testSigning } from '../signing/testing/identity.ts';
import { callerDigests } from './caller.ts';
import { verifyCertificate } from './certificate.ts';
import { type EraseOptions, eraseExpired, eraseSelected, type KeepingParts } from './erase.ts';
import { retainNow } from './index.ts';

const account = `AC${'a'.repeat(32)}` as KeepingParts['config']['accountSid'];
const RE = (n: number) => `RE${n.toString(16).padStart(32, '0')}` as RecordingSid;
const WT = `WT${'1'.repeat(32)}` as TaskSid;
const caller = '+4930123456';
const callerDigest = callerDigests(Buffer.alloc(32, 5).toString('base64'));
const folder = mkdtempSync(join(tmpdir(), 'erase-'));
const policyFile = join(folder, 'policy.yaml');
const signing = testSigning();
const policy = (text: string) => writeFileSync(policyFile, `version: 1\n${text}\n`);

/** Versions by key, as a bucket that keeps them; what is locked refuses. */
class FakeBucket {
  readonly versions_ = new Map<string, { versionId: string; lock?: ObjectLock }[]>();
  readonly written = new Map<string, Buffer>();
  readonly uploads = new Map<string, string>();
  failing: string | undefined;

  put(key: string, ...versions: { versionId: string; lock?: ObjectLock }[]) {
    this.versions_.set(key, versions);
  }
  async *versions(prefix: string): AsyncIterable<Pick<StoredVersion, 'key' | 'versionId' | 'deleteMarker'>> {
    for (const [key, versions] of this.versions_)
      if (key.startsWith(prefix))
        for (const { versionId } of versions) yield { key, versionId, deleteMarker: false };
  }
  async head(key: string, versionId: string) {
    return this.versions_.get(key)?.find((one) => one.versionId === versionId);
  }
  async lockOf(key: string, versionId: string) {
    return (await this.head(key, versionId))?.lock;
  }
  async delete(key: string, versionId: string) {
    if (this.failing === key) throw new CustodyError('store_unavailable', 'away', { retryable: true });
    const left = (this.versions_.get(key) ?? []).filter((one) => one.versionId !== versionId);
    this.versions_.set(key, left);
  }
  async putBytes(key: string, bytes: Uint8Array) {
    this.written.set(key, Buffer.from(bytes));
  }
  async *unfinishedUploads(key: string) {
    const uploadId = this.uploads.get(key);
    if (uploadId) yield { key, uploadId, startedAt: new Date() };
  }
  async abortUpload(key: string) {
    this.uploads.delete(key);
  }
}

let database: TestDatabase;
let catalog: Catalog;
let certificates: Certificates;
let bucket: FakeBucket;
let parts: KeepingParts;
let deleted: string[];
let lines: string[];
beforeAll(async () => {
  database = await openEmbedded();
  await migrate(database.db);
  catalog = createCatalog(database.db, account);
  certificates = createCertificates(database.db);
}, 60_000);
afterAll(async () => {
  await database.drop();
  rmSync(folder, { recursive: true });
});
beforeEach(async () => {
  await database.db.query('TRUNCATE recordings, certificates, runs, alarms CASCADE');
  bucket = new FakeBucket();
  deleted = [];
  lines = [];
  policy('');
  const say = (fields: object, words: string) => void lines.push(`${words} ${JSON.stringify(fields)}`);
  parts = {
    config: { accountSid: account, policyFile },
    signing,
    catalog,
    certificates,
    store: bucket as unknown as Store,
    twilio: {
      async deleteRecording(sid) {
        deleted.push(sid);
        return deleted.filter((one) => one === sid).length > 1 ? 'gone' : 'deleted';
      },
    },
    ...(callerDigest && { callerDigest }),
    log: { info: say, warn: say },
  };
});

const daysAgo = (days: number) => new Date(Date.now() - days * 24 * 60 * 60_000);
async function recording(n: number, { task = WT, days = 1, queue = 'Sales' } = {}) {
  const key = `recordings/${account}/${RE(n)}`;
  await catalog.register({
    recordingSid: RE(n),
    accountSid: account,
    channels: 2,
    startedAt: daysAgo(days),
    hints: {},
    source: 'callback',
  });
  const object = {
    key,
    mode: 'envelope',
    etag: '"e"',
    versionId: 'v2',
    bytes: 9,
    plaintextBytes: 5,
    keyId: 'k',
  } as SealedObject;
  await catalog.sealed(RE(n), (await catalog.lease(RE(n), 'test', 60_000))?.secret ?? '', object, 2);
  await catalog.verified(RE(n), object, 'a'.repeat(64));
  await catalog.linked(RE(n), { taskSid: task, queue });
  await catalog.calledBy(RE(n), {
    direction: 'inbound',
    caller: callerDigest?.(caller) ?? '',
    others: [],
  });
  bucket.put(key, { versionId: 'v2' }, { versionId: 'v1' });
  bucket.put(`${key}.json`, { versionId: 's1' });
  return key;
}

const runs = () => createRuns(database.db);
const erase = (options: EraseOptions): Promise<RunView> =>
  runs().run('erase', options as never, (run) => eraseSelected(parts, run));
const expire = (dryRun = false): Promise<RunView> =>
  runs().run('retention', { dryRun }, (run) => eraseExpired(parts, run));
const left = () => [...bucket.versions_.values()].flat().length;
async function said() {
  const [certificate] = await certificates.list(1);
  const [jwk = {}] = await signing.publicJwks();
  return verifyCertificate(certificate?.jws ?? '', jwk);
}

test('all of it goes, and a certificate says what and when', async () => {
  const key = await recording(1);
  bucket.uploads.set(key, 'u1');
  bucket.put(`recordings/${account}/${RE(2)}`, { versionId: 'other' });
  const { counts, options } = await erase({ recordings: [RE(1)], reference: 'ticket 17' });
  expect(counts).toEqual({ done: 1, erased: 1 });
  expect([left(), deleted, bucket.uploads.size]).toEqual([1, [RE(1)], 0]);
  const row = await catalog.find(RE(1));
  expect(row).toMatchObject({ state: 'erased', erasedAt: expect.any(Date), hints: {} });
  expect(row).not.toHaveProperty('taskSid');
  expect(await said()).toMatchObject({
    iss: account,
    jti: row?.certificate,
    reason: 'erasure',
    reference: 'ticket 17',
    recordings: [{ recording: RE(1), versions: 3, twilio: 'deleted', at: expect.any(String) }],
  });
  const [[where, bytes] = []] = bucket.written;
  expect(where).toBe(`certificates/${account}/${row?.certificate}.jws`);
  expect(bytes?.toString()).toBe((await certificates.list(1))[0]?.jws);
  expect(options).toEqual({ recordings: [RE(1)], reference: 'ticket 17' });
  // Again there is nothing to do.
  expect((await erase({ recordings: [RE(1)] })).counts).toEqual({});
  expect(await certificates.list(9)).toHaveLength(1);
});

test('by task, and by caller, of whom nothing stays in the run', async () => {
  for (const n of [1, 2, 3]) await recording(n, n === 3 ? { task: `WT${'2'.repeat(32)}` as TaskSid } : {});
  expect((await erase({ tasks: [WT] })).counts).toMatchObject({ erased: 2 });
  const digest = callerDigest?.(caller) ?? '';
  const ended = await erase({ callers: [digest] });
  expect(ended.counts).toMatchObject({ erased: 1 });
  expect(JSON.stringify(ended)).not.toContain(digest);
  expect(left()).toBe(0);
});

test('of a dry run nothing is seen but what it says', async () => {
  await recording(1);
  const before = await catalog.find(RE(1));
  const { counts, notes } = await erase({ recordings: [RE(1)], dryRun: true });
  expect([counts, notes]).toEqual([{ done: 1, to_be_erased: 1 }, { [RE(1)]: 'would be erased' }]);
  expect([await catalog.find(RE(1)), left(), deleted]).toEqual([before, 3, []]);
  expect(await certificates.list(9)).toEqual([]);
});

test.each([
  ['of the recording', `holds: [{id: h, recordings: [${RE(1)}]}]`],
  ['of the task', `holds: [{id: h, tasks: [${WT}]}]`],
  ['of the caller', `holds: [{id: h, callers: ["${caller}"]}]`],
  ['of the days', 'holds: [{id: h, from: 2020-01-01}]'],
])('a hold %s wins over whoever asks', async (_what, text) => {
  await recording(1);
  policy(text);
  const { counts, notes } = await erase({ recordings: [RE(1)] });
  expect([counts, notes]).toEqual([{ done: 1, held: 1 }, { [RE(1)]: 'held by h' }]);
  expect([left(), deleted, (await catalog.find(RE(1)))?.state]).toEqual([3, [], 'verified']);
});

test.each([
  [
    'until a day',
    { until: new Date('2099-01-01T00:00:00Z'), legalHold: false },
    'locked until 2099-01-01T00:00:00.000Z',
  ],
  ['by a legal hold', { legalHold: true }, 'under a legal hold in the bucket'],
])('what the bucket has locked %s stays whole', async (_how, lock, note) => {
  const key = await recording(1);
  bucket.put(key, { versionId: 'v2' }, { versionId: 'v1', lock });
  const { counts, notes } = await erase({ recordings: [RE(1)] });
  expect([counts, notes]).toEqual([{ done: 1, locked: 1 }, { [RE(1)]: note }]);
  expect([left(), deleted, (await catalog.find(RE(1)))?.state]).toEqual([3, [], 'verified']);
});

test('a lock that has ended is none', async () => {
  const key = await recording(1);
  bucket.put(key, { versionId: 'v1', lock: { until: new Date('2020-01-01'), legalHold: false } });
  expect((await erase({ recordings: [RE(1)] })).counts).toMatchObject({ erased: 1 });
});

test('what breaks off is ended by the next run, whatever that is asked for, and counted whole', async () => {
  const key = await recording(1);
  bucket.failing = `${key}.json`;
  const first = await erase({ recordings: [RE(1)] });
  expect([first.counts, first.notes]).toEqual([
    { done: 1, failed_store_unavailable: 1 },
    { [RE(1)]: 'not ended: store_unavailable' },
  ]);
  expect((await catalog.find(RE(1)))?.state).toBe('erased');
  bucket.failing = undefined;
  expect((await expire()).counts).toEqual({ erased: 1 });
  expect(await said()).toMatchObject({ recordings: [{ recording: RE(1), versions: 3, twilio: 'deleted' }] });
});

test("another account's host on this database erases nothing of ours, whatever it is asked", async () => {
  await recording(1, { days: 400 });
  await recording(2, { days: 400 });
  await catalog.erasing(RE(2));
  const before = await database.db.query('SELECT * FROM recordings ORDER BY recording_sid');
  policy('keep: {default: 1}');
  const staging = `AC${'b'.repeat(32)}` as typeof account;
  parts = {
    ...parts,
    config: { ...parts.config, accountSid: staging },
    catalog: createCatalog(database.db, staging),
  };
  const kept = left();
  expect((await expire()).counts).toEqual({});
  expect((await erase({ recordings: [RE(1), RE(2)], tasks: [WT] })).counts).toEqual({});
  expect(await database.db.query('SELECT * FROM recordings ORDER BY recording_sid')).toEqual(before);
  expect([left(), deleted, await certificates.list(10)]).toEqual([kept, [], []]);
});

test('a process that dies between the bucket and the certificate leaves it to the next', async () => {
  await recording(1);
  const { keep } = certificates;
  certificates.keep = () => Promise.reject(new Error('killed'));
  await expect(erase({ recordings: [RE(1)] })).rejects.toThrow('killed');
  certificates.keep = keep;
  expect([left(), (await catalog.find(RE(1)))?.erasedAt]).toEqual([0, undefined]);
  expect((await expire()).counts).toEqual({ erased: 1 });
  expect(await said()).toMatchObject({ recordings: [{ recording: RE(1), versions: 3, twilio: 'deleted' }] });
  expect((await catalog.find(RE(1)))?.erasedAt).toBeDefined();
});

describe('retention', () => {
  test('what is kept no longer goes; what is kept, held, or for ever, stays', async () => {
    await recording(1, { days: 100 });
    await recording(2, { days: 20 });
    await recording(3, { days: 100, queue: 'Legal' });
    await recording(4, { days: 100 });
    policy(
      `keep: {default: 90, rules: [{queue: Legal, days: forever}]}\nholds: [{id: h, recordings: [${RE(4)}]}]`,
    );
    expect((await expire(true)).counts).toMatchObject({ to_be_erased: 1, held: 1 });
    expect((await expire()).counts).toEqual({ done: 2, erased: 1, held: 1 });
    const states = await Promise.all([1, 2, 3, 4].map(async (n) => (await catalog.find(RE(n)))?.state));
    expect(states).toEqual(['erased', 'verified', 'verified', 'verified']);
    expect(await said()).toMatchObject({ reason: 'retention', recordings: [{ recording: RE(1) }] });
  });

  test('of which nothing was copied goes too', async () => {
    await recording(1, { days: 100 });
    await database.db.query(`UPDATE recordings SET state = 'failed', object = NULL`);
    policy('keep: {default: 90}');
    expect((await expire()).counts).toMatchObject({ erased: 1 });
    expect(deleted).toEqual([RE(1)]);
  });

  test('a policy that keeps all looks at nothing', async () => {
    await recording(1, { days: 9_000 });
    expect((await expire()).counts).toEqual({});
  });

  test('more than a page', async () => {
    for (let n = 1; n <= 205; n += 1) await recording(n, { days: 100 });
    policy('keep: {default: 90}');
    expect((await expire()).counts).toMatchObject({ done: 205, erased: 205 });
    expect((await certificates.list(9)).map(({ recordings }) => recordings).sort()).toEqual(
      [100, 100, 5].sort(),
    );
  });

  test('by a policy that nobody can read nothing goes, and somebody is told', async () => {
    await recording(1, { days: 100 });
    const alarms = createAlarms(database.db);
    const retain = () =>
      retainNow(
        {
          ...parts,
          alarms,
          runs: runs(),
          queue: { work: async () => undefined, every: async () => undefined },
        },
        new AbortController().signal,
      );
    policy('keep: {default: soon}');
    await retain();
    expect((await alarms.list({ open: true })).map(({ code }) => code)).toEqual(['retention_failed']);
    expect(left()).toBe(3);
    policy('keep: {default: 90}');
    await retain();
    expect([await alarms.list({ open: true }), left()]).toEqual([[], 0]);
  });
});

import { randomUUID } from 'node:crypto';
import { CustodyError, type RecordingSid, type SealedObject, type TaskSid } from '@flex-custody/core';
import type { TwilioRecording } from '@flex-custody/twilio';
import type { ObjectLock, Store, StoredVersion } from '@flex-custody/vault';
import { type Alarms, createAlarms } from '../alarms/alarms.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { type Certificates, createCertificates } from '../catalog/certificates.ts';
import { createCatalog } from '../catalog/create-catalog.ts';
import type { RecordingRow } from '../catalog/recording-row.ts';
import { migrate } from '../db/migrate.ts';
import { openEmbedded, type TestDatabase } from '../db/testing/on-each-engine.ts';
import { originOf } from '../playback/audio.ts';
import { createRuns, type RunView } from '../runs/runs.ts';
import { testSigning } from '../signing/testing/identity.ts';
import { callerDigests } from './caller.ts';
import { verifyCertificate } from './certificate.ts';
import { type EraseOptions, eraseExpired, eraseSelected, type KeepingDeps } from './erase.ts';
import { retainNow, runRetain } from './index.ts';
import { createPolicies } from './policies.ts';

/** Digest of a policy that was in force when it was decided. */
const ofThen = 'ef'.repeat(32);

const account = `AC${'a'.repeat(32)}` as KeepingDeps['config']['accountSid'];
const RE = (n: number) => `RE${n.toString(16).padStart(32, '0')}` as RecordingSid;
const WT = `WT${'1'.repeat(32)}` as TaskSid;
const caller = '+4930123456';
const callerDigest = callerDigests(Buffer.alloc(32, 5).toString('base64'));
const signing = testSigning();
const policy = (text: string) => createPolicies(database.db, account).apply(`version: 1\n${text}\n`, 'test');

/** Versions by key, as a bucket that keeps them; what is locked refuses. */
class FakeBucket {
  readonly versions_ = new Map<string, { versionId: string; lock?: ObjectLock }[]>();
  readonly written = new Map<string, Buffer>();
  readonly uploads = new Map<string, string>();
  failing: string | undefined;

  put(key: string, ...versions: { versionId: string; lock?: ObjectLock }[]) {
    this.versions_.set(key, versions);
  }
  /** Of one that keeps no versions it says no ids. */
  keepsNone = false;
  async *versions(
    prefix: string,
  ): AsyncIterable<Pick<StoredVersion, 'key' | 'versionId' | 'deleteMarker' | 'etag'>> {
    for (const [key, versions] of this.versions_)
      if (key.startsWith(prefix))
        for (const { versionId } of versions)
          yield { key, etag: '"e"', deleteMarker: false, ...(!this.keepsNone && { versionId }) };
    for (const key of this.written.keys())
      if (key.startsWith(prefix)) yield { key, etag: '"w"', deleteMarker: false };
  }
  async head(key: string, versionId: string) {
    return this.versions_.get(key)?.find((one) => one.versionId === versionId);
  }
  async lockOf(key: string, versionId: string) {
    return (await this.head(key, versionId))?.lock;
  }
  async delete(key: string, versionId: string) {
    if (this.failing === key) throw new CustodyError('store_unavailable', 'away');
    this.written.delete(key);
    const left = this.versions_.get(key)?.filter((one) => !this.keepsNone && one.versionId !== versionId);
    if (left) this.versions_.set(key, left);
  }
  async versioning() {
    return this.keepsNone ? { unavailable: 'unsupported' } : { value: 'enabled' };
  }
  refusesCertificates = false;
  async putBytes(key: string, bytes: Uint8Array) {
    if (this.refusesCertificates) throw new CustodyError('store_denied', 'no right');
    this.written.set(key, Buffer.from(bytes));
    return { etag: '"w"', bytes: bytes.byteLength };
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
let deps: KeepingDeps;
let deleted: string[];
/** What Twilio says of a recording's state, if not that it is there; and what fails. */
let statuses: Map<RecordingSid, TwilioRecording['status'] | 'unknown'>;
let twilioFails: CustodyError | undefined;
let aheadMs: number | undefined;
let alarms: Alarms;
let lines: string[];
beforeAll(async () => {
  database = await openEmbedded();
  await migrate(database.db);
  catalog = createCatalog(database.db, account);
  certificates = createCertificates(database.db);
  alarms = createAlarms(database.db);
}, 60_000);
afterAll(async () => {
  await database.drop();
});
beforeEach(async () => {
  await database.db.query('TRUNCATE recordings, certificates, runs, alarms, policies, retained CASCADE');
  bucket = new FakeBucket();
  deleted = [];
  statuses = new Map();
  twilioFails = undefined;
  aheadMs = 0;
  lines = [];
  await policy('');
  const say = (fields: object, words: string) => void lines.push(`${words} ${JSON.stringify(fields)}`);
  deps = {
    config: { accountSid: account },
    policies: createPolicies(database.db, account),
    alarms,
    keys: undefined,
    signing,
    catalog,
    certificates,
    store: bucket as unknown as Store,
    twilio: {
      account: async () => ({ friendlyName: '', status: '', ...(aheadMs !== undefined && { aheadMs }) }),
      async recording(sid) {
        const status = statuses.get(sid) ?? 'completed';
        return status === 'unknown' ? undefined : ({ sid, status } as TwilioRecording);
      },
      async deleteRecording(sid) {
        if (twilioFails) throw twilioFails;
        const status = statuses.get(sid) ?? 'completed';
        if (status === 'unknown') return 'gone';
        // As it does for as long as it lists what is deleted.
        if (status !== 'completed') throw new CustodyError('twilio_refused', '20001');
        deleted.push(sid);
        statuses.set(sid, 'deleted');
        return 'deleted';
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
  runs().run('erase', options as never, (run) => eraseSelected(deps, run));
const expire = (dryRun = false, yes = false): Promise<RunView> =>
  runs().run('retention', { dryRun, yes }, (run) => eraseExpired(deps, run));
const open = async () => (await alarms.list({ open: true })).map(({ code }) => code).sort();
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
  await policy(text);
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
  bucket.put(key, { versionId: 'v2', lock: { until: new Date('2020-01-01'), legalHold: false } });
  expect((await erase({ recordings: [RE(1)] })).counts).toMatchObject({ erased: 1 });
});

test('what breaks off is ended by the next run, whatever that is asked for, and counted whole', async () => {
  const key = await recording(1);
  bucket.failing = `${key}.json`;
  const first = await erase({ recordings: [RE(1)] });
  expect([first.counts, first.notes]).toEqual([
    { done: 1, failed_store_unavailable: 1 },
    { [RE(1)]: 'erasure not finished: store_unavailable' },
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
  await policy('keep: {default: 1}');
  const staging = `AC${'b'.repeat(32)}` as typeof account;
  deps = {
    ...deps,
    config: { ...deps.config, accountSid: staging },
    catalog: createCatalog(database.db, staging),
    policies: createPolicies(database.db, staging),
  };
  const kept = left();
  await createPolicies(database.db, staging).apply('version: 1\nkeep: {default: 1}', 'test');
  expect((await expire()).counts).toEqual({});
  await expect(erase({ recordings: [RE(1), RE(2)] })).rejects.toMatchObject({ code: 'recording_unknown' });
  await expect(erase({ tasks: [WT] })).rejects.toMatchObject({ code: 'task_unrecorded' });
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

test('a process that dies between the certificate and the end of the erasure: the next one signs no second one', async () => {
  await recording(1);
  const { erased } = catalog;
  catalog.erased = () => Promise.reject(new Error('killed'));
  await expect(erase({ recordings: [RE(1)] })).rejects.toThrow('killed');
  catalog.erased = erased;
  const signed = await certificates.list(10);
  bucket.written.clear();
  expect((await expire()).counts).toEqual({ erased: 1 });
  expect(await certificates.list(10)).toEqual(signed);
  expect((await catalog.find(RE(1)))?.certificate).toBe(signed[0]?.id);
  // It is in the bucket too, whether or not the process that died had put it there.
  expect([...bucket.written.keys()]).toEqual([`certificates/${account}/${signed[0]?.id}.jws`]);
});

describe('retention', () => {
  test('what is kept no longer goes; what is kept, held, or for ever, stays', async () => {
    await recording(1, { days: 100 });
    await recording(2, { days: 20 });
    await recording(3, { days: 100, queue: 'Legal' });
    await recording(4, { days: 100 });
    await policy(
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
    await policy('keep: {default: 90}');
    expect((await expire()).counts).toMatchObject({ erased: 1 });
    expect(deleted).toEqual([RE(1)]);
  });

  test('a policy that keeps all looks at nothing', async () => {
    await recording(1, { days: 9_000 });
    expect((await expire()).counts).toEqual({});
  });

  test('more than a page', async () => {
    for (let n = 1; n <= 205; n += 1) await recording(n, { days: 100 });
    await policy('keep: {default: 90}');
    expect((await expire(false, true)).counts).toMatchObject({ done: 205, erased: 205 });
    expect((await certificates.list(9)).map(({ recordings }) => recordings).sort()).toEqual(
      [100, 100, 5].sort(),
    );
  });

  const parted = () => ({
    ...deps,
    runs: runs(),
  });
  const retain = () => retainNow(parted(), new AbortController().signal);

  test('by a policy that nobody can read nothing goes, and somebody is told', async () => {
    await recording(1, { days: 100 });
    await database.db.query(
      `INSERT INTO policies (account_sid, body, digest, applied_by) VALUES ($1, 'keep: {default: soon}', 'd', 'newer')`,
      [account],
    );
    await retain();
    expect([await open(), left()]).toEqual([['retention_failed'], 3]);
    await policy('keep: {default: 90}');
    await retain();
    expect([await open(), left()]).toEqual([[], 0]);
  });

  test('without a policy and without an unfinished erasure no failure is left', async () => {
    await database.db.query('TRUNCATE policies');
    await alarms.raise('retention_failed', undefined, 'policy_invalid');
    await retain();
    expect(await open()).toEqual([]);
  });

  test('is looked at by the hour wherever a worker is, and does nothing without a policy', async () => {
    expect(runRetain(parted())).toMatchObject({ job: { name: 'retention' }, everySeconds: 3_600 });
    await recording(1, { days: 9_000 });
    await database.db.query('TRUNCATE policies');
    await retain();
    expect([left(), await runs().look('retention')]).toEqual([3, undefined]);
    await expect(expire()).rejects.toMatchObject({ code: 'policy_missing' });
  });

  test('skips what nobody has proven; an operator erases it by name', async () => {
    const facts = ['owner', 'caller', 'direction', 'start'];
    for (const [n, fact] of facts.entries()) {
      await recording(n + 1, { days: 100 });
      await database.db.query('UPDATE recordings SET unproven = $1 WHERE recording_sid = $2', [
        [fact],
        RE(n + 1),
      ]);
    }
    await policy('keep: {default: 90}');
    const { counts, notes } = await expire();
    expect(counts).toEqual({ done: 4, unproven: 4 });
    expect(notes?.[RE(4)]).toBe('kept, because unproven: start');
    expect([left(), deleted]).toEqual([12, []]);
    expect((await erase({ recordings: facts.map((_, n) => RE(n + 1)) })).counts).toMatchObject({ erased: 4 });
  });

  test('keeps what a policy that is applied meanwhile keeps longer', async () => {
    // Eight are erased at a time; the ninth is decided behind them.
    for (let n = 1; n <= 9; n += 1) await recording(n, { days: 110 - n });
    await policy('keep: {default: 90}');
    const { deleteRecording } = deps.twilio;
    deps.twilio.deleteRecording = async (sid) => {
      await policy('keep: {default: 111}');
      return deleteRecording(sid);
    };
    expect((await expire()).counts).toEqual({ done: 9, erased: 8, kept: 1 });
    expect([...deleted].sort()).toEqual([1, 2, 3, 4, 5, 6, 7, 8].map(RE));
  });

  test('stops before the first step where it would erase far more than usual, until somebody means it', async () => {
    for (let n = 1; n <= 201; n += 1) await recording(n, { days: n <= 11 ? 100 : 1 });
    await policy('keep: {default: 90}');
    await retain();
    expect([await open(), left(), deleted]).toEqual([['retention_braked'], 603, []]);
    expect((await alarms.list())[0]?.detail).toContain('11 of 201 recordings');
    expect((await expire(true)).counts).toMatchObject({ to_be_erased: 11 });
    expect((await expire(false, true)).counts).toMatchObject({ erased: 11 });
    expect(await catalog.usuallyRetained()).toBe(11);
    await retain();
    expect(await open()).toEqual([]);
  });

  test('erases nothing by a clock that is wrong', async () => {
    await recording(1, { days: 1 });
    await policy('keep: {default: 30}');
    // This host and its database are in two months' time.
    const days = 60;
    aheadMs = -days * 86_400_000;
    await database.db.query(`UPDATE recordings SET started_at = now() - interval '61 days'`);
    await retain();
    expect([await open(), left(), deleted]).toEqual([['clock_differs'], 3, []]);
    await expect(erase({ recordings: [RE(1)] })).rejects.toMatchObject({ code: 'clock_differs' });
    expect([left(), deleted, (await catalog.find(RE(1)))?.intent]).toEqual([3, [], undefined]);
    deps.twilio = { ...deps.twilio };
    aheadMs = 0;
    await retain();
    expect([await open(), left()]).toEqual([[], 0]);
  });
});

describe('until something has gone', () => {
  const before = async (n: number) => {
    const { updatedAt: _, ...row } = (await catalog.find(RE(n))) ?? {};
    return row;
  };

  test('a hold that is applied while a run erases holds what has not gone', async () => {
    const all = [1, 2, 3, 4, 5, 6, 7, 8, 9];
    for (const n of all) await recording(n);
    const ninth = await before(9);
    const { deleteRecording } = deps.twilio;
    deps.twilio.deleteRecording = async (sid) => {
      await policy(`holds: [{id: late, recordings: [${RE(9)}]}]`);
      return deleteRecording(sid);
    };
    const { counts, notes } = await erase({ recordings: all.map(RE) });
    expect([counts, notes]).toEqual([{ done: 9, erased: 8, held: 1 }, { [RE(9)]: 'held by late' }]);
    expect([await before(9), left(), [...deleted].sort()]).toEqual([ninth, 3, all.slice(0, 8).map(RE)]);
  });

  test('a hold that is applied behind the intent holds too, and the recording plays as before', async () => {
    await recording(1);
    const whole = await before(1);
    deps.catalog = {
      ...catalog,
      async intend(...of) {
        const written = await catalog.intend(...of);
        expect(originOf((await catalog.find(RE(1))) as RecordingRow)).toBeUndefined();
        await policy(`holds: [{id: late, recordings: [${RE(1)}]}]`);
        return written;
      },
    };
    expect((await erase({ recordings: [RE(1)] })).counts).toEqual({ done: 1, held: 1 });
    expect([await before(1), left(), deleted]).toEqual([whole, 3, []]);
    expect(originOf((await catalog.find(RE(1))) as RecordingRow)).toBe('vault');
  });

  test('an erasure that could remove nothing is taken back whole, and a hold that comes later holds', async () => {
    const key = await recording(1, { days: 100 });
    const whole = await before(1);
    bucket.failing = key;
    expect((await erase({ recordings: [RE(1)] })).counts).toEqual({ done: 1, failed_store_unavailable: 1 });
    expect([await before(1), left()]).toEqual([whole, 3]);
    bucket.failing = undefined;
    await policy(`keep: {default: 90}\nholds: [{id: h, recordings: [${RE(1)}]}]`);
    expect((await erase({ recordings: [RE(1)], dryRun: true })).notes).toEqual({ [RE(1)]: 'held by h' });
    expect((await expire()).counts).toEqual({ done: 1, held: 1 });
    expect([await before(1), left(), deleted]).toEqual([whole, 3, []]);
  });

  test('the same where the bucket has nothing and Twilio does not answer', async () => {
    await recording(1);
    await database.db.query(`UPDATE recordings SET state = 'failed', object = NULL`);
    bucket.versions_.clear();
    const whole = await before(1);
    twilioFails = new CustodyError('twilio_unavailable', 'down');
    expect((await erase({ recordings: [RE(1)] })).counts).toEqual({ done: 1, failed_twilio_unavailable: 1 });
    expect(await before(1)).toEqual(whole);
  });

  test('two hosts on one database hold by the same policy', async () => {
    await recording(1, { days: 100 });
    await policy(`keep: {default: 90}\nholds: [{id: case-1, recordings: [${RE(1)}]}]`);
    // Another process: nothing but the database is common to both.
    const other: KeepingDeps = {
      ...deps,
      catalog: createCatalog(database.db, account),
      policies: createPolicies(database.db, account),
    };
    for (const host of [deps, other]) {
      const erased = runs().run('erase', { recordings: [RE(1)] }, (run) => eraseSelected(host, run));
      expect((await erased).notes).toEqual({ [RE(1)]: 'held by case-1' });
      const expired = await runs().run('retention', { all: true }, (run) => eraseExpired(host, run));
      expect(expired.counts).toEqual({ done: 1, held: 1 });
    }
    expect([left(), deleted, await certificates.list(9)]).toEqual([3, [], []]);
  });

  test('nothing goes where no certificate could be kept', async () => {
    await recording(1, { days: 100 });
    const whole = await before(1);
    bucket.refusesCertificates = true;
    await expect(erase({ recordings: [RE(1)] })).rejects.toMatchObject({ code: 'store_denied' });
    await policy('keep: {default: 90}');
    await expect(expire()).rejects.toMatchObject({ code: 'store_denied' });
    expect([await before(1), left(), deleted]).toEqual([whole, 3, []]);
  });

  test('nothing goes where the bucket lets nothing go', async () => {
    await recording(1, { days: 100 });
    const whole = await before(1);
    bucket.failing = 'recordings/.check/erasing';
    await expect(erase({ recordings: [RE(1)] })).rejects.toMatchObject({ code: 'store_unavailable' });
    await policy('keep: {default: 90}');
    await expect(expire()).rejects.toMatchObject({ code: 'store_unavailable' });
    expect([await before(1), left(), deleted]).toEqual([whole, 3, []]);
  });

  test('nothing goes where the object that the catalog has is not in the bucket, and no certificate says so', async () => {
    const key = await recording(1);
    bucket.put(key, { versionId: 'v1' });
    const whole = await before(1);
    const { counts, notes } = await erase({ recordings: [RE(1)] });
    expect([counts, notes]).toEqual([
      { done: 1, failed_object_lost: 1 },
      { [RE(1)]: 'erasure not finished: object_lost' },
    ]);
    expect([await open(), await before(1), left(), deleted]).toEqual([['object_lost'], whole, 2, []]);
    expect(await certificates.list(9)).toEqual([]);
  });

  test('nothing goes of many whose objects are not in the bucket, and one alarm says how many', async () => {
    for (const n of [1, 2, 3]) bucket.put(await recording(n), { versionId: 'v1' });
    const { counts } = await erase({ recordings: [RE(1), RE(2), RE(3)] });
    expect(counts).toEqual({ done: 3, failed_object_lost: 3 });
    expect(await open()).toEqual(['object_lost']);
  });

  test('another run that is at it is left alone', async () => {
    await recording(1);
    const plan = { versions: [], atTwilio: true };
    await catalog.intend(RE(1), { reason: 'erasure', policy: 'p', plan }, randomUUID());
    const { counts, notes } = await erase({ recordings: [RE(1)] });
    expect(counts).toEqual({ being_erased: 1 });
    expect(notes?.[RE(1)]).toContain('being erased since');
    expect([left(), deleted]).toEqual([3, []]);
  });
});

describe('what a killed run has left', () => {
  const planned = (n: number) => ({
    versions: ['v2', 'v1'].map((versionId) => ({ key: `recordings/${account}/${RE(n)}`, versionId })),
    atTwilio: true,
  });
  async function begun(n: number, reason: 'erasure' | 'retention', reference?: string) {
    const run = randomUUID();
    const intent = { reason, ...(reference && { reference }), policy: ofThen, plan: planned(n) };
    expect(await catalog.intend(RE(n), intent, run)).toBe(true);
    return run;
  }
  const lapse = () => database.db.query(`UPDATE recordings SET intent_until = now() - interval '1 second'`);

  test('before anything went: asked for by an operator it is decided again, by the policy it is not begun', async () => {
    await recording(1);
    await recording(2);
    await begun(1, 'erasure', 'court order');
    await begun(2, 'retention');
    await lapse();
    expect((await expire()).counts).toEqual({ erased: 1 });
    expect(await said()).toMatchObject({ reason: 'erasure', reference: 'court order' });
    expect((await said()).policy).not.toBe('of then');
    expect([(await catalog.find(RE(2)))?.intent, left(), deleted]).toEqual([undefined, 3, [RE(1)]]);
  });

  test('before anything went, a hold takes it back', async () => {
    await recording(1);
    await begun(1, 'erasure');
    await lapse();
    await policy(`holds: [{id: h, recordings: [${RE(1)}]}]`);
    expect((await expire()).counts).toEqual({ held: 1 });
    expect(originOf((await catalog.find(RE(1))) as RecordingRow)).toBe('vault');
    expect([left(), deleted]).toEqual([3, []]);
  });

  test('behind the first step: it is ended, held or not, and certified as it was decided', async () => {
    const key = await recording(1);
    await begun(1, 'erasure', 'court order');
    // The process was killed before it could note that this version went.
    bucket.put(key, { versionId: 'v1' });
    await lapse();
    await policy(`holds: [{id: h, recordings: [${RE(1)}]}]`);
    await recording(2);
    expect((await erase({ recordings: [RE(2)], reference: 'ticket B' })).counts).toMatchObject({ erased: 2 });
    const all = await certificates.list(9);
    const [jwk = {}] = await signing.publicJwks();
    const texts = await Promise.all(all.map(({ jws }) => verifyCertificate(jws, jwk)));
    const of = (n: number) => texts.find(({ recordings }) => recordings[0]?.recording === RE(n));
    expect(of(1)).toMatchObject({
      reference: 'court order',
      policy: ofThen,
      recordings: [{ versions: 3 }],
    });
    expect(of(2)).toMatchObject({ reference: 'ticket B', recordings: [{ versions: 3 }] });
  });

  test('what cannot be ended for a day is an alarm, until it is', async () => {
    const key = await recording(1);
    bucket.failing = `${key}.json`;
    await erase({ recordings: [RE(1)] });
    expect(await open()).toEqual([]);
    await database.db.query(`UPDATE recordings SET intent_at = now() - interval '25 hours'`);
    await expire();
    expect(await open()).toEqual(['erasure_stuck']);
    bucket.failing = undefined;
    await expire();
    expect([await open(), left()]).toEqual([[], 0]);
  });

  test('one that an earlier release began is ended by no known policy; held, and all there, it stays', async () => {
    await recording(1);
    await catalog.erasing(RE(1));
    await policy(`holds: [{id: h, recordings: [${RE(1)}]}]`);
    expect((await expire()).counts).toEqual({ held: 1 });
    expect([left(), deleted]).toEqual([3, []]);
    await policy('');
    expect((await expire()).counts).toEqual({ erased: 1 });
    expect(await said()).toMatchObject({
      reason: 'erasure',
      policy: 'unknown',
      recordings: [{ versions: 3 }],
    });
  });
});

describe('an erasure ends', () => {
  test.each(['deleted', 'absent'] as const)(
    'where Twilio has the recording %s, and refuses to delete it',
    async (status) => {
      await recording(1);
      statuses.set(RE(1), status);
      expect((await erase({ recordings: [RE(1)] })).counts).toMatchObject({ erased: 1 });
      expect((await said()).recordings[0]?.twilio).toBe(status === 'deleted' ? 'deleted' : 'gone');
    },
  );

  test('where the host deleted the original before', async () => {
    await recording(1);
    await catalog.sourceDeleted(RE(1));
    statuses.set(RE(1), 'unknown');
    expect((await erase({ recordings: [RE(1)] })).counts).toMatchObject({ erased: 1 });
    expect((await said()).recordings[0]?.twilio).toBe('deleted');
  });

  test('not where Twilio keeps it', async () => {
    await recording(1);
    twilioFails = new CustodyError('twilio_refused', '20001');
    expect((await erase({ recordings: [RE(1)] })).counts).toMatchObject({ failed_twilio_refused: 1 });
    expect([await certificates.list(9), (await catalog.find(RE(1)))?.erasedAt]).toEqual([[], undefined]);
  });

  test('where the bucket keeps no versions', async () => {
    await recording(1);
    await database.db.query(`UPDATE recordings SET object = object - 'versionId'`);
    bucket.put(`recordings/${account}/${RE(1)}`, { versionId: 'any' });
    bucket.keepsNone = true;
    expect((await erase({ recordings: [RE(1)] })).counts).toMatchObject({ erased: 1 });
    expect(await said()).toMatchObject({
      recordings: [{ versions: 2, keptVersions: 'unknown', twilio: 'deleted' }],
    });
  });

  test('where neither bucket nor Twilio has anything left', async () => {
    await recording(1);
    await database.db.query(`UPDATE recordings SET state = 'failed', object = NULL`);
    bucket.versions_.clear();
    statuses.set(RE(1), 'unknown');
    expect((await erase({ recordings: [RE(1)] })).counts).toMatchObject({ erased: 1 });
    expect(await said()).toMatchObject({ recordings: [{ versions: 0, twilio: 'gone' }] });
  });

  test('with what somebody who was copying it has put there until the last moment', async () => {
    await recording(1);
    await database.db.query(`UPDATE recordings SET state = 'failed', object = NULL`);
    bucket.versions_.clear();
    const { deleteRecording } = deps.twilio;
    deps.twilio.deleteRecording = async (sid) => {
      bucket.put(`recordings/${account}/${RE(1)}`, { versionId: 'late' });
      return deleteRecording(sid);
    };
    expect((await erase({ recordings: [RE(1)] })).counts).toMatchObject({ erased: 1 });
    expect([left(), (await said()).recordings[0]?.versions]).toEqual([0, 1]);
  });
});

describe('what is asked for', () => {
  test('and unknown is an error, before anything goes', async () => {
    await recording(1);
    const other = `WT${'9'.repeat(32)}` as TaskSid;
    for (const dryRun of [true, false]) {
      await expect(erase({ recordings: [RE(1), RE(8)], dryRun })).rejects.toMatchObject({
        code: 'recording_unknown',
        message: expect.stringContaining(RE(8)),
      });
      await expect(erase({ recordings: [RE(1)], tasks: [WT, other], dryRun })).rejects.toMatchObject({
        code: 'task_unrecorded',
        message: expect.stringContaining(other),
      });
    }
    expect([left(), deleted]).toEqual([3, []]);
  });

  test('by task finds what only a hint names, and says so; a proven task is believed before a hint', async () => {
    const other = `WT${'9'.repeat(32)}` as TaskSid;
    for (const n of [1, 2, 3]) await recording(n, { task: other });
    await database.db.query(`UPDATE recordings SET hints = jsonb_build_object('taskSid', $1::text)`, [WT]);
    await database.db.query(
      `UPDATE recordings SET task_sid = NULL, link_state = 'refused' WHERE recording_sid = $1`,
      [RE(1)],
    );
    await database.db.query(`UPDATE recordings SET unproven = '{owner}' WHERE recording_sid = $1`, [RE(2)]);
    const word = 'would be erased (only a hint names its task)';
    expect((await erase({ tasks: [WT], dryRun: true })).notes).toEqual({ [RE(1)]: word, [RE(2)]: word });
    expect((await erase({ tasks: [WT] })).counts).toMatchObject({ erased: 2 });
    expect((await catalog.find(RE(3)))?.state).toBe('verified');
  });
});

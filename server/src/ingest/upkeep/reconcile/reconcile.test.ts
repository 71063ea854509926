import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CustodyError, objectKey, type RecordingSid, sidecarKey } from '@flex-custody/core';
import { createKeys, createStore, type Store, sealBytes } from '@flex-custody/vault';
import { wav } from '../../../../../packages/vault/test/support.ts';
import { createFaults } from '../../../../../sandbox/src/faults.ts';
import { type OwnS3, startS3 } from '../../../../../sandbox/src/s3/index.ts';
import type { RecordingRow } from '../../../catalog/recording-row.ts';
import type { Db } from '../../../db/db.ts';
import { holdsOn } from '../../../retention/decide.ts';
import { readPolicy } from '../../../retention/policy.ts';
import { FakeTwilio } from '../../testing/fake-twilio.ts';
import { house, sharedDatabase } from '../../testing/house.ts';
import { recorded, scene, sids, startedAt } from '../../testing/scene.ts';
import { bucketPass } from './bucket-pass.ts';
import { type ReconcileOptions, reconcile } from './index.ts';
import { createTally } from './tally.ts';

const shared = sharedDatabase();
const keys = createKeys({ kind: 'raw-aes', keys: [{ keyId: 'k1', key: new Uint8Array(32).fill(3) }] });
const others = createKeys({ kind: 'raw-aes', keys: [{ keyId: 'k9', key: new Uint8Array(32).fill(9) }] });
const audio = wav(4);
let folder: string;
let s3: OwnS3;
let store: Store;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'reconcile-'));
  s3 = await startS3({
    directory: folder,
    region: 'us-east-1',
    buckets: ['custody'],
    faults: createFaults(),
  });
  store = createStore({ ...s3, region: 'us-east-1', bucket: 'custody', pathStyle: true, mode: 'envelope' });
});
afterAll(async () => {
  store.close();
  await s3.close();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  await shared.db.query('TRUNCATE runs');
  for await (const { key } of store.list('')) await store.delete(key);
});

async function open() {
  const twilio = scene();
  const host = await house(twilio, shared.db, { store, keys });
  host.queue.sent = [];
  const run = async (options: Partial<ReconcileOptions> = {}) => {
    const all = { since: new Date(0).toISOString(), ...options };
    return (await host.deps.runs.run('reconcile', all, (one) => reconcile(host.deps, one))).counts;
  };
  return { twilio, ...host, run };
}
type House = Awaited<ReturnType<typeof open>>;

async function put(sid: RecordingSid, by = keys, bytes: Buffer = audio) {
  const key = objectKey(sids.account, sid);
  return store.putBytes(key, await sealBytes(by, { account: sids.account, recording: sid }, bytes));
}

/** As if its copy was verified long ago. */
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

/** With a chunk of so many bytes before the samples. */
function headed(id: string, bytes: number): Buffer {
  const chunk = Buffer.alloc(8 + bytes, 7);
  chunk.write(id, 0, 'latin1');
  chunk.writeUInt32LE(bytes, 4);
  const all = Buffer.concat([audio.subarray(0, 36), chunk, audio.subarray(36)]);
  all.writeUInt32LE(all.length - 8, 4);
  return all;
}

/** What lies in the bucket has lain there for long. */
function aged(host: House): void {
  host.deps.store = new Proxy(store, {
    get(target, name) {
      if (name === 'list')
        return async function* (...of: Parameters<Store['list']>) {
          for await (const one of target.list(...of)) yield { ...one, lastModified: new Date(0) };
        };
      const own: unknown = Reflect.get(target, name, target);
      return typeof own === 'function' ? own.bind(target) : own;
    },
  });
}

describe('what Twilio has', () => {
  test('is taken in where no callback announced it, once, page after page', async () => {
    const host = await open();
    for (const n of [1, 2, 3, 4, 5]) recorded(host.twilio, n);
    await host.ingest.receive(recorded(host.twilio, 2));
    host.queue.sent = [];
    expect(await host.run()).toMatchObject({ seen: 5, known: 1, missed: 4, ingested: 4 });
    expect(await host.catalog.find(sids.recording(5))).toMatchObject({
      state: 'registered',
      source: 'reconcile',
    });
    expect(host.queue.names().sort()).toEqual([...Array(4).fill('copy'), ...Array(4).fill('link')]);
    expect(await host.run()).toMatchObject({ seen: 5, known: 5 });
  });

  test('is looked at again where an earlier run broke off days ago: it cannot answer for this one', async () => {
    const host = await open();
    recorded(host.twilio, 1);
    await host.ingest.receive(recorded(host.twilio, 1));
    host.deps.store = new Proxy(store, {
      get: (target, name) =>
        name === 'list'
          ? () => {
              throw new Error('the bucket is away');
            }
          : Reflect.get(target, name, target),
    });
    await expect(host.run()).rejects.toThrow('away');
    host.deps.store = store;
    await shared.db.query(`UPDATE runs SET saved_at = saved_at - interval '2 days'`);
    recorded(host.twilio, 2);
    expect(await host.run()).toMatchObject({ seen: 2, known: 1, ingested: 1 });
    expect(await host.deps.runs.look('reconcile')).not.toHaveProperty('resumedFrom');
  });

  test('that was never recorded is counted by its reason, and the catalog says so', async () => {
    const host = await open();
    recorded(host.twilio, 1, { status: 'absent', errorCode: '16101' });
    recorded(host.twilio, 2, { status: 'absent', errorCode: '16102' });
    expect(await host.run()).toMatchObject({ absent_16101: 1, absent_16102: 1 });
    expect(await host.catalog.find(sids.recording(2))).toMatchObject({ state: 'absent', failure: '16102' });
    expect(await host.run()).toMatchObject({ known: 2, absent_16101: 1, absent_16102: 1 });
    expect(host.queue.names()).toEqual([]);
  });

  test('that is not finished, or only just, is left to its callback', async () => {
    const host = await open();
    recorded(host.twilio, 1, { status: 'processing' });
    recorded(host.twilio, 2, { startedAt: new Date(Date.now() - 60_000) });
    expect(await host.run({ settledMs: 15 * 60_000 })).toMatchObject({ underway: 2 });
    expect(host.queue.names()).toEqual([]);
  });

  test('that somebody deleted before it was known here is counted, and nothing else', async () => {
    const host = await open();
    recorded(host.twilio, 1, { status: 'deleted' });
    expect(await host.run()).toMatchObject({ seen: 1, deleted: 1 });
    expect(await host.catalog.find(sids.recording(1))).toBeUndefined();
    expect(await host.alarmCodes()).toEqual([]);
  });

  test('is only counted in a dry run', async () => {
    const host = await open();
    recorded(host.twilio, 1);
    expect(await host.run({ dryRun: true })).toMatchObject({ missed: 1 });
    expect(await host.catalog.find(sids.recording(1))).toBeUndefined();
    expect(host.queue.names()).toEqual([]);
  });

  test('is listed from the time where it broke off, hours later, when no page of before is known any more', async () => {
    const host = await open();
    const at = (n: number) => new Date(startedAt.getTime() - n * 60_000);
    for (const n of [1, 2, 3, 4, 5, 6]) recorded(host.twilio, n, { startedAt: at(n) });
    const refused = new CustodyError('twilio_refused', 'the page is no more');
    const page = host.twilio.recordingsPage;
    host.twilio.recordingsPage = async (window, url) => {
      if (url === '4') throw refused;
      return page(window, url);
    };
    await expect(host.run()).rejects.toBe(refused);
    await shared.db.query(`UPDATE runs SET saved_at = saved_at - interval '5 hours'`);
    const asked: unknown[] = [];
    host.twilio.recordingsPage = async (window, url) => {
      asked.push([window.until, url]);
      return page(window, url);
    };
    // Those of the last second are seen again, and taken in once.
    expect(await host.run()).toMatchObject({ seen: 7, known: 1, missed: 6, ingested: 6 });
    const until = new Date(at(4).getTime() + 1_000);
    expect(asked).toEqual([
      [until, undefined],
      [until, '2'],
    ]);
  });

  test('is not looked for behind the end that was asked for, also by a run that continues', async () => {
    const host = await open();
    for (const n of [1, 2, 3]) recorded(host.twilio, n);
    const until = startedAt.toISOString();
    const page = host.twilio.recordingsPage;
    const asked: unknown[] = [];
    host.twilio.recordingsPage = async (window, url) => {
      asked.push(window.until?.toISOString());
      if (url === '2' && asked.length === 2) throw new Error('broken off');
      return page(window, url);
    };
    await expect(host.run({ until })).rejects.toThrow('broken off');
    expect(await host.run({ until })).toMatchObject({ ingested: 3 });
    expect(asked).toEqual([until, until, until, until]);
  });

  test('and was missed waits as long as it has: calls that end now are copied first', async () => {
    const host = await open();
    recorded(host.twilio, 1);
    await host.run();
    expect(host.queue.sent.find(({ name }) => name === 'copy')?.options).toEqual({
      once: `now:${sids.recording(1)}`,
      since: startedAt,
    });
  });

  test('is asked for again while Twilio is away', async () => {
    const host = await open();
    recorded(host.twilio, 1);
    host.twilio.failing.set('recordingsPage', FakeTwilio.down);
    setTimeout(() => host.twilio.failing.clear(), 300);
    expect(await host.run()).toMatchObject({ ingested: 1 });
    expect(host.twilio.asked.filter((name) => name === 'recordingsPage').length).toBeGreaterThan(1);
  });
});

describe('what the catalog has', () => {
  test('and the bucket too is well, whatever lies beside it', async () => {
    const host = await open();
    const { object } = await verified(host, 1);
    await store.putBytes(`${object.key}.json`, Buffer.from('{}'));
    await store.putBytes(`recordings/${sids.account}/notes.txt`, Buffer.from('x'));
    await verified(host, 2);
    expect(await host.run()).toEqual({ seen: 2, known: 2, compared: 2, done: 4 });
    expect(await host.alarmCodes()).toEqual([]);
  });

  test('and the bucket lacks is an alarm, and copied again while Twilio has it', async () => {
    const host = await open();
    const { sid, object } = await verified(host, 1);
    await store.delete(object.key, object.versionId);
    host.queue.sent = [];
    expect(await host.run({ dryRun: true })).toMatchObject({ lost: 1 });
    expect((await host.catalog.find(sid))?.state).toBe('verified');
    expect(await host.run()).toMatchObject({ lost: 1, recopied: 1 });
    expect(await host.catalog.find(sid)).toMatchObject({ state: 'registered', failure: 'object_missing' });
    expect(await host.alarmCodes()).toEqual(['object_lost']);
    expect(host.queue.names()).toEqual(['copy']);
  });

  test('and neither has any more stays as it is, under its alarm', async () => {
    const host = await open();
    const { sid, object } = await verified(host, 1);
    await store.delete(object.key, object.versionId);
    recorded(host.twilio, 1, { status: 'deleted' });
    expect(await host.run()).toMatchObject({ lost: 1 });
    expect((await host.catalog.find(sid))?.state).toBe('verified');
    expect((await host.alarms.list())[0]).toMatchObject({
      code: 'object_lost',
      detail: expect.stringContaining('neither'),
    });
  });

  test('and the bucket lacks of many recordings is one alarm, until a look at the whole bucket finds all of them', async () => {
    const host = await open();
    const lost = [await verified(host, 1), await verified(host, 2), await verified(host, 3)];
    for (const { object } of lost) await store.delete(object.key, object.versionId);
    expect(await host.run()).toMatchObject({ lost: 3, recopied: 3 });
    expect(await host.alarms.list({ open: true })).toEqual([
      expect.objectContaining({
        code: 'object_lost',
        times: 1,
        detail: expect.stringContaining('3 recordings'),
      }),
    ]);
    expect((await host.alarms.list())[0]).not.toHaveProperty('recordingSid');
    await host.run({ withoutBucket: true });
    expect(await host.alarmCodes()).toEqual(['object_lost']);
    await host.run();
    expect(await host.alarms.list({ open: true })).toEqual([]);
  });

  test('and what was found is told, though the run breaks off', async () => {
    const host = await open();
    const { object } = await verified(host, 1);
    await verified(host, 2);
    await store.delete(object.key, object.versionId);
    const { find } = host.catalog;
    const broken = new Error('the database is away');
    let looks = 0;
    host.deps.catalog = {
      ...host.catalog,
      find: (sid) => find(sid).finally(() => (looks += 1)),
      lost: () => Promise.reject(broken),
    };
    await expect(host.run({ since: new Date(Date.now() + 1_000).toISOString() })).rejects.toBe(broken);
    expect(looks).toBeGreaterThan(0);
    expect(await host.alarmCodes()).toEqual(['object_lost']);
  });

  test('in an earlier version is not lost behind a later one', async () => {
    const host = await open();
    const { sid } = await verified(host, 1);
    await put(sid);
    expect((await host.run())['lost']).toBeUndefined();
  });
});

describe('a pass over the bucket', () => {
  /** The statements that a host sends for a pass over so many recordings, all of which are well, but for `lost` alarms. */
  async function statementsOf(rows: number, lost: readonly number[]) {
    const host = await open();
    await shared.db.query(
      `INSERT INTO recordings (recording_sid, account_sid, channels, started_at, source, state, object)
       SELECT 'RE' || lpad(to_hex(n), 32, '0'), $1, 2, now(), 'callback', 'verified', $3::jsonb
       FROM generate_series(1, $2::int) n`,
      [sids.account, rows, JSON.stringify({ key: 'k', etag: '"e"' })],
    );
    for (const n of lost) await host.alarms.raise('object_lost', sids.recording(n), 'so');
    const statements: string[] = [];
    const db: Db = {
      ...shared.db,
      query: (text, values) => {
        statements.push(text);
        return shared.db.query(text, values);
      },
      routine: (text, values) => {
        statements.push(text);
        return shared.db.routine(text, values);
      },
    };
    const counted = await house(host.twilio, db, {
      keys,
      store: new Proxy(store, {
        get: (target, name) =>
          name === 'list'
            ? async function* () {
                for (let n = 1; n <= rows; n += 1)
                  yield {
                    key: objectKey(sids.account, sids.recording(n)),
                    etag: '"e"',
                    lastModified: new Date(0),
                  };
              }
            : Reflect.get(target, name, target),
      }),
    });
    statements.length = 0;
    const tally = createTally();
    const signal = new AbortController().signal;
    const saved: unknown[] = [];
    await bucketPass(counted.deps, tally, { dryRun: false, after: undefined, signal }, async (sid) => {
      saved.push(sid);
    });
    expect(tally.counts).toEqual({ compared: rows });
    expect(await host.alarmCodes()).toEqual([]);
    return { statements, saved };
  }

  test('costs two statements for each page, one for each alarm that is over, and one', async () => {
    const { statements, saved } = await statementsOf(1_200, [3, 700]);
    expect(saved).toEqual([sids.recording(500), sids.recording(1_000)]);
    expect(statements.filter((text) => text.startsWith('SELECT'))).toHaveLength(6);
    // One more at the beginning, of the alarm about the inventory.
    expect(statements.filter((text) => text.includes('UPDATE alarms'))).toHaveLength(3);
    expect(statements).toHaveLength(9);
  });

  test('lets others have their turn after each page', async () => {
    const host = await open();
    const rows = Array.from({ length: 1_100 }, (_none, n) => ({ recordingSid: sids.recording(n + 1) }));
    const after = (sid: string | undefined) => rows.filter(({ recordingSid }) => recordingSid > (sid ?? ''));
    const parts = {
      ...host.deps,
      store: { list: async function* () {} } as unknown as Store,
      // Nothing here waits for anything: only a pause gives way.
      alarms: { ...host.alarms, standing: async () => new Set<RecordingSid>() },
      catalog: {
        ...host.catalog,
        inOrder: async (sid: RecordingSid | undefined, limit: number) =>
          after(sid).slice(0, limit) as RecordingRow[],
      },
    };
    const turns: number[] = [];
    const signal = new AbortController().signal;
    const tally = createTally();
    await bucketPass(parts, tally, { dryRun: false, after: undefined, signal }, async () => {
      setImmediate(() => turns.push(tally.counts['compared'] ?? 0));
    });
    expect(turns).toEqual([500, 1_000]);
  });

  test('is the same where a store lists from its first key in any case', async () => {
    const host = await open();
    for (const n of [1, 2, 3]) await verified(host, n);
    const asked: unknown[] = [];
    host.deps.store = new Proxy(store, {
      get(target, name) {
        if (name === 'list')
          return (prefix: string, options: object) => {
            asked.push(options);
            return target.list(prefix);
          };
        const own: unknown = Reflect.get(target, name, target);
        return typeof own === 'function' ? own.bind(target) : own;
      },
    });
    const tally = createTally();
    const after = sids.recording(1);
    const signal = new AbortController().signal;
    await bucketPass(host.deps, tally, { dryRun: false, after, signal }, async () => undefined);
    expect(tally.counts).toEqual({ compared: 2 });
    expect(asked).toEqual([{ after: sidecarKey(sids.account, after) }]);
  });
});

describe('what the bucket has and the catalog lacks', () => {
  test("is adopted with Twilio's facts, to be verified and linked", async () => {
    const host = await open();
    recorded(host.twilio, 1);
    await put(sids.recording(1));
    aged(host);
    expect(await host.run({ since: new Date(Date.now() + 1_000).toISOString() })).toMatchObject({
      unknown: 1,
      adopted: 1,
    });
    const row = await host.catalog.find(sids.recording(1));
    expect(row).toMatchObject({
      state: 'sealed',
      source: 'adopted',
      durationSeconds: 30,
      object: { plaintextBytes: audio.length, keyId: 'k1', versionId: expect.any(String) },
      startedAt,
      unproven: [],
    });
    expect(host.queue.names().sort()).toEqual(['link', 'verify']);
  });

  test.each([
    ['Twilio does not know', () => undefined],
    ['Twilio says was never recorded', (twilio: FakeTwilio) => recorded(twilio, 7, { status: 'absent' })],
    ['is of another account', (t: FakeTwilio) => recorded(t, 7, { accountSid: sids.otherAccount })],
  ])('and %s is kept as nobody knows what, under an alarm', async (_what, scene) => {
    const host = await open();
    scene(host.twilio);
    await put(sids.recording(7));
    aged(host);
    expect(await host.run({ since: new Date().toISOString() })).toMatchObject({ adopted: 1 });
    expect(await host.catalog.find(sids.recording(7))).toMatchObject({
      state: 'sealed',
      durationSeconds: 4,
      channels: 2,
      unproven: ['owner', 'caller', 'direction', 'start'],
    });
    // Its start is when it was put there: it may be of any day.
    const ofYears = readPolicy('version: 1\nholds: [{id: old, from: 2019-01-01, until: 2019-12-31}]\n');
    const row = await host.catalog.find(sids.recording(7));
    expect(row && holdsOn(ofYears, row, undefined)).toEqual(['old']);
    expect(await host.alarmCodes()).toEqual(['object_unknown']);
    await host.queue.run('link', { recordingSid: sids.recording(7) });
    expect(await host.catalog.find(sids.recording(7))).toMatchObject({
      linkState: 'unlinked',
      linkReason: 'task_not_found',
    });
    expect(await host.alarmCodes()).toEqual(['object_unknown']);
  });

  test.each([
    ['of another key', 'envelope_wrong_key', () => put(sids.recording(7), others)],
    ['that is no audio', 'not_audio', () => put(sids.recording(7), keys, Buffer.alloc(9_000, 1))],
    [
      'that is not sealed',
      'envelope_malformed',
      () => store.putBytes(objectKey(sids.account, sids.recording(7)), audio),
    ],
  ])('%s is an alarm, and left alone', async (_what, detail, lay) => {
    const host = await open();
    await lay();
    aged(host);
    expect(await host.run()).toMatchObject({ unknown: 1, unreadable: 1 });
    expect((await host.alarms.list())[0]).toMatchObject({ code: 'object_unreadable', detail });
    expect(await host.catalog.find(sids.recording(7))).toBeUndefined();
  });

  test('of which Twilio knows none is one alarm for all, whatever is to be deleted at Twilio', async () => {
    const host = await open();
    Object.assign(host.deps.config, { deleteSourceAfterHours: 24 });
    const all = [4, 5, 6].map((n) => sids.recording(n));
    for (const sid of all) await put(sid);
    aged(host);
    expect(await host.run()).toMatchObject({ adopted: 3 });
    for (const recordingSid of all)
      for (const job of ['verify', 'link', 'prove'] as const) await host.queue.run(job, { recordingSid });
    expect((await host.alarms.list()).map(({ code, detail }) => [code, detail])).toEqual([
      ['object_unknown', expect.stringContaining('3 recordings')],
    ]);
    expect(await host.catalog.find(sids.recording(4))).toMatchObject({
      state: 'verified',
      linkState: 'unlinked',
    });
  });

  test.each([
    ['a bext of 5,000 bytes', headed('bext', 5_000)],
    ['a LIST of 6,000 bytes', headed('LIST', 6_000)],
  ])('with %s before its samples is adopted', async (_what, bytes) => {
    const host = await open();
    await put(sids.recording(7), keys, bytes);
    aged(host);
    expect(await host.run()).toMatchObject({ adopted: 1 });
    expect(await host.catalog.find(sids.recording(7))).toMatchObject({ durationSeconds: 4 });
  });

  test('is not as long as it says is taken in only where Twilio has it to be copied again', async () => {
    const host = await open();
    recorded(host.twilio, 7);
    for (const n of [7, 8]) await put(sids.recording(n), keys, audio.subarray(0, -4_000));
    aged(host);
    expect(await host.run({ since: new Date(Date.now() + 1_000).toISOString() })).toMatchObject({
      adopted: 1,
      unreadable: 1,
    });
    expect(await host.catalog.find(sids.recording(8))).toBeUndefined();
    expect((await host.alarms.list())[0]).toMatchObject({
      code: 'object_unreadable',
      detail: 'object_length',
    });
  });

  test('that is empty is no recording', async () => {
    const host = await open();
    await put(sids.recording(7), keys, Buffer.alloc(0));
    aged(host);
    expect(await host.run()).toMatchObject({ unreadable: 1 });
    expect((await host.alarms.list())[0]).toMatchObject({ detail: 'not_audio' });
  });

  test('only just may still be reported', async () => {
    const host = await open();
    await put(sids.recording(7));
    expect(await host.run()).toMatchObject({ underway: 1 });
    expect(await host.catalog.find(sids.recording(7))).toBeUndefined();
  });
});

test('what a killed writer has put there when its recording was erased goes too, once it has settled', async () => {
  const host = await open();
  const { sid } = await verified(host, 77);
  await host.catalog.erasing(sid);
  await host.catalog.erased(sid, '0b5f2c36-5b3b-4c57-9a51-0f2f3c1f9d11');
  const versions = async () => {
    let found = 0;
    for await (const { key } of store.versions('')) if (key.includes(sid)) found += 1;
    return found;
  };
  expect([await host.run(), await versions()]).toEqual([expect.objectContaining({ compared: 1 }), 1]);
  aged(host);
  expect(await host.run({ dryRun: true })).toMatchObject({ left_of_erased: 1 });
  expect(await versions()).toBe(1);
  expect(await host.run()).toMatchObject({ left_of_erased: 1 });
  expect(await versions()).toBe(0);
  await store.putBytes(sidecarKey(sids.account, sid), Buffer.from('written late'));
  expect([await host.run(), await versions()]).toEqual([expect.objectContaining({ left_of_erased: 1 }), 0]);
});

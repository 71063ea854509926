import { randomUUID } from 'node:crypto';
import { CustodyError, objectKey } from '@flex-custody/core';
import { createKeys, sealBytes } from '@flex-custody/vault';
import { createPolicies } from '../../retention/policies.ts';
import { FakeTwilio } from '../testing/fake-twilio.ts';
import { house, sealedObject, sharedDatabase } from '../testing/house.ts';
import { recorded, scene, sids } from '../testing/scene.ts';
import { deleteSources as look } from './sources-job.ts';

const shared = sharedDatabase();
const signal = new AbortController().signal;
const digest = 'a'.repeat(64);
const proof = { at: '2026-11-20T10:00:00.000Z', host: 'h', by: 'second-look', how: 'sha256' } as const;

/** Keys of one file; a host without the first opens nothing that it sealed. */
const keyOf = (byte: number) =>
  createKeys({ kind: 'raw-aes', keys: [{ keyId: 'k1', key: Buffer.alloc(32, byte) }] });
const keys = keyOf(7);
const policy = (text: string) => createPolicies(shared.db, sids.account).apply(`version: 1\n${text}`, 'test');

/** How many went. */
const deleteSources = async (...how: Parameters<typeof look>) => (await look(...how)).deleted;

async function open() {
  const twilio = scene();
  const host = await house(twilio, shared.db, { keys });
  host.deps.config = { ...host.deps.config, deleteSourceAfterHours: 24 };
  return { twilio, ...host };
}
type House = Awaited<ReturnType<typeof open>>;

/** Verified and described so many hours ago, and proven. */
async function kept(n: number, hours: number, host: House, isProven = true) {
  const sid = sids.recording(n);
  const answer = await host.ingest.receive(recorded(host.twilio, n));
  if (answer.action !== 'copy') throw new Error('no lease');
  const audio = Buffer.from(`audio ${n}`);
  const sealed = await sealBytes(keys, { account: sids.account, recording: sid }, audio);
  const stored = await host.store.putBytes(objectKey(sids.account, sid), sealed);
  const object = sealedObject(sid, { ...stored, plaintextBytes: audio.length });
  await host.catalog.sealed(sid, answer.lease, object, 2);
  await host.catalog.verified(sid, object, digest);
  if (isProven) await host.catalog.proven(sid, object, proof);
  const sidecar = host.store.holds(sealedObject(sid, { key: `${object.key}.json`, versionId: 's1' }));
  await host.catalog.described(sid, undefined, { key: sidecar.key, versionId: 's1', etag: sidecar.etag });
  await shared.db.query(
    `UPDATE recordings SET verified_at = now() - $2::double precision * interval '1 hour' WHERE recording_sid = $1`,
    [sid, hours],
  );
  return { sid, object, sidecar };
}

test('an original goes when its time has come, not before, and what lies beside the copy learns of it', async () => {
  const host = await open();
  const old = await kept(1, 25, host);
  const young = await kept(2, 23, host);
  host.queue.sent = [];
  expect(await deleteSources(host.deps, signal)).toBe(1);
  expect([...host.twilio.recordings.keys()]).toEqual([young.sid]);
  expect((await host.catalog.find(old.sid))?.sourceDeletedAt).toBeInstanceOf(Date);
  expect(host.queue.sent).toMatchObject([{ name: 'describe', data: { recordingSid: old.sid } }]);
  expect(await deleteSources(host.deps, signal)).toBe(0);
});

test('what is under a hold stays, without an alarm, until the hold is gone; a policy that is broken holds all', async () => {
  const host = await open();
  const { sid } = await kept(1, 25, host);
  await kept(2, 25, host);
  await shared.db.query(
    `INSERT INTO policies (account_sid, body, digest, applied_by) VALUES ($1, 'version: 2', 'd', 'newer')`,
    [sids.account],
  );
  await expect(deleteSources(host.deps, signal)).rejects.toMatchObject({ code: 'policy_invalid' });
  await policy(`holds: [{id: h, recordings: [${sid}]}]`);
  // Another host knows of it by the database alone.
  const other = await house(host.twilio, shared.db, { ...host.deps, policies: undefined as never });
  other.deps.policies = createPolicies(shared.db, sids.account);
  expect(await deleteSources(other.deps, signal)).toBe(1);
  expect([...host.twilio.recordings.keys()]).toEqual([sid]);
  expect(await deleteSources(host.deps, signal)).toBe(0);
  expect(await host.alarmCodes()).toEqual([]);
  await policy('');
  expect(await deleteSources(host.deps, signal)).toBe(1);
});

test('a hold that is applied while the job runs holds', async () => {
  const host = await open();
  // As many as are looked at at once, and one more.
  for (let n = 1; n <= 8; n += 1) await kept(n, 40 - n, host);
  const { sid } = await kept(9, 25, host);
  const { deleteRecording } = host.twilio;
  host.twilio.deleteRecording = async (one) => {
    await policy(`holds: [{id: late, recordings: [${sid}]}]`);
    return deleteRecording(one);
  };
  expect(await deleteSources(host.deps, signal)).toBe(8);
  expect([...host.twilio.recordings.keys()]).toEqual([sid]);
});

test('nothing goes while the keys at hand do not open the copies, and one alarm says so', async () => {
  const host = await open();
  const { sid } = await kept(1, 26, host);
  await kept(2, 25, host);
  host.deps.keys = keyOf(8);
  expect(await deleteSources(host.deps, signal)).toBe(0);
  expect([host.twilio.recordings.size, await host.alarmCodes()]).toEqual([2, ['sources_stopped']]);
  expect((await host.alarms.list())[0]?.detail).toBe(`${sid}: its copy cannot be opened: envelope_wrong_key`);
  host.deps.keys = { ...keys, unwrap: () => Promise.reject(new CustodyError('key_denied', 'disabled')) };
  expect(await deleteSources(host.deps, signal)).toBe(0);
  expect([host.twilio.recordings.size, await host.alarmCodes()]).toEqual([2, ['sources_stopped']]);
  host.deps.keys = keys;
  expect(await deleteSources(host.deps, signal)).toBe(2);
  expect(await host.alarmCodes()).toEqual([]);
});

test('a copy whose last frame does not open keeps its original', async () => {
  const host = await open();
  await kept(1, 25, host);
  for (const bytes of host.store.written.values()) bytes[bytes.length - 1]! ^= 1;
  expect(await deleteSources(host.deps, signal)).toBe(0);
  expect([host.twilio.recordings.size, await host.alarmCodes()]).toEqual([1, ['source_kept']]);
});

test.each([
  ['that deletes what is due', false, []],
  ['that an alarm of its own stops', true, ['sources_stopped']],
])('a run %s resolves sources_failed', async (_how, isStopped, left) => {
  const host = await open();
  await kept(1, 25, host);
  await host.alarms.raise('sources_failed', undefined, 'twilio_unavailable');
  host.twilio.failing.set('deleteRecording', new CustodyError('twilio_unavailable', 'away'));
  await expect(deleteSources(host.deps, signal)).rejects.toMatchObject({ code: 'twilio_unavailable' });
  expect(await host.alarmCodes()).toEqual(['sources_failed']);
  host.twilio.failing.clear();
  host.store.keeps = !isStopped;
  await deleteSources(host.deps, signal);
  expect(await host.alarmCodes()).toEqual(left);
});

test('nothing goes while the bucket keeps no versions, unless that is accepted', async () => {
  const host = await open();
  await kept(1, 25, host);
  host.store.keeps = false;
  expect(await deleteSources(host.deps, signal)).toBe(0);
  expect([host.twilio.recordings.size, await host.alarmCodes()]).toEqual([1, ['sources_stopped']]);
  host.deps.config = { ...host.deps.config, acceptUnversioned: true };
  expect(await deleteSources(host.deps, signal)).toBe(1);
});

test('a legal hold in the bucket keeps the original too; a lock that ends keeps its object alone', async () => {
  const host = await open();
  const { object } = await kept(1, 25, host);
  const stored = host.store.objects.get(`${object.key}?${object.versionId}`)!;
  stored.lock = { legalHold: true };
  expect(await deleteSources(host.deps, signal)).toBe(0);
  expect([host.twilio.recordings.size, await host.alarmCodes()]).toEqual([1, []]);
  stored.lock = { legalHold: false, until: new Date('2099-01-01') };
  // A day later.
  await shared.db.query(`UPDATE recordings SET source_after = now() - interval '1 second'`);
  expect(await deleteSources(host.deps, signal)).toBe(1);
});

test.each([
  ["Twilio's clock", 86_400_000],
  ["the host's clock", -86_400_000],
])('nothing goes while %s is ahead', async (_whose, aheadMs) => {
  const host = await open();
  await kept(1, 25, host);
  host.twilio.aheadMs = aheadMs;
  expect(await deleteSources(host.deps, signal)).toBe(0);
  expect([host.twilio.recordings.size, await host.alarmCodes()]).toEqual([1, ['clock_differs']]);
});

test('nor while the database has another time than this host', async () => {
  const host = await open();
  await kept(1, 25, host);
  const now = async () => new Date(Date.now() - 6 * 60_000);
  const catalog = { ...host.catalog, now };
  expect(await deleteSources({ ...host.deps, catalog }, signal)).toBe(0);
  expect([host.twilio.recordings.size, await host.alarmCodes()]).toEqual([1, ['clock_differs']]);
});

test("what is being erased is the erasure's", async () => {
  const host = await open();
  const { sid } = await kept(1, 25, host);
  const plan = { versions: [], atTwilio: true };
  await host.catalog.intend(sid, { reason: 'erasure', policy: 'p', plan }, randomUUID());
  expect(await deleteSources(host.deps, signal)).toBe(0);
  expect(host.twilio.recordings.size).toBe(1);
});

test('what stays is not read again by the next look, and is when another policy is in force', async () => {
  const host = await open();
  const { sid } = await kept(1, 25, host);
  await shared.db.query(
    `INSERT INTO recordings (recording_sid, account_sid, channels, started_at, source, state, object, proof, sidecar, verified_at)
     SELECT 'RE' || lpad(to_hex(n + 4096), 32, '0'), account_sid, 2, '2020-01-01', 'callback', 'verified', object, proof, sidecar,
       now() - interval '30 hours'
     FROM recordings, generate_series(1, 200) n WHERE recording_sid = $1`,
    [sid],
  );
  await policy('holds: [{id: h, from: 2019-12-31, until: 2020-01-02}]');
  // A look that has no time takes one page, and says that there may be more.
  await host.alarms.raise('sources_failed', undefined, 'twilio_unavailable');
  expect(await look(host.deps, signal, 0)).toEqual({ deleted: 0, hasMore: true });
  // It has not failed, though it is not at the end.
  expect(await host.alarmCodes()).toEqual([]);
  expect(await host.catalog.sourcesDue(24, 500)).toHaveLength(1);
  expect(await look(host.deps, signal)).toEqual({ deleted: 1, hasMore: false });
  expect(host.twilio.recordings.has(sid)).toBe(false);
  const asked: number[] = [];
  const catalog = {
    ...host.catalog,
    sourcesDue: async (...of: Parameters<typeof host.catalog.sourcesDue>) => {
      const rows = await host.catalog.sourcesDue(...of);
      asked.push(rows.length);
      return rows;
    },
  };
  await look({ ...host.deps, catalog }, signal);
  await policy('holds: [{id: h, from: 2019-12-31, until: 2020-01-03}]');
  await look({ ...host.deps, catalog }, signal);
  expect(asked).toEqual([0, 200, 0]);
  await shared.db.query(
    `UPDATE recordings SET source_after = now() - interval '1 second' WHERE source_after IS NOT NULL`,
  );
  await look({ ...host.deps, catalog }, signal);
  expect(asked.slice(3)).toEqual([200, 0]);
});

test('however many must stay, those behind them go', async () => {
  const host = await open();
  const { sid } = await kept(1, 25, host);
  await shared.db.query(
    `INSERT INTO recordings (recording_sid, account_sid, channels, started_at, source, state, object, proof, sidecar, verified_at)
     SELECT 'RE' || lpad(to_hex(n + 4096), 32, '0'), account_sid, 2, now(), 'callback', 'verified', object, proof, sidecar,
       now() - interval '30 hours'
     FROM recordings, generate_series(1, 250) n WHERE recording_sid = $1`,
    [sid],
  );
  await shared.db.query(
    `UPDATE recordings SET object = object || '{"etag":"lost"}'::jsonb WHERE recording_sid <> $1`,
    [sid],
  );
  expect(await deleteSources(host.deps, signal)).toBe(1);
  expect((await host.catalog.find(sid))?.sourceDeletedAt).toBeInstanceOf(Date);
});

test('one that somebody else has deleted counts as gone', async () => {
  const host = await open();
  const { sid } = await kept(1, 25, host);
  host.twilio.recordings.delete(sid);
  expect(await deleteSources(host.deps, signal)).toBe(1);
  expect((await host.catalog.find(sid))?.sourceDeletedAt).toBeInstanceOf(Date);
});

test('one whose copy is not proven waits for that, without an alarm, and goes at a later look', async () => {
  const host = await open();
  const { sid, object } = await kept(1, 25, host, false);
  host.queue.sent = [];
  expect(await deleteSources(host.deps, signal)).toBe(0);
  expect(await deleteSources(host.deps, signal)).toBe(0);
  expect(host.twilio.recordings.has(sid)).toBe(true);
  expect(host.queue.sent).toEqual([{ name: 'prove', data: { recordingSid: sid }, options: { once: sid } }]);
  expect(await host.alarmCodes()).toEqual([]);
  await host.catalog.proven(sid, object, proof);
  expect(await deleteSources(host.deps, signal)).toBe(1);
  expect(host.twilio.recordings.has(sid)).toBe(false);
});

test('one whose copy could not be proven is tried again after a day', async () => {
  const host = await open();
  const { sid } = await kept(1, 25, host, false);
  host.queue.sent = [];
  await host.catalog.proofTried(sid);
  expect(await deleteSources(host.deps, signal)).toBe(0);
  expect(host.queue.sent).toEqual([]);
  await shared.db.query(
    `UPDATE recordings SET proof_tried_at = now() - interval '25 hours', source_after = now() - interval '1 hour'`,
  );
  expect(await deleteSources(host.deps, signal)).toBe(0);
  expect(host.queue.names()).toEqual(['prove']);
});

test.each([
  ['has another object now, which is not in the bucket', `object = object || '{"versionId":"v2"}'::jsonb`],
  ['is proven no longer', 'proof = NULL'],
  ['is verified no longer', `state = 'sealed'`],
])('one that was due, and %s, stays', async (_what, change) => {
  const host = await open();
  const { sid } = await kept(1, 25, host);
  const page = await host.catalog.sourcesDue(24, 10);
  await shared.db.query(`UPDATE recordings SET ${change}`);
  const catalog = { ...host.catalog, sourcesDue: async () => page };
  expect(await deleteSources({ ...host.deps, catalog }, signal)).toBe(0);
  expect(host.twilio.recordings.has(sid)).toBe(true);
});

const changes: Record<string, [number, (host: House) => unknown]> = {
  'without a setting': [
    0,
    (host) => {
      const { deleteSourceAfterHours: _, ...off } = host.deps.config;
      host.deps.config = off;
    },
  ],
  'whose copy is not there': [1, (host) => host.store.objects.clear()],
  'whose copy is another': [
    1,
    (host) => {
      for (const stored of host.store.objects.values()) stored.etag = '"other"';
    },
  ],
  'without its sidecar': [
    1,
    (host) => {
      for (const key of host.store.objects.keys()) if (key.includes('.json')) host.store.objects.delete(key);
    },
  ],
  'that is verified no longer': [0, () => shared.db.query(`UPDATE recordings SET state = 'sealed'`)],
  'that nothing describes': [0, () => shared.db.query('UPDATE recordings SET sidecar = NULL')],
};

test.each(Object.entries(changes))('one %s stays', async (_what, [alarms, change]) => {
  const host = await open();
  const { sid } = await kept(1, 25, host);
  await change(host);
  expect(await deleteSources(host.deps, signal)).toBe(0);
  expect(host.twilio.recordings.has(sid)).toBe(true);
  expect(await host.alarmCodes()).toEqual(Array(alarms).fill('source_kept'));
});

test('while Twilio is away nothing is noted as gone', async () => {
  const host = await open();
  const { sid } = await kept(1, 25, host);
  host.twilio.failing.set('deleteRecording', FakeTwilio.down);
  await expect(deleteSources(host.deps, signal)).rejects.toMatchObject({ retryable: true });
  expect((await host.catalog.find(sid))?.sourceDeletedAt).toBeUndefined();
});

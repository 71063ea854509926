import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deleteSources } from './sources-job.ts';
import { FakeTwilio } from './testing/fake-twilio.ts';
import { house, sealedObject, sharedDatabase } from './testing/house.ts';
import { recorded, scene, sids } from './testing/scene.ts';

const shared = sharedDatabase();
const signal = new AbortController().signal;
const digest = 'a'.repeat(64);
const proof = { at: '2026-11-20T10:00:00.000Z', host: 'h', by: 'second-look', how: 'sha256' } as const;

async function open() {
  const twilio = scene();
  const host = await house(twilio, shared.db);
  host.parts.config = { ...host.parts.config, deleteSourceAfterHours: 24 };
  return { twilio, ...host };
}
type House = Awaited<ReturnType<typeof open>>;

/** Verified and described so many hours ago, and proven. */
async function kept(n: number, hours: number, host: House, isProven = true) {
  const sid = sids.recording(n);
  const answer = await host.ingest.receive(recorded(host.twilio, n));
  if (answer.action !== 'copy') throw new Error('no lease');
  const object = host.store.holds(sealedObject(sid));
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
  expect(await deleteSources(host.parts, signal)).toBe(1);
  expect([...host.twilio.recordings.keys()]).toEqual([young.sid]);
  expect((await host.catalog.find(old.sid))?.sourceDeletedAt).toBeInstanceOf(Date);
  expect(host.queue.sent).toMatchObject([{ name: 'describe', data: { recordingSid: old.sid } }]);
  expect(await deleteSources(host.parts, signal)).toBe(0);
});

test('what is under a hold stays, without an alarm, until the hold is gone; a policy that is broken holds all', async () => {
  const host = await open();
  const { sid } = await kept(1, 25, host);
  await kept(2, 25, host);
  const folder = mkdtempSync(join(tmpdir(), 'sources-'));
  const policyFile = join(folder, 'policy.yaml');
  host.parts.config = { ...host.parts.config, policyFile };
  writeFileSync(policyFile, 'version: 2');
  await expect(deleteSources(host.parts, signal)).rejects.toMatchObject({ code: 'policy_invalid' });
  writeFileSync(policyFile, `version: 1\nholds: [{id: h, recordings: [${sid}]}]`);
  expect(await deleteSources(host.parts, signal)).toBe(1);
  expect([...host.twilio.recordings.keys()]).toEqual([sid]);
  expect(await host.alarmCodes()).toEqual([]);
  writeFileSync(policyFile, 'version: 1');
  expect(await deleteSources(host.parts, signal)).toBe(1);
  rmSync(folder, { recursive: true });
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
  expect(await deleteSources(host.parts, signal)).toBe(1);
  expect((await host.catalog.find(sid))?.sourceDeletedAt).toBeInstanceOf(Date);
});

test('one that somebody else has deleted counts as gone', async () => {
  const host = await open();
  const { sid } = await kept(1, 25, host);
  host.twilio.recordings.delete(sid);
  expect(await deleteSources(host.parts, signal)).toBe(1);
  expect((await host.catalog.find(sid))?.sourceDeletedAt).toBeInstanceOf(Date);
});

test('one whose copy is not proven waits for that, without an alarm, and goes at a later look', async () => {
  const host = await open();
  const { sid, object } = await kept(1, 25, host, false);
  host.queue.sent = [];
  expect(await deleteSources(host.parts, signal)).toBe(0);
  expect(await deleteSources(host.parts, signal)).toBe(0);
  expect(host.twilio.recordings.has(sid)).toBe(true);
  expect(host.queue.sent).toEqual([{ name: 'prove', data: { recordingSid: sid }, options: { once: sid } }]);
  expect(await host.alarmCodes()).toEqual([]);
  await host.catalog.proven(sid, object, proof);
  expect(await deleteSources(host.parts, signal)).toBe(1);
  expect(host.twilio.recordings.has(sid)).toBe(false);
});

test('one whose copy could not be proven is tried again after a day', async () => {
  const host = await open();
  const { sid } = await kept(1, 25, host, false);
  host.queue.sent = [];
  await host.catalog.proofTried(sid);
  expect(await deleteSources(host.parts, signal)).toBe(0);
  expect(host.queue.sent).toEqual([]);
  await shared.db.query(`UPDATE recordings SET proof_tried_at = now() - interval '25 hours'`);
  expect(await deleteSources(host.parts, signal)).toBe(0);
  expect(host.queue.names()).toEqual(['prove']);
});

test.each([
  ['has another object now, which is not in the bucket', `object = object || '{"versionId":"v2"}'::jsonb`],
  ['is proven no longer', 'proof = NULL'],
  ['is verified no longer', `state = 'sealed'`],
])('one that was due, and %s, stays', async (_what, change) => {
  const host = await open();
  const { sid } = await kept(1, 25, host);
  const page = await host.catalog.sourcesDue(24, 10, 0);
  await shared.db.query(`UPDATE recordings SET ${change}`);
  const catalog = { ...host.catalog, sourcesDue: async () => page };
  expect(await deleteSources({ ...host.parts, catalog }, signal)).toBe(0);
  expect(host.twilio.recordings.has(sid)).toBe(true);
});

const changes: Record<string, [number, (host: House) => unknown]> = {
  'without a setting': [
    0,
    (host) => {
      const { deleteSourceAfterHours: _, ...off } = host.parts.config;
      host.parts.config = off;
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
  expect(await deleteSources(host.parts, signal)).toBe(0);
  expect(host.twilio.recordings.has(sid)).toBe(true);
  expect(await host.alarmCodes()).toEqual(Array(alarms).fill('source_kept'));
});

test('while Twilio is away nothing is noted as gone', async () => {
  const host = await open();
  const { sid } = await kept(1, 25, host);
  host.twilio.failing.set('deleteRecording', FakeTwilio.down);
  await expect(deleteSources(host.parts, signal)).rejects.toMatchObject({ retryable: true });
  expect((await host.catalog.find(sid))?.sourceDeletedAt).toBeUndefined();
});

import { CustodyError, readSidecar } from '@flex-custody/core';
import { createKeys, openBytes, sealBytes } from '@flex-custody/vault';
import type { StoredSidecar } from '../../catalog/recording-row.ts';
import { openSidecar, sidecarOf } from '../../catalog/sidecars.ts';
import { newSigningKey } from '../../signing/key-file.ts';
import { testSigning } from '../../signing/testing/identity.ts';
import { house, houseSigning, sealedObject, sharedDatabase } from '../testing/house.ts';
import { recorded, scene, sids } from '../testing/scene.ts';
import { signRun, signSidecars } from './sign-job.ts';

const shared = sharedDatabase();
beforeEach(() => shared.db.query('TRUNCATE runs'));
const keys = createKeys({ kind: 'raw-aes', keys: [{ keyId: 'k1', key: new Uint8Array(32).fill(3) }] });
async function open(signing = houseSigning) {
  const twilio = scene();
  const host = await house(twilio, shared.db, { keys, signing });
  host.queue.sent = [];
  /** A verified recording whose sidecar an earlier release wrote: JSON, sealed, and not signed. */
  const ofAnEarlierRelease = async (n: number, change: object = {}) => {
    const sid = sids.recording(n);
    const answer = await host.ingest.receive(recorded(twilio, n));
    if (answer.action !== 'copy') throw new Error('no lease');
    const object = host.store.holds(sealedObject(sid));
    await host.catalog.sealed(sid, answer.lease, object, 2);
    const row = await host.catalog.verified(sid, object, 'a'.repeat(64));
    const text = JSON.stringify({ ...sidecarOf(row!, object, null), ...change });
    const context = { account: sids.account, recording: sid };
    const key = `${object.key}.json`;
    const at = await host.store.putBytes(key, await sealBytes(keys, context, Buffer.from(text)));
    const noted: StoredSidecar = { key, etag: at.etag, versionId: at.versionId, keyId: 'k1' };
    await host.catalog.described(sid, undefined, noted);
    return { sid, noted };
  };
  return { ...host, ofAnEarlierRelease };
}

test('after the upgrade sidecars are signed from the catalog, and nothing is left', async () => {
  const host = await open();
  const lie = { workerSid: sids.otherWorker, startedAt: new Date(0).toISOString() };
  const { sid, noted } = await host.ofAnEarlierRelease(1, lie);
  const second = await host.ofAnEarlierRelease(2);
  expect(await host.catalog.countUnsigned()).toBe(2);
  await host.queue.run('sign', {});
  expect(await host.catalog.countUnsigned()).toBe(0);
  const row = await host.catalog.find(sid);
  expect(row?.sidecar).toMatchObject({ signedBy: houseSigning.keyId });
  const { sidecar, signedBy } = await openSidecar(host.deps, sid, row?.sidecar);
  expect(signedBy).toBe(houseSigning.keyId);
  // What the bucket said is hearsay: the catalog knows.
  expect(sidecar.workerSid).toBe(row?.workerSid);
  expect(sidecar.startedAt).toBe(row?.startedAt.toISOString());
  expect(host.store.deleted).toContain(`${noted.key}?${noted.versionId}`);
  expect((await host.deps.runs.look(signRun))?.counts).toEqual({ done: 2, signed: 2 });
  expect((await host.catalog.find(second.sid))?.sidecar?.signedBy).toBe(houseSigning.keyId);
  // Nothing is left: no run begins.
  await shared.db.query('TRUNCATE runs');
  await host.queue.run('sign', {});
  expect(await host.deps.runs.look(signRun)).toBeUndefined();
});

test('what fails is counted, stays, and is taken up by the next run', async () => {
  const host = await open();
  const { sid } = await host.ofAnEarlierRelease(1);
  const put = host.store.putBytes;
  host.store.putBytes = () => Promise.reject(new Error('away'));
  await host.queue.run('sign', {});
  expect((await host.deps.runs.look(signRun))?.counts).toEqual({ done: 1, failed_unexpected: 1 });
  expect(await host.catalog.countUnsigned()).toBe(1);
  host.store.putBytes = put;
  await host.queue.run('sign', {});
  expect((await host.catalog.find(sid))?.sidecar?.signedBy).toBe(houseSigning.keyId);
});

test('where nothing can be written it stops, instead of asking for each', async () => {
  const host = await open();
  for (let n = 1; n <= 24; n += 1) await host.ofAnEarlierRelease(n);
  const put = host.store.putBytes;
  let tried = 0;
  host.store.putBytes = () => {
    tried += 1;
    return Promise.reject(new CustodyError('store_unavailable', 'away'));
  };
  await expect(host.queue.run('sign', {})).rejects.toMatchObject({ code: 'store_unavailable' });
  expect(tried).toBe(20);
  host.store.putBytes = put;
  await host.alarms.raise('sign_failed', undefined, 'store_unavailable');
  // What was passed by is for the run after this one.
  await host.queue.run('sign', {});
  await host.queue.run('sign', {});
  expect(await host.catalog.countUnsigned()).toBe(0);
  expect(await host.alarmCodes()).not.toContain('sign_failed');
});

test('a run that broke off goes on behind the last that it signed', async () => {
  const host = await open();
  for (const n of [1, 2, 3, 4, 5, 6]) await host.ofAnEarlierRelease(n);
  const ending = new AbortController();
  const put = host.store.putBytes.bind(host.store);
  let written = 0;
  host.store.putBytes = (key, bytes) => {
    written += 1;
    if (written === 4) ending.abort(new Error('the process ends'));
    return put(key, bytes);
  };
  await expect(host.queue.run('sign', {}, ending.signal)).rejects.toThrow('ends');
  expect(await host.catalog.countUnsigned()).toBe(2);
  await host.queue.run('sign', {});
  expect((await host.deps.runs.look(signRun))?.counts).toEqual({ done: 6, signed: 6 });
  expect(written).toBe(6);
});

test('what was heard is kept from the version that the host noted, and from no other', async () => {
  const host = await open();
  const { sid, noted } = await host.ofAnEarlierRelease(1, { analysis: null });
  await host.ofAnEarlierRelease(2, { analysis: null });
  // Somebody has written over it, on a bucket without versions: the ETag is another.
  const other = { ...noted, etag: '"another"' };
  await shared.db.query('UPDATE recordings SET sidecar = $2::jsonb WHERE recording_sid = $1', [
    sid,
    JSON.stringify(other),
  ]);
  await host.queue.run('sign', {});
  const opened = async (n: number) =>
    (await openSidecar(host.deps, sids.recording(n), (await host.catalog.find(sids.recording(n)))?.sidecar))
      .sidecar;
  expect((await opened(2)).analysis).toBeNull();
  // It was to be heard again, and there is no such object here.
  expect((await opened(1)).analysis).toBeUndefined();
});

test('of a key that is lost for good they are signed again only when somebody says so', async () => {
  const [lost, now] = [newSigningKey('lost'), newSigningKey('now')];
  const before = await open(testSigning(lost));
  const { sid } = await before.ofAnEarlierRelease(1);
  await before.queue.run('sign', {});
  const host = await open(testSigning(now));
  host.deps.store = before.deps.store;
  await host.queue.run('sign', {});
  expect((await host.catalog.find(sid))?.sidecar?.signedBy).toBe('lost');
  expect(await host.catalog.signers()).toEqual([{ keyId: 'lost', sidecars: 1 }]);
  await host.deps.runs.run(signRun, { again: true }, (run) => signSidecars(host.deps, run));
  expect(await host.catalog.signers()).toEqual([{ keyId: 'now', sidecars: 1 }]);
  expect(await host.catalog.newestSigners()).toEqual(['now']);
  expect(await host.catalog.everSigned()).toBe(true);
});

test('a run that finds all sidecars signed resolves the alarm of one that failed', async () => {
  const host = await open();
  await host.ofAnEarlierRelease(1);
  await host.alarms.raise('sign_failed', undefined, 'store_unavailable');
  // As `catalog sign` does it: without the job.
  await host.deps.runs.run('by-hand', {}, (run) => signSidecars(host.deps, run));
  expect(await host.alarmCodes()).toEqual(['sign_failed']);
  await host.queue.run('sign', {});
  expect(await host.alarmCodes()).toEqual([]);
});

test('a text of an earlier release is still read', async () => {
  const host = await open();
  const { sid, noted } = await host.ofAnEarlierRelease(1);
  const { sidecar, signedBy } = await openSidecar(host.deps, sid, noted);
  expect([sidecar.recordingSid, signedBy]).toEqual([sid, undefined]);
  const raw = host.store.written.get(`${noted.key}?${noted.versionId}`) ?? Buffer.alloc(0);
  const text = await openBytes(keys, { account: sids.account, recording: sid }, raw);
  expect(readSidecar(text.toString()).recordingSid).toBe(sid);
});

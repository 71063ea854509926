import type { CopyReport, SealedObject } from '@flex-custody/core';
import { house, sealedObject, sharedDatabase } from '../testing/house.ts';
import { recorded, scene, sids } from '../testing/scene.ts';
import { discard } from './surplus.ts';

const shared = sharedDatabase();
const sid = sids.recording(1);

/** A Function that got the lease. */
async function leased() {
  const twilio = scene();
  const host = await house(twilio, shared.db);
  const answer = await host.ingest.receive(recorded(twilio, 1));
  if (answer.action !== 'copy') throw new Error('no lease');
  host.queue.sent = [];
  const sealed = (object: SealedObject, lease = answer.lease): CopyReport => ({
    outcome: 'sealed',
    lease,
    object,
    channels: 2,
    tookMs: 500,
  });
  return { ...host, lease: answer.lease, sealed };
}

/** The lease has passed to a worker, which has not finished. */
async function lostToWorker(host: Awaited<ReturnType<typeof leased>>) {
  await host.catalog.release(sid, host.lease);
  return (await host.catalog.lease(sid, 'worker', 60_000))?.secret;
}

test('a sealed object that the bucket bears out is believed, timed, and to be verified', async () => {
  const { ingest, catalog, queue, store, sealed } = await leased();
  const object = store.holds(sealedObject(sid, { bytes: 8_000_800, plaintextBytes: 8_000_000 }));
  expect(await ingest.report(sid, sealed(object))).toEqual({ state: 'sealed' });
  expect(await catalog.find(sid)).toMatchObject({ state: 'sealed', object, channels: 2 });
  expect(await catalog.observedRate()).toBe(16e6);
  expect(queue.sent).toEqual([{ name: 'verify', data: { recordingSid: sid }, options: { once: sid } }]);
});

test('said twice it is taken once', async () => {
  const { ingest, queue, store, sealed } = await leased();
  const report = sealed(store.holds(sealedObject(sid)));
  await ingest.report(sid, report);
  expect(await ingest.report(sid, report)).toEqual({ state: 'sealed' });
  expect(queue.names()).toEqual(['verify']);
  expect(store.deleted).toEqual([]);
});

test.each<[string, Partial<SealedObject>]>([
  ['another key', { key: `recordings/${sids.account}/${sids.recording(2)}` }],
  ['another mode', { mode: 'sse-kms' }],
  ['more inside than outside', { plaintextBytes: 1_000_800 }],
  ['another ETag than the bucket', { etag: '"e2"' }],
  ['another size than the bucket', { bytes: 1_000_801 }],
  ['a version that is not there', { versionId: 'v2' }],
])('%s is not believed: the host copies at once', async (_, change) => {
  const { ingest, catalog, queue, store, sealed } = await leased();
  store.holds(sealedObject(sid));
  await expect(ingest.report(sid, sealed(sealedObject(sid, change)))).rejects.toMatchObject({
    code: 'object_unproven',
    status: 422,
  });
  expect(await catalog.find(sid)).toMatchObject({ state: 'registered', failure: 'object_unproven' });
  expect(queue.sent).toMatchObject([{ name: 'copy', options: { once: `now:${sid}` } }]);
});

test('a bucket out of reach leaves the lease, so that the report can come again', async () => {
  const { ingest, catalog, store, sealed } = await leased();
  const object = store.holds(sealedObject(sid));
  store.failing = new Error('down');
  await expect(ingest.report(sid, sealed(object))).rejects.toThrow('down');
  store.failing = undefined;
  await ingest.report(sid, sealed(object));
  expect((await catalog.find(sid))?.state).toBe('sealed');
});

test('without the lease the surplus version goes, and only that', async () => {
  const host = await leased();
  const workers = await lostToWorker(host);
  const surplus = host.store.holds(sealedObject(sid, { versionId: 'late', etag: '"late"' }));
  await expect(host.ingest.report(sid, host.sealed(surplus))).rejects.toMatchObject({
    code: 'lease_lost',
    status: 409,
  });
  expect(host.store.deleted).toEqual([`${surplus.key}?late`]);
  const rightful = host.store.holds(sealedObject(sid));
  await host.catalog.sealed(sid, workers ?? '', rightful, 2);
  const other = host.store.holds(sealedObject(sid, { versionId: 'later', etag: '"later"' }));
  await expect(host.ingest.report(sid, host.sealed(other))).rejects.toMatchObject({ code: 'lease_lost' });
  expect(host.store.deleted).toEqual([`${surplus.key}?late`, `${other.key}?later`]);
  expect((await host.catalog.find(sid))?.object).toEqual(rightful);
});

test('in a bucket without versions nothing is removed: the key may be the rightful object by now', async () => {
  const host = await leased();
  await lostToWorker(host);
  const { versionId: _, ...unversioned } = sealedObject(sid);
  host.store.holds(unversioned);
  await expect(host.ingest.report(sid, host.sealed(unversioned))).rejects.toMatchObject({
    code: 'lease_lost',
  });
  expect(host.store.deleted).toEqual([]);
});

test('the rightful object is never removed, nor one without a version', async () => {
  const { ingest, deps, store, sealed } = await leased();
  const object = store.holds(sealedObject(sid));
  await ingest.report(sid, sealed(object));
  await discard(deps, sid, object);
  await discard(deps, sid, { key: object.key });
  expect(store.deleted).toEqual([]);
  store.failing = new Error('down');
  await discard(deps, sid, { key: object.key, versionId: 'surplus' });
});

test.each<[string, (lease: string) => CopyReport, string | undefined]>([
  ['handed back', (lease) => ({ outcome: 'handed-back', lease, reason: 'too-long' }), undefined],
  ['failed', (lease) => ({ outcome: 'failed', lease, code: 'media_cut', retryable: true }), 'media_cut'],
])('%s: the host copies at once', async (_, report, failure) => {
  const { ingest, catalog, queue, lease } = await leased();
  expect(await ingest.report(sid, report(lease))).toEqual({ state: 'registered' });
  const row = await catalog.find(sid);
  expect(row?.state).toBe('registered');
  expect(row?.failure).toBe(failure);
  // A key of its own: the job that waits for the lease to lapse must not swallow this one.
  expect(queue.sent).toEqual([
    { name: 'copy', data: { recordingSid: sid }, options: { once: `now:${sid}` } },
  ]);
  await expect(ingest.report(sid, report(lease))).rejects.toMatchObject({ code: 'lease_lost' });
});

test("another's lease neither seals nor hands back", async () => {
  const { ingest, catalog, sealed, store } = await leased();
  const object = store.holds(sealedObject(sid));
  await expect(ingest.report(sid, sealed(object, 'guess'))).rejects.toMatchObject({ code: 'lease_lost' });
  await expect(
    ingest.report(sid, { outcome: 'handed-back', lease: 'guess', reason: 'too-long' }),
  ).rejects.toMatchObject({ code: 'lease_lost' });
  expect((await catalog.find(sid))?.state).toBe('copying');
});

test('forwarded is remembered, and said in the next answer', async () => {
  const { ingest, deps } = await leased();
  await ingest.report(sid, { outcome: 'forwarded' });
  const again = { accountSid: sids.account, recordingSid: sid, status: 'completed', hints: {} } as const;
  expect(await ingest.receive(again)).toMatchObject({ action: 'busy', forwarded: true });
  expect(await deps.catalog.find(sid)).toMatchObject({ forwardedAt: expect.any(Date) });
});

test('a recording that no callback announced has no reports', async () => {
  const { ingest } = await leased();
  await expect(ingest.report(sids.recording(9), { outcome: 'forwarded' })).rejects.toMatchObject({
    code: 'recording_unknown',
    status: 404,
  });
});

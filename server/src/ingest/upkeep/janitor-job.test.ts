import type { UploadState } from '@flex-custody/vault';
import type { IngestParts } from '../index.ts';
import { FakeTwilio } from '../testing/fake-twilio.ts';
import { house, sealedObject, sharedDatabase } from '../testing/house.ts';
import { recorded, scene, sids } from '../testing/scene.ts';
import { createJanitor } from './janitor-job.ts';

const shared = sharedDatabase();
const minutes = (n: number) => n * 60_000;
const sid = sids.recording(1);
const key = `recordings/${sids.account}/${sid}`;

/** A janitor who has looked at nothing yet. */
const janitorJob = (deps: IngestParts, now?: number) => createJanitor(deps).sweep(now);

async function open() {
  const twilio = scene();
  return { twilio, ...(await house(twilio, shared.db)) };
}
/** The clock `n` minutes on; leases run on the database's. */
const inMinutes = (n: number) => Date.now() + minutes(n);

test('uploads older than half an hour are aborted, younger ones and other keys are not', async () => {
  const { deps, store } = await open();
  store.uploads = [
    { key, uploadId: 'old', startedAt: new Date(Date.now() - minutes(31)) },
    { key: `${key}.json`, uploadId: 'sidecar', startedAt: new Date(Date.now() - minutes(31)) },
    { key, uploadId: 'young', startedAt: new Date(Date.now() - minutes(29)) },
    { key: 'else/where', uploadId: 'other', startedAt: new Date(0) },
  ];
  expect(await janitorJob(deps)).toMatchObject({ uploadsAborted: 2 });
  expect(store.aborted).toEqual([`${key}?old`, `${key}.json?sidecar`]);
});

test('a live lease covers its upload, for a day', async () => {
  const { twilio, ingest, catalog, deps, store } = await open();
  const answer = await ingest.receive(recorded(twilio, 1));
  if (answer.action !== 'copy') throw new Error('no lease');
  await catalog.extendLease(sid, answer.lease, minutes(60 * 48));
  store.uploads = [{ key, uploadId: 'long', startedAt: new Date(Date.now() - minutes(120)) }];
  expect((await janitorJob(deps)).uploadsAborted).toBe(0);
  store.uploads = [{ key, uploadId: 'long', startedAt: new Date(Date.now() - minutes(60 * 25)) }];
  expect((await janitorJob(deps)).uploadsAborted).toBe(1);
});

test('what is noted to be gone on with stays for a day, until somebody has it; the note goes with it', async () => {
  const { twilio, ingest, catalog, deps, store } = await open();
  const answer = await ingest.receive(recorded(twilio, 1));
  if (answer.action !== 'copy') throw new Error('no lease');
  await deps.uploads.save(sid, answer.lease, { uploadId: 'noted', key } as UploadState);
  await catalog.release(sid, answer.lease);
  const uploads = (age: number) =>
    ['noted', 'other'].map((uploadId) => ({ key, uploadId, startedAt: new Date(Date.now() - minutes(age)) }));
  store.uploads = uploads(120);
  expect((await janitorJob(deps)).uploadsAborted).toBe(1);
  expect(store.aborted).toEqual([`${key}?other`]);
  store.uploads = uploads(60 * 25).slice(0, 1);
  expect((await janitorJob(deps)).uploadsAborted).toBe(1);
  expect(await deps.uploads.find(sid)).toBeUndefined();
});

test.each([
  ['store_unavailable', 0],
  ['source_deleted', 1],
])('the upload of what failed for %s: %d aborted', async (failure, aborted) => {
  const { twilio, ingest, catalog, deps, store } = await open();
  const answer = await ingest.receive(recorded(twilio, 1));
  if (answer.action !== 'copy') throw new Error('no lease');
  await deps.uploads.save(sid, answer.lease, { uploadId: 'noted', key } as UploadState);
  await catalog.giveUp(sid, failure);
  store.uploads = [{ key, uploadId: 'noted', startedAt: new Date(Date.now() - minutes(40)) }];
  expect((await janitorJob(deps)).uploadsAborted).toBe(aborted);
  expect((await deps.uploads.find(sid)) === undefined).toBe(aborted === 1);
});

test('what a process noted that was killed right behind its last step is not kept', async () => {
  const { twilio, ingest, catalog, deps } = await open();
  const answer = await ingest.receive(recorded(twilio, 1));
  if (answer.action !== 'copy') throw new Error('no lease');
  await deps.uploads.save(sid, answer.lease, { uploadId: 'done', key } as UploadState);
  await catalog.sealed(sid, answer.lease, sealedObject(sid), 2);
  await janitorJob(deps);
  expect(await deps.uploads.find(sid)).toBeUndefined();
});

test('uploads are looked at every quarter of an hour, lost jobs at every sweep', async () => {
  const { deps, store } = await open();
  const janitor = createJanitor(deps);
  const look = jest.spyOn(store, 'unfinishedUploads');
  for (const n of [0, 1, 14, 15, 20, 31]) await janitor.sweep(inMinutes(n));
  expect(look).toHaveBeenCalledTimes(3);
});

test('an upload that cannot be aborted does not stop the sweep', async () => {
  const { twilio, ingest, deps, queue, store } = await open();
  await ingest.receive(recorded(twilio, 1, { status: 'processing' }));
  queue.sent = [];
  store.uploads = [{ key, uploadId: 'old', startedAt: new Date(0) }];
  store.failing = new Error('down');
  expect(await janitorJob(deps, inMinutes(3))).toEqual({ uploadsAborted: 0, requeued: 1, replayed: 0 });
});

test('what lost its job gets one: copy, verify, link; what is young, done or held does not', async () => {
  const { twilio, ingest, catalog, deps, queue } = await open();
  const registered = sids.recording(1);
  await ingest.receive(recorded(twilio, 1, { status: 'processing' }));
  const lapsed = sids.recording(2);
  await ingest.receive(recorded(twilio, 2));
  await shared.db.query(
    `UPDATE recordings SET lease_until = now() - interval '1 second' WHERE recording_sid = $1`,
    [lapsed],
  );
  const unverified = sids.recording(3);
  const answer = await ingest.receive(recorded(twilio, 3));
  if (answer.action !== 'copy') throw new Error('no lease');
  await catalog.sealed(unverified, answer.lease, sealedObject(unverified), 2);
  twilio.failing.set('task', FakeTwilio.down);
  const unlinked = sids.recording(4);
  const held = await ingest.receive(recorded(twilio, 4));
  if (held.action !== 'copy') throw new Error('no lease');
  await catalog.extendLease(unlinked, held.lease, minutes(60));
  twilio.failing.clear();
  await ingest.receive(recorded(twilio, 5, { status: 'absent' }));

  queue.sent = [];
  // Whose holder was killed waits for nobody.
  expect((await janitorJob(deps, inMinutes(0.5))).requeued).toBe(1);
  queue.sent = [];
  await janitorJob(deps, inMinutes(6));
  expect(queue.sent.map((job) => [job.name, job.data, job.options?.once])).toEqual([
    ['copy', { recordingSid: registered }, `now:${registered}`],
    ['copy', { recordingSid: lapsed }, `now:${lapsed}`],
    ['verify', { recordingSid: unverified }, unverified],
    ['link', { recordingSid: unlinked }, unlinked],
  ]);
});

test('one whose job is between two tries gets no other beside it; one whose job is dead does', async () => {
  const { twilio, ingest, catalog, deps, queue } = await open();
  const answer = await ingest.receive(recorded(twilio, 1));
  if (answer.action !== 'copy') throw new Error('no lease');
  const [other, unlinked] = [sids.recording(2), sids.recording(3)];
  const second = await ingest.receive(recorded(twilio, 2));
  if (second.action !== 'copy') throw new Error('no lease');
  await catalog.sealed(other, second.lease, sealedObject(other), 2);
  twilio.failing.set('task', FakeTwilio.down);
  await ingest.receive(recorded(twilio, 3, { status: 'processing' }));
  await catalog.release(sid, answer.lease, 'media_cut');
  const waiting = [
    { name: 'copy', data: { recordingSid: unlinked } },
    { name: 'copy', data: { recordingSid: sid } },
    { name: 'verify', data: { recordingSid: other } },
    { name: 'link', data: { recordingSid: unlinked } },
  ] as const;
  queue.sent = [...waiting];
  // However often it sweeps: the outage may outlast a day.
  for (const n of [10, 31, 60, 600]) {
    expect((await janitorJob(deps, inMinutes(n))).requeued).toBe(0);
  }
  queue.sent = [];
  expect((await janitorJob(deps, inMinutes(10))).requeued).toBe(4);
  expect(queue.sent).toMatchObject(waiting);
});

/** Rows as many recordings leave them, made at once. */
const putMany = (count: number, state: 'failed' | 'registered', object: object | null = null) =>
  shared.db.query(
    `INSERT INTO recordings (recording_sid, account_sid, channels, started_at, source, state, failure, object, link_state, updated_at)
     SELECT 'RE' || CASE WHEN $4::jsonb IS NULL THEN 'a' ELSE 'b' END || lpad(n::text, 31, '0'), $1, 2, now(), 'callback', $2::text,
       CASE WHEN $2 = 'failed' THEN 'store_unavailable' END, $4::jsonb, 'linked', now() - interval '2 hours' + n * interval '1 ms'
     FROM generate_series(1, $3::int) n`,
    [sids.account, state, count, object && JSON.stringify(object)],
  );

test('dead letters of an outage are started over in one sweep, however many, as old work', async () => {
  const { deps, queue } = await open();
  await putMany(900, 'failed');
  await putMany(300, 'failed', sealedObject(sid));
  const sendAll = jest.spyOn(queue, 'sendAll');
  const now = Date.now();
  expect(await janitorJob(deps, now)).toMatchObject({ replayed: 1_200 });
  const count = (name: string) =>
    new Set(queue.sent.flatMap((job) => (job.name === name ? [job.data] : []))).size;
  expect([count('copy'), count('verify')]).toEqual([900, 300]);
  const first = queue.sent[0]!;
  const since = new Date(now - minutes(60));
  const { recordingSid } = first.data as { recordingSid: string };
  expect(first.options).toEqual({ once: `replay:${recordingSid}`, since });
  // By the page, not one by one.
  expect(sendAll.mock.calls.filter(([, jobs]) => jobs.length > 0).length).toBeLessThan(10);
  expect(await janitorJob(deps, now)).toMatchObject({ replayed: 0, requeued: 0 });
});

test('a sweep that has taken its time leaves the other dead letters to the next', async () => {
  const { deps } = await open();
  await putMany(700, 'failed');
  const janitor = createJanitor(deps, { requeueMost: 5_000, replayForMs: 0 });
  expect([(await janitor.sweep()).replayed, (await janitor.sweep()).replayed]).toEqual([500, 200]);
});

test('of very many that lost their jobs each sweep takes some, and the next continues there, round and round', async () => {
  const { deps, queue } = await open();
  await putMany(2_500, 'registered');
  const janitor = createJanitor(deps, { requeueMost: 1_200, replayForMs: 0 });
  const asked: string[][] = [];
  jest.spyOn(queue, 'waiting').mockImplementation(async ({ name }, of) => {
    if (name === 'copy' && of.length > 0) asked.push([...of]);
    return new Set();
  });
  const swept = async () => {
    asked.length = 0;
    const { requeued } = await janitor.sweep();
    return [requeued, Number(asked[0]?.[0]?.slice(3)), ...asked.map((page) => page.length)];
  };
  expect(await swept()).toEqual([1_200, 1, 1_000, 200]);
  expect(await swept()).toEqual([1_200, 1_201, 1_000, 200]);
  expect(await swept()).toEqual([100, 2_401, 100]);
  expect(await swept()).toEqual([1_200, 1, 1_000, 200]);
  const last = queue.sent.at(-1);
  expect(last?.options?.since?.getTime()).toBeLessThanOrEqual(Date.now() - minutes(2));
});

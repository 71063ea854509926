import { setTimeout as sleep } from 'node:timers/promises';
import { CustodyError, type RecordingSid } from '@flex-custody/core';
import { copyResumably, verifyObject } from '@flex-custody/vault';
import { until } from '../../../test/support/until.ts';
import type { Db } from '../db/db.ts';
import { migrate } from '../db/migrate.ts';
import { onEachEngine, type TestDatabase } from '../db/testing/on-each-engine.ts';
import { openQueue } from '../queue/boss-queue.ts';
import type { Queue } from '../queue/queue.ts';
import { allJobs } from '../start/jobs.ts';
import { copyJob } from './copy/copy-job.ts';
import type { IngestDeps } from './deps.ts';
import { ingestJobs } from './jobs.ts';
import { house, sealedObject } from './testing/house.ts';
import { recorded, scene, sids } from './testing/scene.ts';
import { createJanitor } from './upkeep/janitor-job.ts';

jest.mock('@flex-custody/vault', () => ({
  ...jest.requireActual<object>('@flex-custody/vault'),
  copyResumably: jest.fn(),
  verifyObject: jest.fn(),
}));
const copy = jest.mocked(copyResumably);

/** Real queues on one database: what two processes share. */
onEachEngine('several workers', (open) => {
  let database: TestDatabase;
  let twilio: ReturnType<typeof scene>;
  const queues: Queue[] = [];
  const others: Db[] = [];
  beforeAll(async () => {
    database = await open();
    await migrate(database.db);
  }, 60_000);
  afterAll(() => database.drop());
  beforeEach(() => {
    jest.resetAllMocks();
    jest.mocked(verifyObject).mockResolvedValue({ plaintextSha256: 'a'.repeat(64), channels: 2 });
    twilio = scene();
  });
  afterEach(async () => {
    for (const queue of queues.splice(0)) await queue.stop(0);
    for (const db of others.splice(0)) await db.close();
    await database.db.query('TRUNCATE recordings, alarms CASCADE');
  });

  async function worker(change: Partial<IngestDeps> = {}) {
    const db = (await database.another?.()) ?? database.db;
    if (db !== database.db) others.push(db);
    const queue = openQueue(db, { jobs: allJobs, schema: `${database.schema}_jobs` });
    queues.push(queue);
    return { ...(await house(twilio, db, { queue, ...change }, { verifiesApart: false })), queue };
  }

  async function register(catalog: Awaited<ReturnType<typeof worker>>['catalog'], n: number) {
    recorded(twilio, n);
    await catalog.register({
      recordingSid: sids.recording(n),
      accountSid: sids.account,
      channels: 2,
      startedAt: new Date('2026-11-20T10:00:05Z'),
      hints: {},
      source: 'callback',
    });
  }

  test('copy and verify each recording once, and never more at once than they may', async () => {
    const copied = new Map<RecordingSid, number>();
    /** Each worker has a store of its own. */
    const atWork = () => {
      const running = new Map<unknown, number>();
      let most = 0;
      const during = async (store: unknown, ms: number) => {
        running.set(store, (running.get(store) ?? 0) + 1);
        most = Math.max(most, running.get(store) ?? 0);
        await sleep(ms);
        running.set(store, (running.get(store) ?? 0) - 1);
      };
      return { during, seen: () => ({ workers: running.size, most }) };
    };
    const [copies, readings] = [atWork(), atWork()];
    copy.mockImplementation(async ({ source, store }) => {
      const sid = source.recordingSid;
      copied.set(sid, (copied.get(sid) ?? 0) + 1);
      await copies.during(store, 200);
      return { object: sealedObject(sid), channels: 2 };
    });
    // Slower than the copies, so that they queue up.
    jest.mocked(verifyObject).mockImplementation(async ({ store }) => {
      await readings.during(store, 400);
      return { plaintextSha256: 'a'.repeat(64), channels: 2 };
    });
    // Both find it free, and then ask for the lease.
    twilio.delayMs = 50;
    const workers = [await worker(), await worker()];
    const all = Array.from({ length: 24 }, (_, n) => n + 1);
    for (const n of all) await register(workers[0]!.catalog, n);
    // As from a callback that came twice, and a janitor that took one for lost.
    for (const n of all)
      for (const { queue } of workers) await queue.send(ingestJobs.copy, { recordingSid: sids.recording(n) });
    await until(async () => (await workers[0]!.catalog.counts()).states.verified === all.length);
    expect([...copied.values()]).toEqual(all.map(() => 1));
    expect(copies.seen()).toEqual({ workers: 2, most: 2 });
    expect(readings.seen()).toEqual({ workers: 2, most: 2 });
  }, 60_000);

  test('one takes over from another that was killed, whose job nobody has ended', async () => {
    const killed = await worker();
    await register(killed.catalog, 99);
    const sid = sids.recording(99);
    let begun = false;
    copy.mockImplementationOnce(({ signal }) => {
      begun = true;
      return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
    });
    await killed.queue.send(ingestJobs.copy, { recordingSid: sid });
    await until(async () => begun);
    copy.mockResolvedValueOnce({ object: sealedObject(sid), channels: 2 });
    const other = await worker();
    const janitor = createJanitor(other.deps);
    await janitor.sweep();
    expect((await other.catalog.find(sid))?.state).toBe('copying');
    await database.db.query(`UPDATE recordings SET lease_until = now() - interval '6 seconds'`);
    // Or the workers' own sweep, which they begin with, has been first.
    await janitor.sweep();
    await until(async () => (await other.catalog.find(sid))?.state === 'verified');
    expect(copy).toHaveBeenCalledTimes(2);
  }, 60_000);

  test('one takes over from another whose copy stands still and heeds nothing, within the lease', async () => {
    const sid = sids.recording(98);
    let begun = 0;
    copy.mockImplementation(async () => {
      begun += 1;
      if (begun === 1) return new Promise(() => undefined);
      return { object: sealedObject(sid), channels: 2 };
    });
    const stuck = await worker({ workerLeaseMs: 300 });
    await register(stuck.catalog, 98);
    await stuck.queue.send(ingestJobs.copy, { recordingSid: sid });
    await until(async () => begun === 1);
    const other = await worker();
    await until(async () => (await other.catalog.find(sid))?.state === 'verified');
    expect(begun).toBe(2);
    // Its place among those that copy at once is free again.
    expect(stuck.lines.join('\n')).not.toContain('the lease could not be extended');
  }, 60_000);

  test('a lease is extended for as long as bytes come, and no longer', async () => {
    const sid = sids.recording(97);
    const extended: boolean[] = [];
    let moves = true;
    copy.mockImplementation(({ signal, onProgress }) => {
      const moving = setInterval(() => moves && onProgress?.(1, undefined), 10);
      return new Promise((_, reject) =>
        signal?.addEventListener('abort', () => {
          clearInterval(moving);
          reject(signal.reason);
        }),
      );
    });
    const one = await worker({ workerLeaseMs: 900 });
    const extend = one.catalog.extendLease;
    one.catalog.extendLease = async (...asked) => {
      const held = await extend(...asked);
      extended.push(held);
      return held;
    };
    await register(one.catalog, 97);
    await one.queue.send(ingestJobs.copy, { recordingSid: sid });
    await until(async () => extended.length >= 4);
    expect((await one.catalog.find(sid))?.state).toBe('copying');
    moves = false;
    await until(async () => (await one.catalog.find(sid))?.failure === 'stalled');
    expect(extended.every(Boolean)).toBe(true);
  }, 60_000);
  test('verify in the job that copied, and leave to another job what cannot be read now', async () => {
    const { catalog, deps, queue } = await house(twilio, database.db, {}, { verifiesApart: false });
    const [good, unread] = [sids.recording(1), sids.recording(2)];
    for (const n of [1, 2]) await register(catalog, n);
    copy.mockImplementation(async ({ source }) => ({
      object: sealedObject(source.recordingSid),
      channels: 2,
    }));
    await queue.run('copy', { recordingSid: good });
    expect((await catalog.find(good))?.state).toBe('verified');
    expect(queue.names()).toEqual([]);
    const away = new CustodyError('store_unavailable', 'away');
    jest.mocked(verifyObject).mockRejectedValueOnce(away);
    await queue.run('copy', { recordingSid: unread });
    expect((await catalog.find(unread))?.state).toBe('sealed');
    const verification = { name: 'verify', data: { recordingSid: unread }, options: { once: unread } };
    expect(queue.sent).toEqual([verification]);
    // The process ended before it could leave it to a job: the next try of its job does.
    await copyJob(deps, unread, new AbortController().signal, { attempt: 2 });
    expect(queue.sent).toEqual([verification, verification]);
    expect(copy).toHaveBeenCalledTimes(2);
  });
});

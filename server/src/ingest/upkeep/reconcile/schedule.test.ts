import { CustodyError, objectKey } from '@flex-custody/core';
import { until } from '../../../../../test/support/until.ts';
import { house, sealedObject, sharedDatabase } from '../../testing/house.ts';
import { recorded, scene, sids } from '../../testing/scene.ts';

const shared = sharedDatabase();
beforeEach(() => shared.db.query('TRUNCATE runs'));
const old = new Date(0);

/** A host whose bucket has `keys`, each listed when `before` it has ended. */
async function open(keys: readonly string[] = [], before?: (key: string) => Promise<void>) {
  const twilio = scene();
  const host = await house(twilio, shared.db);
  const lists: (string | undefined)[] = [];
  const list = async function* (_prefix: string, { after }: { after?: string | undefined } = {}) {
    lists.push(after);
    for (const key of keys) {
      await before?.(key);
      if (after === undefined || key > after) yield { key, etag: '"e1"', bytes: 1, lastModified: old };
    }
  };
  Object.assign(host.store, { list });
  host.queue.sent = [];
  return { twilio, ...host, lists };
}
type House = Awaited<ReturnType<typeof open>>;

const look = (host: House, signal?: AbortSignal) => host.queue.run('reconcile', {}, signal);
const pass = (host: House, signal?: AbortSignal) => host.queue.run('compare', {}, signal);
const key = (n: number) => objectKey(sids.account, sids.recording(n));

async function verified(host: House, n: number) {
  const sid = sids.recording(n);
  const answer = await host.ingest.receive(recorded(host.twilio, n));
  if (answer.action !== 'copy') throw new Error('no lease');
  const object = host.store.holds(sealedObject(sid));
  await host.catalog.sealed(sid, answer.lease, object, 2);
  await host.catalog.verified(sid, object, object.plaintextSha256 ?? '');
}

test('each is scheduled, the pass over the bucket by the hour', async () => {
  const twilio = scene();
  const { deps } = await house(twilio, shared.db);
  const host = await house(twilio, shared.db, {
    config: { ...deps.config, reconcile: { everyMinutes: 5, hours: 48 } },
  });
  expect(host.queue.schedules).toEqual(expect.arrayContaining(['reconcile 300', 'compare 3600']));
});

test('a pass over the bucket that hangs stops no look at Twilio', async () => {
  const ended = new AbortController();
  let isListing = false;
  const host = await open([key(1)], async () => {
    isListing = true;
    await new Promise((_resolve, reject) =>
      ended.signal.addEventListener('abort', () => reject(ended.signal.reason)),
    );
  });
  const passing = pass(host, ended.signal);
  await until(() => isListing);
  recorded(host.twilio, 1, { startedAt: new Date(Date.now() - 3_600_000) });
  await look(host);
  expect(await host.catalog.find(sids.recording(1))).toMatchObject({ source: 'reconcile' });
  expect((await host.deps.runs.look('reconcile-bucket'))?.running).toBe(true);
  expect(await host.deps.runs.look('reconcile-recent')).toMatchObject({ counts: { ingested: 1 } });
  ended.abort(new Error('the process ends'));
  await expect(passing).rejects.toThrow('the process ends');
});

test('a look at Twilio that fails stops no pass over the bucket, and each closes its own alarm', async () => {
  const host = await open();
  for (const code of ['reconcile_failed', 'compare_failed'] as const)
    await host.alarms.raise(code, undefined, 'so');
  host.twilio.failing.set('recordingsPage', new CustodyError('twilio_unauthorized', 'no'));
  await expect(look(host)).rejects.toMatchObject({ code: 'twilio_unauthorized' });
  // The job fails by its own look at Twilio's list, and has compared the bucket.
  await expect(pass(host)).rejects.toMatchObject({ code: 'twilio_unauthorized' });
  expect(host.lists).toEqual([undefined]);
  expect((await host.deps.runs.look('reconcile-bucket'))?.finishedAt).toBeInstanceOf(Date);
  host.twilio.failing.clear();
  await look(host);
  expect(await host.alarmCodes()).toEqual(['compare_failed']);
  await pass(host);
  expect([host.lists.length, await host.alarmCodes()]).toEqual([1, []]);
});

test('what Twilio lists late is taken in a day later at the latest', async () => {
  const host = await open();
  await look(host);
  await pass(host);
  const late = new Date(Date.now() - 30 * 3_600_000);
  recorded(host.twilio, 1, { startedAt: late });
  await look(host);
  expect(await host.catalog.find(sids.recording(1))).toBeUndefined();
  await pass(host);
  expect(await host.catalog.find(sids.recording(1))).toBeUndefined();
  await shared.db.query(`UPDATE runs SET finished_at = finished_at - interval '25 hours'`);
  await pass(host);
  expect(await host.catalog.find(sids.recording(1))).toMatchObject({ source: 'reconcile' });
  expect(await host.deps.runs.look('reconcile-day')).toMatchObject({ counts: { ingested: 1 } });
});

test('a pass that failed for good is an alarm', async () => {
  const host = await open();
  const error = { code: 'store_denied', message: 'no', retryable: false };
  await host.queue.dead({ name: 'compare', data: {}, error });
  expect(await host.alarmCodes()).toEqual(['compare_failed']);
});

test('a pass begins a day after the last one ended', async () => {
  const host = await open();
  const passes = async (hoursLater: number) => {
    await shared.db.query(
      `UPDATE runs SET finished_at = finished_at - $1::double precision * interval '1 hour'`,
      [hoursLater],
    );
    await pass(host);
    return host.lists.length;
  };
  await pass(host);
  expect([await passes(0), await passes(23.9), await passes(0.2)]).toEqual([1, 1, 2]);
});

test('an unfinished pass is continued behind its last page, and what it found before stays an alarm', async () => {
  const all = Array.from({ length: 250 }, (_none, index) => index + 1);
  let isBroken = true;
  const host = await open(
    all.filter((n) => n !== 7 && n !== 8).flatMap((n) => [key(n), `${key(n)}.json`]),
    async (one) => {
      if (isBroken && one === key(230)) throw new CustodyError('store_denied', 'not now');
    },
  );
  // As on a host with the embedded database.
  Object.assign(host.deps.config, { database: { directory: 'd' } });
  for (const n of all) await verified(host, n);
  for (const n of [7, 8]) {
    host.store.objects.delete(`${key(n)}?v1`);
    host.twilio.recordings.delete(sids.recording(n));
  }
  const ofBucket = async () => (await host.alarmCodes()).filter((code) => code.startsWith('object_'));
  await expect(pass(host)).rejects.toMatchObject({ code: 'store_denied' });
  expect(await ofBucket()).toEqual(['object_lost']);
  isBroken = false;
  await shared.db.query(`UPDATE runs SET saved_at = saved_at - interval '5 hours'`);
  await pass(host);
  expect(host.lists).toEqual([undefined, `${key(200)}.json`]);
  expect((await host.deps.runs.look('reconcile-bucket'))?.counts).toMatchObject({ compared: 250, lost: 2 });
  expect(await ofBucket()).toEqual(['object_lost']);
});

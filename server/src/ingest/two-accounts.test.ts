import { type AccountSid, CustodyError } from '@flex-custody/core';
import { createCatalog } from '../catalog/create-catalog.ts';
import { migrate } from '../db/migrate.ts';
import { onEachEngine, type TestDatabase } from '../db/testing/on-each-engine.ts';
import { house, sealedObject } from './testing/house.ts';
import { recorded, scene, sids } from './testing/scene.ts';
import { bucketPass } from './upkeep/reconcile/bucket-pass.ts';
import { createTally } from './upkeep/reconcile/tally.ts';
import { deleteSources } from './upkeep/sources-job.ts';

const staging = `AC${'b'.repeat(32)}` as AccountSid;
const signal = new AbortController().signal;

/** Staging's host on production's database, which its start refuses: what holds should it run all the same. */
onEachEngine('the jobs of another account', (open) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await open();
    await migrate(database.db);
  });
  afterAll(() => database.drop());
  beforeEach(() => database.db.query('TRUNCATE recordings, alarms, uploads CASCADE'));
  const all = () => database.db.query('SELECT * FROM recordings ORDER BY recording_sid');

  /** 1: registered, 2: sealed, 3: verified, described, and verified long ago. */
  async function production() {
    const twilio = scene();
    const host = await house(twilio, database.db);
    for (const n of [1, 2, 3]) {
      const answer = await host.ingest.receive(recorded(twilio, n));
      if (answer.action !== 'copy') throw new Error('no lease');
      if (n === 1) await host.catalog.release(sids.recording(n), answer.lease);
      else await host.catalog.sealed(sids.recording(n), answer.lease, sealedObject(sids.recording(n)), 2);
    }
    const object = sealedObject(sids.recording(3));
    await host.catalog.verified(sids.recording(3), object, 'a'.repeat(64));
    await host.catalog.described(sids.recording(3), undefined, { key: `${object.key}.json`, etag: '"s"' });
    await database.db.query(
      `UPDATE recordings SET verified_at = now() - interval '100 days', updated_at = now() - interval '100 days'
       WHERE recording_sid = $1`,
      [sids.recording(3)],
    );
    await database.db.query(`UPDATE recordings SET link_state = 'pending' WHERE recording_sid = $1`, [
      sids.recording(1),
    ]);
  }

  async function other() {
    const twilio = scene();
    const host = await house(twilio, database.db, { catalog: createCatalog(database.db, staging) });
    host.deps.config = { ...host.deps.config, accountSid: staging, deleteSourceAfterHours: 2 };
    host.queue.sent = [];
    twilio.asked.length = 0;
    return { twilio, ...host };
  }

  test.each(['copy', 'verify', 'link', 'describe'] as const)(
    'a job %s of a recording that is not its own does nothing',
    async (name) => {
      await production();
      const host = await other();
      const before = await all();
      for (const n of [1, 2, 3]) await host.queue.run(name, { recordingSid: sids.recording(n) });
      expect(await all()).toEqual(before);
      expect(host.twilio.asked).toEqual([]);
      expect([host.queue.sent, await host.alarmCodes()]).toEqual([[], []]);
    },
  );

  test.each(['copy', 'verify'])('a dead job %s fails none of them', async (name) => {
    await production();
    const host = await other();
    const before = await all();
    for (const n of [1, 2, 3]) {
      const error = new CustodyError('media_missing', 'gone');
      const { code, message, retryable } = error;
      await host.queue.dead({
        name,
        data: { recordingSid: sids.recording(n) },
        error: { code, message, retryable },
      });
    }
    expect(await all()).toEqual(before);
    expect(await host.alarmCodes()).toEqual([]);
  });

  test('neither the janitor nor the deletion of originals nor reconcile sees them', async () => {
    await production();
    const host = await other();
    const before = await all();
    await host.queue.run('janitor', {});
    expect((await deleteSources(host.deps, signal)).deleted).toBe(0);
    const tally = createTally();
    const deps = { ...host.deps, store: { ...host.store, list: async function* () {} } as never };
    await bucketPass(deps, tally, { dryRun: false, after: undefined, signal }, async () => undefined);
    expect(tally.counts).toEqual({});
    expect(await all()).toEqual(before);
    expect([host.twilio.asked, host.queue.sent, await host.alarmCodes()]).toEqual([[], [], []]);
  });
});

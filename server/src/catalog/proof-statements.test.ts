import type { AccountSid, CopyProof, RecordingSid, SealedObject, TaskSid } from '@flex-custody/core';
import { migrate } from '../db/migrate.ts';
import { onEachEngine, type TestDatabase } from '../db/testing/on-each-engine.ts';
import type { Catalog } from './catalog.ts';
import { createCatalog } from './create-catalog.ts';

const hex = (n: number) => n.toString(16).padStart(32, '0');
const RE = (n: number) => `RE${hex(n)}` as RecordingSid;
const WT = `WT${hex(1)}` as TaskSid;
const sha256 = 'ab'.repeat(32);
const object: SealedObject = {
  key: 'k',
  mode: 'envelope',
  etag: '"e"',
  versionId: 'v1',
  bytes: 500,
  plaintextBytes: 400,
  plaintextSha256: sha256,
  keyId: 'k1',
};
const proof: CopyProof = { at: '2026-01-01T00:00:00.000Z', host: 'h', by: 'copy', how: 'sha256' };

onEachEngine('what is proven of a copy', (open) => {
  let database: TestDatabase;
  let catalog: Catalog;
  beforeAll(async () => {
    database = await open();
    await migrate(database.db);
    catalog = createCatalog(database.db, `AC${hex(1)}` as AccountSid);
  });
  afterAll(() => database.drop());
  beforeEach(() => database.db.query('TRUNCATE recordings, reports, pauses CASCADE'));

  const verified = async (n = 1, found: Parameters<Catalog['verified']>[3] = {}) => {
    await catalog.register({
      recordingSid: RE(n),
      accountSid: `AC${hex(1)}` as AccountSid,
      channels: 2,
      startedAt: new Date('2026-01-01T10:00:00Z'),
      hints: {},
      source: 'callback',
    });
    const lease = (await catalog.lease(RE(n), 'test', 60_000))?.secret ?? '';
    await catalog.sealed(RE(n), lease, object, 2, 'function');
    return catalog.verified(RE(n), object, sha256, found);
  };
  const row = () => catalog.find(RE(1));

  test('the verification notes the proof and the channels that it found, or none', async () => {
    expect(await verified(1, { channels: 1, proof })).toMatchObject({
      channels: 1,
      proof,
      copiedBy: 'function',
    });
    const plain = await verified(2);
    expect(plain).toMatchObject({ channels: 2 });
    expect(plain && 'proof' in plain).toBe(false);
    expect(await catalog.counts()).toMatchObject({ states: { verified: 2 }, proven: 1 });
  });

  test('only the very object that was looked at is proven, and only while it is verified', async () => {
    await verified();
    for (const other of [{ key: 'other' }, { etag: '"other"' }, { versionId: 'v2' }])
      expect(await catalog.proven(RE(1), { ...object, ...other }, proof)).toBeUndefined();
    expect(await catalog.proven(RE(1), object, proof)).toEqual(await row());
    expect((await row())?.proof).toEqual(proof);
    await database.db.query(`UPDATE recordings SET state = 'sealed', proof = NULL`);
    expect(await catalog.proven(RE(1), object, proof)).toBeUndefined();
  });

  test('a newer key’s version of the same audio keeps the proof', async () => {
    await verified(1, { proof });
    expect(await catalog.renewed(RE(1), object, { ...object, etag: '"e2"', versionId: 'v2' })).toBe(true);
    expect(await row()).toMatchObject({ proof, copiedBy: 'function' });
  });

  const ends: Record<string, () => Promise<unknown>> = {
    lost: () => catalog.lost(RE(1), object),
    disproved: () => catalog.disproved(RE(1), object),
    'rejected after it was started over': async () => {
      await database.db.query(`UPDATE recordings SET state = 'sealed'`);
      return catalog.rejected(RE(1), object, 'r');
    },
    'sealed again': async () => {
      await database.db.query(`UPDATE recordings SET state = 'registered'`);
      const lease = (await catalog.lease(RE(1), 'worker', 60_000))?.secret ?? '';
      return catalog.sealed(RE(1), lease, object, 2);
    },
  };
  test.each(Object.entries(ends))(
    'of one that is %s, nothing is proven and its writer is forgotten',
    async (_, end) => {
      await verified(1, { proof });
      await database.db.query('UPDATE recordings SET proof_tried_at = now()');
      expect(await end()).toBe(true);
      const now = await row();
      expect([now?.proof, now?.copiedBy, now?.proofTriedAt]).toEqual([undefined, undefined, undefined]);
    },
  );

  test('after a bad copy no Function gets the lease, and a worker does', async () => {
    await verified();
    expect(await catalog.disproved(RE(1), { ...object, etag: '"other"' })).toBe(false);
    expect(await catalog.disproved(RE(1), object)).toBe(true);
    expect(await row()).toMatchObject({ state: 'registered', hostOnly: true, failure: 'audio_differs' });
    expect(await catalog.lease(RE(1), 'function', 60_000)).toBeUndefined();
    expect(await catalog.lease(RE(1), 'worker', 60_000)).toBeDefined();
  });

  test('unproven and stale: neither what is proven, nor what Twilio lacks, nor what was tried today', async () => {
    const olderThan = new Date(Date.now() + 60_000);
    const found = async () => (await catalog.stale({ which: 'unproven', olderThan })).sids;
    for (const n of [1, 2, 3, 4]) await verified(n);
    await catalog.proven(RE(2), object, proof);
    await catalog.sourceDeleted(RE(3));
    await catalog.proofTried(RE(4));
    expect(await found()).toEqual([RE(1)]);
    await database.db.query(`UPDATE recordings SET proof_tried_at = now() - interval '25 hours'
      WHERE proof_tried_at IS NOT NULL`);
    expect(new Set(await found())).toEqual(new Set([RE(1), RE(4)]));
  });

  describe('the seconds that pauses skipped', () => {
    const report = (second: number, kind: string, behavior: string | undefined = 'skip', task = WT) =>
      database.db.query(
        `INSERT INTO reports (id, kind, at, task_sid, details, by)
         VALUES (gen_random_uuid(), $1, $2, $3, $4::jsonb, 'browser')`,
        [kind, new Date(Date.UTC(2026, 0, 1, 10, 0, second)), task, JSON.stringify({ behavior })],
      );
    const startedAt = new Date('2026-01-01T10:00:00Z');
    const paused = (of: object = {}) =>
      catalog.pausedSeconds({
        taskSid: WT,
        hints: {},
        linkState: 'linked',
        startedAt,
        durationSeconds: 60,
        ...of,
      });

    test('are those from a pause to its end, of this call alone', async () => {
      await report(10, 'paused');
      await report(12, 'paused');
      await report(15, 'resumed');
      await report(16, 'resumed');
      await report(30, 'paused', 'silence');
      await report(40, 'resumed');
      await report(30, 'paused', 'skip', `WT${hex(2)}` as TaskSid);
      expect(await paused()).toBe(5);
      expect(await paused({ taskSid: undefined, hints: { taskSid: WT } })).toBe(5);
      const refused = { linkState: 'refused', hints: { taskSid: WT } };
      expect(await paused({ taskSid: undefined, ...refused })).toBe(0);
      expect(await paused({ taskSid: undefined })).toBe(0);
      expect(await paused({ durationSeconds: undefined })).toBe(0);
    });

    test('are counted within the recording alone', async () => {
      await report(-30, 'paused');
      await report(5, 'resumed');
      await report(50, 'paused');
      expect(await paused()).toBe(15);
      expect(await paused({ startedAt: new Date('2026-01-01T11:00:00Z') })).toBe(60);
      expect(await paused({ startedAt: new Date('2026-01-01T08:00:00Z') })).toBe(0);
    });

    test('end where the host itself resumed', async () => {
      await report(10, 'paused');
      await database.db.query(
        `INSERT INTO pauses (conference_sid, task_sid, last_at, ended_at, ended_by)
         VALUES ('CF', $1, '2026-01-01T10:00:10Z', '2026-01-01T10:00:20Z', 'timer')`,
        [WT],
      );
      expect(await paused()).toBe(10);
    });

    test('are none where the report is of before it said how', async () => {
      await report(10, 'paused', undefined);
      await database.db.query(`UPDATE reports SET details = '{}'`);
      expect(await paused()).toBe(0);
    });
  });
});

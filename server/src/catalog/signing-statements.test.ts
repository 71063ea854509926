import {
  type AccountSid,
  type CallDirection,
  type RecordingSid,
  type ReservationSid,
  type SealedObject,
  type Sidecar,
  type TaskSid,
  unprovenFacts,
  type WorkerSid,
} from '@flex-custody/core';
import { migrate } from '../db/migrate.ts';
import { migrations } from '../db/migrations/index.ts';
import { onEachEngine, type TestDatabase } from '../db/testing/on-each-engine.ts';
import type { Catalog } from './catalog.ts';
import { createCatalog } from './create-catalog.ts';
import type { Owner, StoredSidecar } from './recording-row.ts';

const hex = (n: number) => n.toString(16).padStart(32, '0');
const RE = (n: number) => `RE${hex(n)}` as RecordingSid;
const accountSid = `AC${hex(1)}` as AccountSid;
const taskSid = `WT${hex(1)}` as TaskSid;
const reservationSid = `WR${hex(1)}` as ReservationSid;
const workerSid = `WK${hex(1)}` as WorkerSid;
const another = `WK${hex(2)}` as WorkerSid;
const direction: CallDirection = 'inbound';
const object: SealedObject = {
  key: 'recordings/AC/RE',
  mode: 'envelope',
  etag: '"e"',
  bytes: 500,
  plaintextBytes: 400,
  plaintextSha256: 'ab'.repeat(32),
  keyId: 'k1',
};
const sidecar: Sidecar = {
  version: 1,
  recordingSid: RE(1),
  accountSid,
  taskSid,
  reservationSid,
  workerSid,
  direction,
  caller: 'digest',
  channels: 2,
  startedAt: '2026-01-01T00:00:00.000Z',
  source: 'callback',
  object,
  verifiedAt: '2026-01-02T00:00:00.000Z',
  sourceDeletedAt: '2026-01-03T00:00:00.000Z',
};
const at = (signedBy?: string): StoredSidecar => ({ key: 'k', etag: '"s"', ...(signedBy && { signedBy }) });
/** `recordings_unsigned` is in the migration after these. */
const before = migrations.findIndex((sql) => sql.includes('recordings_unsigned'));

onEachEngine('who signed which sidecar', (open) => {
  let database: TestDatabase;
  let catalog: Catalog;
  beforeAll(async () => {
    database = await open();
    await migrate(database.db, migrations.slice(0, before));
    catalog = createCatalog(database.db, accountSid);
    // A verified recording of an earlier release, with the sidecar that it wrote.
    await database.db.query(
      `INSERT INTO recordings (recording_sid, account_sid, channels, started_at, source, state, object, verified_at, sidecar)
       VALUES ($1, $2, 2, now(), 'callback', 'verified', $3::jsonb, now(), $4::jsonb)`,
      [RE(9), accountSid, JSON.stringify(object), JSON.stringify(at())],
    );
    await migrate(database.db);
  });
  afterAll(() => database.drop());

  test('a database of before has all its sidecars to be signed', async () => {
    expect([await catalog.countUnsigned(), await catalog.everSigned()]).toEqual([1, false]);
    expect((await catalog.unsigned(undefined, 10)).map((row) => row.recordingSid)).toEqual([RE(9)]);
    expect(await catalog.unsigned(RE(9), 10)).toEqual([]);
    expect(await catalog.described(RE(9), at(), at('one'))).toBe(true);
    expect([await catalog.countUnsigned(), await catalog.everSigned()]).toEqual([0, true]);
  });

  describe('in a catalog', () => {
    beforeEach(() => database.db.query('TRUNCATE recordings CASCADE'));
    const verified = async (n: number, by?: string) => {
      await catalog.restored({ ...sidecar, recordingSid: RE(n) }, { signed: at(by) });
      await catalog.verified(RE(n), object, 'cd'.repeat(32));
    };

    test('each key is counted, those that nobody signed too, and what a lost one signed is forgotten', async () => {
      await verified(1, 'one');
      await verified(2, 'two');
      await verified(3);
      expect(await catalog.signers()).toEqual([
        { keyId: 'one', sidecars: 1 },
        { keyId: 'two', sidecars: 1 },
        { sidecars: 1 },
      ]);
      expect((await catalog.newestSigners()).sort()).toEqual(['one', 'two']);
      expect(await catalog.forgetSigners(['two'])).toBe(1);
      expect((await catalog.unsigned(undefined, 10)).map((row) => row.recordingSid)).toEqual([RE(1), RE(3)]);
    });

    test('what is not verified, or has no sidecar, is not to be signed', async () => {
      await catalog.restored(sidecar, { signed: at() });
      expect(await catalog.countUnsigned()).toBe(0);
      expect(await catalog.newestSigners()).toEqual([]);
    });

    test('signed facts come back; verified and proven never do', async () => {
      expect(await catalog.restored(sidecar, { signed: at('one') })).toBe(true);
      expect(await catalog.find(RE(1))).toMatchObject({
        state: 'sealed',
        linkState: 'linked',
        workerSid,
        sourceDeletedAt: new Date('2026-01-03'),
        unproven: [],
        sidecar: at('one'),
      });
      expect((await catalog.find(RE(1)))?.verifiedAt).toBeUndefined();
      expect(await catalog.restored(sidecar, { signed: at('one') })).toBe(false);
    });

    const hearsay = async () => {
      await catalog.restored(sidecar, { unproven: unprovenFacts });
      return RE(1);
    };
    const now = async () => {
      const row = await catalog.find(RE(1));
      const { linkState, unproven } = row ?? {};
      return { linkState, unproven, worker: row?.workerSid, reservation: row?.reservationSid };
    };
    const owner = (more: Partial<Owner> = {}): Owner => ({ taskSid, ...more });

    test('hearsay is a hint, and says nothing of Twilio or of what lies in the bucket', async () => {
      await hearsay();
      const row = await catalog.find(RE(1));
      expect(row).toMatchObject({
        linkState: 'pending',
        workerSid,
        unproven: unprovenFacts,
        hints: { taskSid, reservationSid },
      });
      expect([row?.sidecar, row?.sourceDeletedAt]).toEqual([undefined, undefined]);
    });

    test('a link that Twilio proves takes the place of the hearsay', async () => {
      await catalog.linked(await hearsay(), owner({ reservationSid, workerSid: another }));
      expect(await now()).toEqual({
        linkState: 'linked',
        unproven: ['caller', 'direction', 'start'],
        worker: another,
        reservation: reservationSid,
      });
      await catalog.calledBy(RE(1), { direction, caller: 'proven', others: [] });
      expect(await now()).toMatchObject({ unproven: ['start'] });
    });

    test('a task that was proven and is gone does so too, and one that was never found does not', async () => {
      await catalog.unlinked(await hearsay(), 'task_unknown');
      expect(await now()).toMatchObject({ unproven: unprovenFacts, worker: workerSid });
      await catalog.unlinked(RE(1), 'task_gone', owner({}));
      expect(await now()).toEqual({
        linkState: 'unlinked',
        unproven: ['caller', 'direction', 'start'],
        worker: undefined,
        reservation: undefined,
      });
    });

    test('an owner that was proven stays where a later try finds no more than the task', async () => {
      await catalog.restored(sidecar, { signed: at('one') });
      await database.db.query(`UPDATE recordings SET link_state = 'pending'`);
      await catalog.unlinked(RE(1), 'task_gone', owner());
      expect(await now()).toMatchObject({ worker: workerSid, reservation: reservationSid, unproven: [] });
    });

    test('a hearsay owner that was disproved is forgotten; a proven one would stay', async () => {
      await catalog.refused(await hearsay(), 'leg_not_of_worker');
      expect(await now()).toMatchObject({ linkState: 'refused', worker: undefined, reservation: undefined });
      await database.db.query(
        `UPDATE recordings SET worker_sid = $1, unproven = '{}', link_state = 'pending'`,
        [workerSid],
      );
      await catalog.refused(RE(1), 'leg_not_of_worker');
      expect(await now()).toMatchObject({ linkState: 'refused', worker: workerSid });
    });
  });
});

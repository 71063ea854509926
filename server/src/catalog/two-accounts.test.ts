import type {
  AccountSid,
  RecordingSid,
  ReservationSid,
  SealedObject,
  Sidecar,
  TaskSid,
} from '@flex-custody/core';
import { migrate } from '../db/migrate.ts';
import { onEachEngine, type TestDatabase } from '../db/testing/on-each-engine.ts';
import type { Catalog } from './catalog.ts';
import { createCatalog } from './create-catalog.ts';
import type { Registration } from './recording-row.ts';

const hex = (n: number) => n.toString(16).padStart(32, '0');
const [A, B] = [1, 2].map((n) => `AC${hex(n)}`) as [AccountSid, AccountSid];
const RE = (n: number) => `RE${hex(n)}` as RecordingSid;
const WT = `WT${hex(1)}` as TaskSid;
const WR = `WR${hex(1)}` as ReservationSid;
const sha256 = 'ab'.repeat(32);
const object: SealedObject = {
  key: 'recordings/AC/RE',
  mode: 'envelope',
  etag: '"e"',
  versionId: 'v1',
  bytes: 500,
  plaintextBytes: 400,
  plaintextSha256: sha256,
  keyId: 'k1',
};
const sidecarAt = { key: 'recordings/AC/RE.json', etag: '"s"', keyId: 'k1' };
const registration = (n: number, accountSid: AccountSid): Registration => ({
  recordingSid: RE(n),
  accountSid,
  channels: 2,
  startedAt: new Date(Date.UTC(2026, 0, 1)),
  hints: {},
  source: 'callback',
});
const later = () => new Date(Date.now() + 60_000);

/** The host of another account on this database is refused at its start: this is what holds should it run all the same. */
onEachEngine('a catalog on a database with the rows of another account', (open) => {
  let database: TestDatabase;
  let theirs: Catalog;
  let ours: Catalog;
  beforeAll(async () => {
    database = await open();
    await migrate(database.db);
    theirs = createCatalog(database.db, A);
    ours = createCatalog(database.db, B);
  });
  afterAll(() => database.drop());
  /** 1: registered, 2: copying, 3: sealed, 4: verified, linked and described, 5: failed and refused, 6: being erased. */
  let lease: string;
  beforeEach(async () => {
    await database.db.query('TRUNCATE recordings, copy_rates, alarms CASCADE');
    for (const n of [1, 2, 3, 4, 5, 6]) await theirs.register(registration(n, A));
    const leased = async (n: number) => (await theirs.lease(RE(n), 'worker', 60_000))?.secret ?? '';
    lease = await leased(2);
    for (const n of [3, 4]) await theirs.sealed(RE(n), await leased(n), object, 2);
    await theirs.verified(RE(4), object, sha256);
    await theirs.linked(RE(4), { taskSid: WT, reservationSid: WR });
    await theirs.calledBy(RE(4), { caller: 'digest', others: [] });
    await theirs.described(RE(4), undefined, sidecarAt);
    await theirs.giveUp(RE(5), 'store_denied');
    await theirs.refused(RE(5), 'leg_not_of_worker');
    await theirs.erasing(RE(6));
    await theirs.wasRemoved(RE(6), { versions: 1, twilio: 'gone', at: '2026-01-01T00:00:00Z' });
  });
  const all = () => database.db.query('SELECT * FROM recordings ORDER BY recording_sid');

  const sidecar: Sidecar = {
    version: 1,
    recordingSid: RE(1),
    accountSid: B,
    channels: 2,
    startedAt: '2026-01-01T00:00:00.000Z',
    source: 'restored',
    object,
  };
  const certificate = '0b5f2c36-5b3b-4c57-9a51-0f2f3c1f9d11';
  const writes: Record<string, () => Promise<unknown>> = {
    lease: () => ours.lease(RE(1), 'worker', 60_000),
    extendLease: () => ours.extendLease(RE(2), lease, 60_000),
    sealed: () => ours.sealed(RE(2), lease, object, 2),
    release: () => ours.release(RE(2), lease, 'store_denied'),
    verified: () => ours.verified(RE(3), object, sha256),
    rejected: () => ours.rejected(RE(3), object, 'object_mismatch'),
    lost: () => ours.lost(RE(4), object),
    renewed: () => ours.renewed(RE(4), object, { ...object, etag: '"n"' }),
    giveUp: () => ours.giveUp(RE(1), 'source_deleted'),
    replayed: () => ours.replayed(RE(5)),
    absent: () => ours.absent(RE(1), '16101'),
    sourceDeleted: () => ours.sourceDeleted(RE(4)),
    described: () => ours.described(RE(4), sidecarAt, { ...sidecarAt, etag: '"n"' }),
    restored: () => ours.restored(sidecar, { signed: sidecarAt }),
    linked: () => ours.linked(RE(1), { taskSid: WT }),
    unlinked: () => ours.unlinked(RE(1), 'task_gone'),
    refused: () => ours.refused(RE(1), 'leg_not_of_worker'),
    relink: () => ours.relink(RE(5)),
    forwarded: () => ours.forwarded(RE(1)),
    intend: () => ours.intend(RE(4), { reason: 'erasure', policy: 'p' }, certificate),
    resumeErasure: () => ours.resumeErasure(RE(6), certificate),
    takeBack: () => ours.takeBack(RE(4), certificate),
    erasing: () => ours.erasing(RE(4)),
    wasRemoved: () => ours.wasRemoved(RE(6), { versions: 9, twilio: 'deleted', at: '2026-02-02T00:00:00Z' }),
    erased: () => ours.erased(RE(6), certificate),
    bumpSegmentGeneration: () => ours.bumpSegmentGeneration(RE(4)),
    attempt: () => ours.attempt(RE(1)),
  };

  test.each(Object.keys(writes))('%s changes none of them, and says so', async (name) => {
    const before = await all();
    const said = await writes[name]?.();
    expect([undefined, false, 0]).toContain(said);
    expect(await all()).toEqual(before);
  });

  test('which object a copy was made of is told to its own account alone', async () => {
    const from = { bucket: 'old', key: 'calls/a.wav', etag: '"p"', sha256 };
    await theirs.noteImport(RE(4), from);
    await ours.noteImport(RE(4), { ...from, key: 'other' });
    expect([await theirs.importedFrom(RE(4)), await ours.importedFrom(RE(4))]).toEqual([from, undefined]);
    await theirs.noteImport(RE(4), { ...from, versionId: 'v1' });
    expect(await theirs.importedFrom(RE(4))).toEqual({ ...from, versionId: 'v1' });
    await theirs.erasing(RE(4));
    await theirs.erased(RE(4), '0b5f2c36-5b3b-4c57-9a51-0f2f3c1f9d11');
    expect(await theirs.importedFrom(RE(4))).toBeUndefined();
  });

  test('each of those would have changed one of its own', async () => {
    const change = new Map(Object.entries(writes).map(([name, write]) => [name, String(write)]));
    expect(change.size).toBe(27);
    // The same statements by the account that has the rows, one after the other in an order that lets each of them work.
    ours = theirs;
    try {
      const order = [
        'intend',
        'takeBack',
        'resumeErasure',
        'extendLease',
        'release',
        'lost',
        'erased',
        'giveUp',
        'refused',
        'relink',
        'verified',
      ];
      for (const name of order) {
        const before = await all();
        await writes[name]?.();
        expect([name, await all()]).not.toEqual([name, before]);
      }
    } finally {
      ours = createCatalog(database.db, B);
    }
  });

  test('registering one that another account has is refused, and theirs stays as it is', async () => {
    const before = await all();
    const refusal = { code: 'foreign_account', status: 403 };
    await expect(ours.register(registration(1, B))).rejects.toMatchObject(refusal);
    await expect(ours.register(registration(6, B))).rejects.toMatchObject(refusal);
    await expect(ours.register(registration(7, A))).rejects.toMatchObject(refusal);
    await expect(ours.restored({ ...sidecar, accountSid: A }, { signed: sidecarAt })).rejects.toMatchObject(
      refusal,
    );
    expect(await all()).toEqual(before);
  });

  test('no question is answered with any of them', async () => {
    expect(await ours.find(RE(4))).toBeUndefined();
    expect(await ours.firstOfReservation(WR)).toBeUndefined();
    const everything = {
      recordings: [1, 2, 3, 4, 5, 6].map(RE),
      tasks: [WT],
      callers: ['digest'],
    };
    expect(await theirs.selected(everything, undefined, 100)).toHaveLength(6);
    const asked = [
      ours.sealedByOthers({ newest: 'k2' }, undefined, 100),
      ours.keyUse(),
      ours.sourcesDue(-1, 100),
      ours.selected(everything, undefined, 100),
      ours.unfinishedErasures(100),
      ours.ofTask(WT),
      ours.list({ limit: 100 }),
      ours.list({ state: 'failed', failure: 'store_denied', limit: 100 }),
      ours.inOrder(undefined, 100),
      ours.inOrder(RE(1), 100),
      ours.kindsKept(),
      ours.expired([{ before: later() }], 100),
    ];
    for (const answer of await Promise.all<unknown[]>(asked)) expect(answer).toEqual([]);
    const stale = [
      ours.stale({ which: 'undescribed', olderThan: later() }),
      ours.stale({ which: 'unproven', olderThan: later() }),
      ours.stale({ which: 'pending-link', olderThan: later() }),
      ours.stale({ which: 'state', state: 'failed', failures: ['store_denied'], olderThan: later() }),
      ours.stale({ which: 'state', state: 'copying', olderThan: new Date(Date.now() + 600_000) }),
    ];
    for (const answer of await Promise.all(stale)) expect(answer).toEqual({ sids: [] });
    expect(await ours.countBehind({})).toEqual({ n: 0, isAll: true });
    expect(await ours.countSealedByOthers({ newest: 'k2' })).toBe(0);
    expect(Object.values((await ours.counts()).states)).toEqual(
      Object.values((await ours.counts()).states).map(() => 0),
    );
  });

  test('each sees its own, asked for at once', async () => {
    await ours.register(registration(9, B));
    expect(await Promise.all([ours.find(RE(9)), ours.find(RE(4)), theirs.find(RE(9))])).toEqual([
      expect.objectContaining({ accountSid: B }),
      undefined,
      undefined,
    ]);
    expect((await ours.counts()).states.registered).toBe(1);
    expect(await ours.inOrder(undefined, 10)).toHaveLength(1);
  });

  test('the questions of every minute are still answered by an index', async () => {
    await database.db.query(
      `INSERT INTO recordings (recording_sid, account_sid, channels, started_at, source, state, object)
       SELECT 'RE' || lpad(to_hex(n), 32, '0'), $1, 2, now() - n * interval '1 minute', 'callback',
         CASE WHEN n % 500 = 0 THEN 'registered' ELSE 'verified' END, '{"key": "k"}'
       FROM generate_series(1000, 21000) n`,
      [A],
    );
    await database.db.query('ANALYZE recordings');
    const used: string[] = [];
    const explained = createCatalog(
      {
        ...database.db,
        query: (sql, values) => explain(sql, values),
        routine: (sql, values) => explain(sql, values),
      },
      A,
    );
    const explain = async <T>(sql: string, values: readonly unknown[] = []): Promise<T[]> => {
      const plan = await database.db.query<{ 'QUERY PLAN': string }>(`EXPLAIN ${sql}`, values);
      used.push(plan.map((line) => line['QUERY PLAN']).join('\n'));
      return [];
    };
    await explained.find(RE(2_000));
    await explained.lease(RE(2_000), 'worker', 1_000);
    await explained.giveUp(RE(2_000), 'x');
    await explained.attempt(RE(2_000));
    await explained.described(RE(2_000), undefined, sidecarAt);
    await explained.firstOfReservation(WR);
    await explained.ofTask(WT);
    await explained.stale({ which: 'state', state: 'registered', olderThan: later() });
    await explained.list({ limit: 50 });
    expect(used).toHaveLength(9);
    for (const plan of used) {
      expect(plan).toMatch(/Index/);
      expect(plan).not.toMatch(/Seq Scan/);
    }
  });
});

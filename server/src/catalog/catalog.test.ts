import {
  type AccountSid,
  nextState,
  type RecordingEvent,
  type RecordingSid,
  type RecordingState,
  type ReservationSid,
  recordingStates,
  type SealedObject,
  type TaskSid,
  type WorkerSid,
} from '@flex-custody/core';
import { createAlarms } from '../alarms/alarms.ts';
import { migrate } from '../db/migrate.ts';
import { onEachEngine, type TestDatabase } from '../db/testing/on-each-engine.ts';
import type { Catalog } from './catalog.ts';
import { createCatalog } from './create-catalog.ts';
import type { Registration, StaleMark } from './recording-row.ts';

const hex = (n: number) => n.toString(16).padStart(32, '0');
const AC = `AC${hex(1)}` as AccountSid;
const RE = (n: number) => `RE${hex(n)}` as RecordingSid;
const WT = `WT${hex(1)}` as TaskSid;
const WR = `WR${hex(1)}` as ReservationSid;
const WK = `WK${hex(1)}` as WorkerSid;
const registration = (n: number, more: Partial<Registration> = {}): Registration => ({
  recordingSid: RE(n),
  accountSid: AC,
  channels: 2,
  startedAt: new Date(Date.UTC(2026, 0, 1, 0, 0, n)),
  hints: {},
  source: 'callback',
  ...more,
});
const sha256 = 'ab'.repeat(32);
const object: SealedObject = {
  key: 'recordings/AC/RE',
  mode: 'envelope',
  etag: '"e"',
  versionId: 'v1',
  bytes: 500,
  plaintextBytes: 400,
  plaintextSha256: 'ab'.repeat(32),
  keyId: 'k1',
};

onEachEngine('catalog', (open) => {
  let database: TestDatabase;
  let catalog: Catalog;
  beforeAll(async () => {
    database = await open();
    await migrate(database.db);
    catalog = createCatalog(database.db, AC);
  });
  afterAll(() => database.drop());
  beforeEach(() => database.db.query('TRUNCATE recordings, copy_rates, alarms CASCADE'));

  const leased = async (n: number) => {
    await catalog.register(registration(n));
    return (await catalog.lease(RE(n), 'test', 60_000))?.secret as string;
  };
  const sealed = async (n: number) => catalog.sealed(RE(n), await leased(n), object, 2);

  test('registering twice keeps the first and fills in what it lacked', async () => {
    const hints = { taskSid: WT };
    await catalog.register(registration(1, { hints }));
    const other = { taskSid: `WT${hex(9)}` as TaskSid, reservationSid: WR };
    const row = await catalog.register(
      registration(1, { hints: other, durationSeconds: 30, channels: 1, source: 'x' }),
    );
    expect(row).toMatchObject({ channels: 2, durationSeconds: 30, source: 'callback', state: 'registered' });
    expect(row.hints).toEqual({ taskSid: WT, reservationSid: WR });
    expect(row.linkState).toBe('pending');
    expect('object' in row).toBe(false);
  });

  test('what Twilio has once called completed, or sealed, stays so', async () => {
    expect(await catalog.register(registration(1))).toMatchObject({
      sourceCompleted: false,
      sourceEncrypted: false,
    });
    await catalog.register(registration(1, { sourceCompleted: true, sourceEncrypted: true }));
    const again = await catalog.register(registration(1, { sourceCompleted: false }));
    expect(again).toMatchObject({ sourceCompleted: true, sourceEncrypted: true });
  });

  test('of many who ask at once, one gets the lease', async () => {
    await catalog.register(registration(1));
    const leases = await Promise.all(
      Array.from({ length: 8 }, (_, i) => catalog.lease(RE(1), `h${i}`, 60_000)),
    );
    expect(leases.filter(Boolean)).toHaveLength(1);
  });

  test('a lapsed lease goes to the next, and its old holder has lost it', async () => {
    await catalog.register(registration(1));
    const first = (await catalog.lease(RE(1), 'function', -1))?.secret as string;
    const second = (await catalog.lease(RE(1), 'worker', 60_000))?.secret as string;
    expect(await catalog.extendLease(RE(1), first, 1_000)).toBe(false);
    expect(await catalog.sealed(RE(1), first, object, 2)).toBe(false);
    expect(await catalog.release(RE(1), first)).toBe(false);
    expect(await catalog.extendLease(RE(1), second, 1_000)).toBe(true);
    expect(await catalog.sealed(RE(1), second, object, 1)).toBe(true);
    expect(await catalog.sealed(RE(1), second, object, 2)).toBe(false);
    expect(await catalog.find(RE(1))).toMatchObject({ state: 'sealed', object, channels: 1 });
  });

  test('an extended lease does not lapse', async () => {
    await catalog.register(registration(1));
    const lease = (await catalog.lease(RE(1), 'worker', -1))?.secret as string;
    expect(await catalog.extendLease(RE(1), lease, 60_000)).toBe(true);
    expect(await catalog.lease(RE(1), 'other', 1_000)).toBeUndefined();
  });

  test('released, it can be leased again, and the reason stays', async () => {
    const lease = await leased(1);
    expect(await catalog.release(RE(1), lease, 'media_cut')).toBe(true);
    expect(await catalog.find(RE(1))).toMatchObject({ state: 'registered', failure: 'media_cut' });
    expect(await catalog.lease(RE(1), 'worker', 1_000)).toBeDefined();
  });

  test('only the very object that was read is verified', async () => {
    await sealed(1);
    expect(await catalog.verified(RE(1), { ...object, etag: '"other"' }, sha256)).toBeUndefined();
    expect(await catalog.verified(RE(1), { ...object, versionId: 'v2' }, sha256)).toBeUndefined();
    const verified = await catalog.verified(RE(1), object, sha256);
    const row = await catalog.find(RE(1));
    expect(verified).toEqual(row);
    expect(row?.state).toBe('verified');
    expect(row?.verifiedAt).toBeInstanceOf(Date);
  });

  test('without versions an object is known by key and ETag', async () => {
    const { versionId: _, ...plain } = object;
    await catalog.sealed(RE(1), await leased(1), plain, 2);
    expect(await catalog.verified(RE(1), plain, sha256)).toMatchObject({ state: 'verified' });
  });

  describe('erasure', () => {
    const full = async (n: number, task = WT) => {
      const of = { ...object, key: `recordings/AC/${RE(n)}` };
      await catalog.register(registration(n, { sourceCompleted: true, sourceEncrypted: true }));
      await catalog.sealed(RE(n), await leased(n), of, 2);
      await catalog.verified(RE(n), of, sha256);
      await catalog.described(RE(n), undefined, { key: `${of.key}.json`, etag: '"s"' });
      await catalog.linked(RE(n), {
        taskSid: task,
        reservationSid: WR,
        workerSid: WK,
        queue: 'Sales',
      });
      await catalog.calledBy(RE(n), { direction: 'inbound', caller: `caller ${n}`, others: [] });
    };
    const certificate = '0b5f2c36-5b3b-4c57-9a51-0f2f3c1f9d11';
    const gone = { versions: 2, twilio: 'deleted', at: '2026-11-26T10:00:00.000Z' } as const;

    test('what is known of the call is there until it is over, and then nothing but its SID', async () => {
      await full(1);
      expect(await catalog.find(RE(1))).toMatchObject({
        queue: 'Sales',
        direction: 'inbound',
        caller: 'caller 1',
      });
      expect(await catalog.erased(RE(1), certificate)).toBe(false);
      expect(await catalog.erasing(RE(1))).toBe(true);
      expect(await catalog.erasing(RE(1))).toBe(false);
      await catalog.wasRemoved(RE(1), gone);
      await catalog.wasRemoved(RE(1), { versions: 1, twilio: 'gone', at: '2026-11-26T11:00:00.000Z' });
      expect(
        (await catalog.unfinishedErasures(9)).map(({ taskSid, erasure }) => ({ taskSid, erasure })),
      ).toEqual([
        { taskSid: WT, erasure: { versions: 3, twilio: 'deleted', at: '2026-11-26T11:00:00.000Z' } },
      ]);
      expect(await catalog.erased(RE(1), certificate)).toBe(true);
      expect(await catalog.erased(RE(1), certificate)).toBe(false);
      expect(await catalog.unfinishedErasures(9)).toEqual([]);
      const row = await catalog.find(RE(1));
      expect(row).toEqual({
        recordingSid: RE(1),
        accountSid: registration(1).accountSid,
        channels: 2,
        startedAt: row?.erasedAt,
        createdAt: row?.erasedAt,
        updatedAt: row?.erasedAt,
        erasedAt: expect.any(Date),
        certificate,
        state: 'erased',
        linkState: 'unlinked',
        linkReason: 'erased',
        segmentGeneration: 0,
        source: 'callback',
        sourceEncrypted: false,
        sourceCompleted: false,
        attempts: 0,
        leases: 1,
        unproven: [],
        hintedCallers: [],
        hints: {},
      });
    });

    test("an intent is one run's, until that is dead; nobody copies what is to go, and it can be taken back", async () => {
      const [run, other] = [certificate, '1b5f2c36-5b3b-4c57-9a51-0f2f3c1f9d11'];
      const plan = { versions: [{ key: 'k', versionId: 'v' }], atTwilio: true };
      await catalog.register(registration(1));
      const before = await catalog.find(RE(1));
      expect(await catalog.intend(RE(1), { reason: 'retention', policy: 'p', plan }, run)).toBe(true);
      const begunAt = (await catalog.find(RE(1)))?.intent?.begunAt;
      expect(begunAt).toBeInstanceOf(Date);
      expect(await catalog.intend(RE(1), { reason: 'erasure', policy: 'q' }, other)).toBe(false);
      expect(await catalog.resumeErasure(RE(1), other)).toBe(false);
      expect(await catalog.takeBack(RE(1), other)).toBe(false);
      expect(await catalog.erasing(RE(1), other)).toBe(false);
      expect(await catalog.lease(RE(1), 'function', 1_000)).toBeUndefined();
      expect(await catalog.unfinishedErasures(9)).toEqual([]);
      expect(await catalog.intend(RE(1), { reason: 'retention', policy: 'q', plan }, run)).toBe(true);
      expect((await catalog.find(RE(1)))?.intent).toEqual({
        reason: 'retention',
        policy: 'q',
        plan,
        begunAt,
      });
      expect([...(await catalog.keepErasures(run))]).toEqual([RE(1)]);
      await catalog.leaveErasures(run);
      expect((await catalog.unfinishedErasures(9)).map(({ recordingSid }) => recordingSid)).toEqual([RE(1)]);
      expect(await catalog.unfinishedErasures(9, RE(1))).toEqual([]);
      expect(await catalog.resumeErasure(RE(1), other)).toBe(true);
      expect([await catalog.keepErasures(run), await catalog.takeBack(RE(1), other)]).toEqual([
        new Set(),
        true,
      ]);
      expect(await catalog.find(RE(1))).toEqual({ ...before, updatedAt: expect.any(Date) });
      expect(await catalog.stuckErasures(9)).toEqual([]);
    });

    test('nothing fills it in again, or begins with it anew', async () => {
      await full(1);
      await catalog.erasing(RE(1));
      await catalog.erased(RE(1), certificate);
      const before = await catalog.find(RE(1));
      const again = registration(1, { hints: { taskSid: WT }, durationSeconds: 5 });
      expect(await catalog.register(again)).toEqual(before);
      expect(await catalog.lease(RE(1), 'test', 1_000)).toBeUndefined();
      expect(await catalog.relink(RE(1))).toBe(false);
      await catalog.linked(RE(1), { taskSid: WT });
      await catalog.unlinked(RE(1), 'task_gone', { taskSid: WT });
      await catalog.refused(RE(1), 'identity');
      const { linkState, linkReason, taskSid } = (await catalog.find(RE(1))) ?? {};
      expect([linkState, linkReason, taskSid]).toEqual(['unlinked', 'erased', undefined]);
    });

    test('who holds a lease has lost it', async () => {
      const lease = await leased(1);
      await catalog.erasing(RE(1));
      expect(await catalog.extendLease(RE(1), lease, 1_000)).toBe(false);
      expect(await catalog.sealed(RE(1), lease, object, 2)).toBe(false);
    });

    test('is selected by any of its names', async () => {
      const other = `WT${hex(2)}` as TaskSid;
      for (const n of [1, 2, 3, 4]) await full(n, n < 3 ? WT : other);
      await catalog.erasing(RE(4));
      await catalog.erased(RE(4), certificate);
      const selected = async (of: Parameters<Catalog['selected']>[0], after?: RecordingSid, limit = 9) =>
        (await catalog.selected(of, after, limit)).map(({ recordingSid }) => recordingSid);
      expect(await selected({})).toEqual([]);
      expect(await selected({ recordings: [RE(3), RE(4), RE(9)] })).toEqual([RE(3)]);
      expect(await selected({ tasks: [WT] })).toEqual([RE(1), RE(2)]);
      expect(await selected({ callers: ['caller 2'], recordings: [RE(1)] })).toEqual([RE(1), RE(2)]);
      expect(await selected({ tasks: [WT, other] }, RE(1), 1)).toEqual([RE(2)]);
    });

    test("a call's reports go with its last recording", async () => {
      await full(1);
      await full(2);
      await database.db.query(
        `INSERT INTO reports (id, kind, at, task_sid, by) VALUES ('${certificate}', 'paused', now(), $1, 'browser')`,
        [WT],
      );
      const reports = async () => (await database.db.query('SELECT id FROM reports')).length;
      const alarms = createAlarms(database.db);
      await alarms.raise('object_lost', RE(1), 'of a person');
      for (const n of [1, 2]) {
        await catalog.erasing(RE(n));
        expect(await reports()).toBe(1);
        await catalog.erased(RE(n), certificate);
      }
      expect([await reports(), await alarms.list({ open: true })]).toEqual([0, []]);
    });
  });

  describe('keys', () => {
    const byKey = (n: number, keyId: string) => ({ ...object, key: `recordings/AC/${RE(n)}`, keyId });
    const described = async (n: number, keyId: string, sidecarKey?: string) => {
      const of = byKey(n, keyId);
      await catalog.sealed(RE(n), await leased(n), of, 2);
      await catalog.verified(RE(n), of, sha256);
      const sidecar = { key: `${of.key}.json`, etag: '"s"', ...(sidecarKey && { keyId: sidecarKey }) };
      await catalog.described(RE(n), undefined, sidecar);
    };
    const others = async (of: { newest: string; from?: string }, after?: RecordingSid, limit = 10) =>
      (await catalog.sealedByOthers(of, after, limit)).map(({ recordingSid }) => recordingSid);

    test('what another key than the newest has sealed, or whose sidecar lags behind', async () => {
      await described(1, 'new', 'new');
      await described(2, 'old', 'old');
      await described(3, 'older', 'older');
      await described(4, 'new', 'old');
      await described(5, 'new');
      await catalog.sealed(RE(6), await leased(6), byKey(6, 'old'), 2);
      await catalog.register(registration(7));
      expect(await others({ newest: 'new' })).toEqual([RE(2), RE(3), RE(4), RE(5), RE(6)]);
      expect(await others({ newest: 'new', from: 'old' })).toEqual([RE(2), RE(4), RE(6)]);
      expect(await others({ newest: 'new' }, RE(3), 2)).toEqual([RE(4), RE(5)]);
      expect(await catalog.countSealedByOthers({ newest: 'new' })).toBe(5);
      expect(await catalog.countSealedByOthers({ newest: 'new', from: 'older' })).toBe(1);
      expect(await catalog.keyUse()).toEqual([
        { keyId: 'new', recordings: 3, sidecars: 1 },
        { keyId: 'old', recordings: 2, sidecars: 2 },
        { keyId: 'older', recordings: 1, sidecars: 1 },
        { keyId: 'unknown', recordings: 0, sidecars: 1 },
      ]);
    });

    test('a renewed object takes the place of the very one it is made of', async () => {
      await described(1, 'old', 'old');
      const before = (await catalog.find(RE(1)))?.object as SealedObject;
      const now = { ...before, etag: '"f"', versionId: 'v2', keyId: 'new' };
      expect(await catalog.renewed(RE(1), { ...before, versionId: 'v0' }, now)).toBe(false);
      expect(await catalog.renewed(RE(1), before, now)).toBe(true);
      expect(await catalog.renewed(RE(1), before, now)).toBe(false);
      expect(await catalog.find(RE(1))).toMatchObject({ state: 'verified', object: now });
    });

    test('a recording that failed meanwhile is left', async () => {
      await described(1, 'old', 'old');
      await database.db.query(`UPDATE recordings SET state = 'failed'`);
      expect(await catalog.renewed(RE(1), byKey(1, 'old'), byKey(1, 'new'))).toBe(false);
      expect(await others({ newest: 'new' })).toEqual([]);
    });

    test('recordings of a task, the earliest first', async () => {
      for (const n of [2, 1, 3]) await described(n, 'k', 'k');
      await catalog.sealed(RE(4), await leased(4), byKey(4, 'k'), 2);
      for (const n of [1, 2, 4]) await catalog.linked(RE(n), { taskSid: WT });
      expect((await catalog.ofTask(WT)).map(({ recordingSid }) => recordingSid)).toEqual([RE(1), RE(2)]);
    });
  });

  test('rejected bytes are forgotten and copied again', async () => {
    await sealed(1);
    for (const other of [{ etag: '"o"' }, { key: 'k' }, { versionId: 'v2' }]) {
      expect(await catalog.rejected(RE(1), { ...object, ...other }, 'object_mismatch')).toBe(false);
    }
    expect(await catalog.find(RE(1))).toMatchObject({ state: 'sealed', object });
    expect(await catalog.rejected(RE(1), object, 'object_mismatch')).toBe(true);
    const row = await catalog.find(RE(1));
    expect(row).toMatchObject({ state: 'registered', failure: 'object_mismatch' });
    expect(row?.object).toBeUndefined();
  });

  test('given up and replayed, it starts over', async () => {
    await catalog.register(registration(1));
    expect([await catalog.attempt(RE(1)), await catalog.attempt(RE(1))]).toEqual([1, 2]);
    expect(await catalog.giveUp(RE(1), 'media_missing')).toBe(true);
    expect(await catalog.replayed(RE(1))).toBe('registered');
    expect(await catalog.find(RE(1))).toMatchObject({ state: 'registered', attempts: 0 });
    expect(await catalog.replayed(RE(1))).toBeUndefined();
  });

  test('replayed with an object, it goes on from that, which may well be good', async () => {
    await sealed(1);
    await catalog.giveUp(RE(1), 'store_unavailable');
    expect(await catalog.replayed(RE(1))).toBe('sealed');
    expect(await catalog.find(RE(1))).toMatchObject({ state: 'sealed', object });
    expect((await catalog.find(RE(1)))?.failure).toBeUndefined();
    expect(await catalog.verified(RE(1), object, sha256)).toMatchObject({ state: 'verified' });
  });

  test('a link that came to nothing is tried again on request; one that stands, or waits, is left', async () => {
    for (const n of [1, 2, 3, 4]) await catalog.register(registration(n));
    await catalog.refused(RE(1), 'identity');
    await catalog.unlinked(RE(2), 'task_gone', { taskSid: WT, workerSid: WK });
    await catalog.linked(RE(3), { taskSid: WT });
    const asked = await Promise.all([1, 2, 3, 4].map((n) => catalog.relink(RE(n))));
    expect(asked).toEqual([true, true, false, false]);
    expect(await catalog.find(RE(2))).toMatchObject({ linkState: 'pending', workerSid: WK });
    expect((await catalog.find(RE(2)))?.linkReason).toBeUndefined();
    expect((await catalog.find(RE(3)))?.linkState).toBe('linked');
  });

  test.each(recordingStates)("every move from %s is core's, and no other happens", async (state) => {
    const events: Record<RecordingEvent, () => Promise<unknown>> = {
      leased: () => catalog.lease(RE(1), 'other', 1_000),
      released: () => catalog.release(RE(1), 'secret'),
      sealed: () => catalog.sealed(RE(1), 'secret', object, 2),
      rejected: () => catalog.rejected(RE(1), object, 'r'),
      verified: () => catalog.verified(RE(1), object, sha256),
      'gave-up': () => catalog.giveUp(RE(1), 'r'),
      replayed: () => catalog.replayed(RE(1)),
      reinstated: () => catalog.replayed(RE(1)),
      absent: () => catalog.absent(RE(1), '16101'),
      lost: () => catalog.lost(RE(1), object),
      erased: () => catalog.erasing(RE(1)),
      disproved: () => catalog.disproved(RE(1), object),
    };
    for (const [event, happen] of Object.entries(events) as [RecordingEvent, () => Promise<unknown>][]) {
      await database.db.query('TRUNCATE recordings CASCADE');
      await catalog.register(registration(1));
      await database.db.query(
        `UPDATE recordings SET state = $1, object = $2::jsonb, lease = 'secret', lease_until = now() - interval '1 s'`,
        [state, JSON.stringify(object)],
      );
      if (state === 'failed' && event === 'replayed')
        await database.db.query('UPDATE recordings SET object = NULL');
      const moved = Boolean(await happen());
      const to: RecordingState | undefined = nextState(state, event);
      expect({ event, moved }).toEqual({ event, moved: to !== undefined });
      expect({ event, state: (await catalog.find(RE(1)))?.state }).toEqual({ event, state: to ?? state });
    }
  });

  test('a link, once made, is not unmade by a late message', async () => {
    await catalog.register(registration(1));
    await catalog.refused(RE(1), 'identity');
    expect(await catalog.find(RE(1))).toMatchObject({ linkState: 'refused', linkReason: 'identity' });
    await catalog.linked(RE(1), { taskSid: WT, reservationSid: WR, workerSid: WK });
    await catalog.unlinked(RE(1), 'task_gone');
    await catalog.refused(RE(1), 'identity');
    const row = await catalog.find(RE(1));
    expect(row).toMatchObject({ linkState: 'linked', taskSid: WT, reservationSid: WR, workerSid: WK });
    expect(row?.linkReason).toBeUndefined();
  });

  test('an unlinked recording keeps its proven owner', async () => {
    await catalog.register(registration(1));
    await catalog.unlinked(RE(1), 'task_gone', { taskSid: WT, workerSid: WK });
    await catalog.unlinked(RE(1), 'task_gone');
    expect(await catalog.find(RE(1))).toMatchObject({ linkState: 'unlinked', taskSid: WT, workerSid: WK });
  });

  test("a reservation's primary recording is its earliest", async () => {
    for (const n of [3, 2, 5]) {
      await catalog.register(registration(n));
      await catalog.linked(RE(n), { taskSid: WT, reservationSid: WR });
    }
    const first = async () => (await catalog.firstOfReservation(WR))?.recordingSid;
    expect(await first()).toBe(RE(2));
    // What never was, or failed without a copy, gives way to what plays; alone it still says why there is nothing.
    await catalog.absent(RE(2), '16102');
    expect(await first()).toBe(RE(3));
    await catalog.giveUp(RE(3), 'source_deleted');
    expect(await first()).toBe(RE(5));
    await catalog.giveUp(RE(5), 'source_deleted');
    expect(await first()).toBe(RE(3));
    expect(await catalog.firstOfReservation(`WR${hex(7)}` as ReservationSid)).toBeUndefined();
  });

  test('lists page through, newest first, by state and link', async () => {
    for (let n = 1; n <= 5; n++) await catalog.register(registration(n));
    await catalog.giveUp(RE(4), 'r');
    const first = await catalog.list({ state: 'registered', limit: 2 });
    const rest = await catalog.list({
      state: 'registered',
      limit: 9,
      after: first.at(-1)?.recordingSid as RecordingSid,
    });
    expect([...first, ...rest].map((row) => row.recordingSid)).toEqual([RE(5), RE(3), RE(2), RE(1)]);
    expect(await catalog.list({ linkState: 'linked', limit: 9 })).toEqual([]);
  });

  test('counts name every state, also those with nothing in them', async () => {
    await catalog.register(registration(1));
    await sealed(2);
    await catalog.linked(RE(2), { taskSid: WT });
    expect(await catalog.counts()).toEqual({
      states: { registered: 1, copying: 0, sealed: 1, verified: 0, failed: 0, absent: 0, erased: 0 },
      links: { pending: 1, linked: 1, unlinked: 0, refused: 0 },
      proven: 0,
    });
  });

  test('stale: untouched rows, and for copies the lapsed leases alone', async () => {
    await catalog.register(registration(1));
    await leased(2);
    await catalog.register(registration(3));
    await catalog.lease(RE(3), 'function', -5_000);
    const past = new Date(Date.now() - 60_000);
    const future = new Date(Date.now() + 60_000);
    const sids = async (of: Parameters<Catalog['stale']>[0]) => (await catalog.stale(of)).sids;
    expect(await sids({ which: 'state', state: 'registered', olderThan: past })).toEqual([]);
    expect(await sids({ which: 'state', state: 'registered', olderThan: future })).toEqual([RE(1)]);
    expect(await sids({ which: 'state', state: 'copying', olderThan: new Date() })).toEqual([RE(3)]);
    expect(await sids({ which: 'undescribed', olderThan: future })).toEqual([]);
    const all = await sids({ which: 'pending-link', olderThan: future });
    expect(new Set(all)).toEqual(new Set([RE(1), RE(2), RE(3)]));
    // A page goes on behind the last one, also where rows have the same time.
    await database.db.query('UPDATE recordings SET updated_at = now()');
    const pages: RecordingSid[][] = [];
    for (let next: StaleMark | undefined, first = true; first || next; first = false) {
      const page = await catalog.stale({ which: 'pending-link', olderThan: future }, next, 1);
      pages.push(page.sids);
      next = page.next;
    }
    expect(pages).toEqual([[RE(1)], [RE(2)], [RE(3)], []]);
  });

  test('the rate is the median of the last 20 copies, and careful before the first', async () => {
    expect(await catalog.observedRate()).toBe(8e6);
    for (let i = 0; i < 30; i++) await catalog.recordRate(4e6, 4_000);
    for (let i = 1; i <= 20; i++) await catalog.recordRate(i * 4e6, 4_000);
    await catalog.recordRate(5e6, 0);
    expect(await catalog.observedRate()).toBeCloseTo(10.5e6);
    expect(await database.db.query('SELECT count(*)::int AS n FROM copy_rates')).toEqual([{ n: 20 }]);
  });

  test('short copies say nothing of the rate, however many', async () => {
    for (let i = 0; i < 20; i++) await catalog.recordRate(960_000, 900);
    await catalog.recordRate(3_999_999, 1_000);
    expect(await catalog.observedRate()).toBe(8e6);
    await catalog.recordRate(4e6, 200);
    expect(await catalog.observedRate()).toBeCloseTo(20e6);
  });

  test('raising the generation revokes', async () => {
    await catalog.register(registration(1));
    expect(await catalog.bumpSegmentGeneration(RE(1))).toBe(1);
    expect((await catalog.find(RE(1)))?.segmentGeneration).toBe(1);
    expect(await catalog.bumpSegmentGeneration(RE(2))).toBeUndefined();
  });

  test('forwarding is noted once', async () => {
    await catalog.register(registration(1));
    await catalog.forwarded(RE(1));
    const first = (await catalog.find(RE(1)))?.forwardedAt;
    await catalog.forwarded(RE(1));
    expect(first).toBeInstanceOf(Date);
    expect((await catalog.find(RE(1)))?.forwardedAt).toEqual(first);
  });

  test('an alarm stands once for each code and recording', async () => {
    const alarms = createAlarms(database.db);
    await alarms.raise('link_refused', RE(1), 'first');
    await alarms.raise('link_refused', RE(1), 'second');
    await alarms.raise('link_refused', RE(2), 'other');
    await alarms.raise('sign_failed', undefined, 'a');
    await alarms.raise('sign_failed', undefined, 'b');
    const found = await alarms.list();
    expect(found).toHaveLength(3);
    expect(found.find((alarm) => alarm.recordingSid === RE(1))).toMatchObject({ times: 2, detail: 'second' });
    expect(await alarms.counts()).toEqual({ link_refused: 2, sign_failed: 1 });
  });

  test('an alarm that was cleared stands no longer, until it is raised again', async () => {
    const alarms = createAlarms(database.db);
    await alarms.raise('sign_failed', undefined, 'a');
    await alarms.raise('copy_failed', RE(1), 'b');
    const standing = async () => (await alarms.list({ open: true })).map(({ code }) => code).sort();
    const { id = 0 } = (await alarms.list()).find(({ code }) => code === 'sign_failed') ?? {};
    expect([await alarms.clear(id), await alarms.clear(id)]).toEqual([true, false]);
    for (const none of [0, 1.5, 2 ** 40, Number.NaN]) expect(await alarms.clear(none)).toBe(false);
    expect(await standing()).toEqual(['copy_failed']);
    expect(await alarms.counts()).toEqual({ copy_failed: 1 });
    expect((await alarms.list()).find((alarm) => alarm.id === id)?.clearedAt).toBeInstanceOf(Date);
    await alarms.raise('sign_failed', undefined, 'c');
    expect(await standing()).toEqual(['copy_failed', 'sign_failed']);
    await alarms.resolve(['sign_failed', 'copy_failed'], RE(2));
    await alarms.resolve(['verify_failed'], RE(1));
    expect(await standing()).toHaveLength(2);
    await alarms.resolve(['verify_failed', 'copy_failed'], RE(1));
    await alarms.resolve(['sign_failed']);
    expect(await standing()).toEqual([]);
    expect((await alarms.list()).find((alarm) => alarm.id === id)).toMatchObject({ times: 2, detail: 'c' });
  });
});

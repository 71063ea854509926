import { setTimeout as sleep } from 'node:timers/promises';
import { asAccountSid, asRecordingSid, type RecordingSid, type SealedObject } from '@flex-custody/core';
import { migrate } from '../db/migrate.ts';
import { onEachEngine, type TestDatabase } from '../db/testing/on-each-engine.ts';
import type { Catalog } from './catalog.ts';
import { createCatalog } from './create-catalog.ts';
import { createUploads, type Uploads } from './uploads.ts';

interface State {
  uploadId: string;
}

const RE = (n: number) => asRecordingSid(`RE${n.toString(16).padStart(32, '0')}`) as RecordingSid;
const sid = RE(1);
const accountSid = asAccountSid(`AC${'0'.repeat(32)}`) as NonNullable<ReturnType<typeof asAccountSid>>;

onEachEngine('uploads', (open) => {
  let database: TestDatabase;
  let catalog: Catalog;
  let uploads: Uploads<State>;
  beforeAll(async () => {
    database = await open();
    await migrate(database.db);
    catalog = createCatalog(database.db, accountSid);
    uploads = createUploads<State>(database.db);
  }, 60_000);
  afterAll(() => database.drop());
  beforeEach(async () => {
    await database.db.query('TRUNCATE recordings CASCADE');
    for (const recordingSid of [sid, RE(2), RE(3)]) await register(recordingSid);
  });

  const register = (recordingSid: RecordingSid) =>
    catalog.register({
      recordingSid,
      accountSid,
      channels: 2,
      startedAt: new Date('2026-11-20T10:00:00Z'),
      hints: {},
      source: 'callback',
    });
  const leased = async (recordingSid = sid, ms = 60_000) =>
    (await catalog.lease(recordingSid, 'worker', ms))?.secret ?? '';

  test('are saved by whoever has the lease, as long as it has not lapsed', async () => {
    const first = await leased();
    expect(await uploads.save(sid, first, { uploadId: 'u1' })).toBe(true);
    expect(await uploads.find(sid)).toEqual({ uploadId: 'u1' });
    await database.db.query('UPDATE recordings SET lease_until = now() WHERE recording_sid = $1', [sid]);
    // Nobody else has it yet, but somebody may at any moment.
    expect(await uploads.save(sid, first, { uploadId: 'late' })).toBe(false);
    const second = await leased();
    expect(await uploads.save(sid, first, { uploadId: 'late' })).toBe(false);
    expect(await uploads.save(sid, second, { uploadId: 'u2' })).toBe(true);
    expect(await uploads.find(sid)).toEqual({ uploadId: 'u2' });
  });

  test('go when the recording is sealed; what can be copied keeps its own', async () => {
    const leases = new Map<RecordingSid, string>();
    for (const recordingSid of [sid, RE(2), RE(3)]) {
      leases.set(recordingSid, await leased(recordingSid));
      await uploads.save(recordingSid, leases.get(recordingSid) ?? '', { uploadId: recordingSid });
    }
    await catalog.giveUp(RE(2), 'store_unavailable');
    const object: SealedObject = {
      key: 'k',
      mode: 'envelope',
      etag: '"e"',
      bytes: 9,
      plaintextBytes: 1,
      keyId: 'k1',
    };
    expect(await catalog.sealed(RE(3), leases.get(RE(3)) ?? '', object, 2)).toBe(true);
    expect(await uploads.removeSettled()).toBe(1);
    expect([await uploads.find(sid), await uploads.find(RE(2)), await uploads.find(RE(3))]).toEqual([
      { uploadId: sid },
      { uploadId: RE(2) },
      undefined,
    ]);
  });

  // Only two connections can meet.
  test('a save that meets somebody taking over waits for how that ends', async () => {
    const other = await database.another?.();
    if (!other) return;
    try {
      const lease = await leased();
      let saved: Promise<boolean> | undefined;
      await other.transaction(async (inner) => {
        await inner.query(`UPDATE recordings SET lease = 'of another' WHERE recording_sid = $1`, [sid]);
        saved = uploads.save(sid, lease, { uploadId: 'u1' });
        await Promise.race([saved, sleep(200)]);
      });
      expect(await saved).toBe(false);
      expect(await uploads.find(sid)).toBeUndefined();
    } finally {
      await other.close();
    }
  });
});

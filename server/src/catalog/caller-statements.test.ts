import type { RecordingSid } from '@flex-custody/core';
import { callerFingerprint, callerKeyId } from '../custody/caller-secret.ts';
import { migrate } from '../db/migrate.ts';
import { migrations } from '../db/migrations/index.ts';
import { onEachEngine, type TestDatabase } from '../db/testing/on-each-engine.ts';
import { createCatalog } from './create-catalog.ts';

const account = `AC${'0a'.repeat(16)}` as Parameters<typeof createCatalog>[1];
const secret = Buffer.alloc(32, 5).toString('base64');
const keyId = callerKeyId(secret);
const other = callerKeyId(Buffer.alloc(32, 6).toString('base64'));
const RE = (n: number) => `RE${`${n}`.repeat(32)}` as RecordingSid;
const CF = (n: number) => `CF${`${n}`.repeat(32)}`;

type Database = TestDatabase['db'];

async function note(db: Database, n: number, caller: string | null, hinted: string[] = [], age = '1 hour') {
  await db.query(
    `INSERT INTO recordings (recording_sid, account_sid, channels, started_at, source, direction, caller, hinted_callers, created_at)
     VALUES ($1, $2, 2, now(), 'callback', 'inbound', $3, $4::text[], now() - $5::interval)`,
    [RE(n), account, caller, hinted, age],
  );
  await db.query(
    `INSERT INTO live_calls (conference_sid, account_sid, caller, others, first_seen_at)
     VALUES ($1, $2, $3, $4::text[], now() - $5::interval)`,
    [CF(n), account, caller, hinted, age],
  );
}

async function noted(db: Database) {
  const recordings = await db.query<{ caller: string | null; hinted: string[] }>(
    'SELECT caller, hinted_callers AS hinted FROM recordings ORDER BY recording_sid',
  );
  const calls = await db.query<{ caller: string | null; hinted: string[] }>(
    'SELECT caller, others AS hinted FROM live_calls ORDER BY conference_sid',
  );
  expect(calls).toEqual(recordings);
  return recordings.map(({ caller, hinted }) => [caller, ...hinted]);
}

onEachEngine('digests of callers', (open) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await open();
    await migrate(database.db);
  });
  afterAll(() => database.drop());
  beforeEach(() => database.db.query('TRUNCATE recordings, live_calls CASCADE'));
  const catalog = () => createCatalog(database.db, account);

  test('are counted by their secret; of calls among workers there is none to count', async () => {
    await note(database.db, 1, `${keyId}:a`);
    await note(database.db, 2, `${keyId}:b`);
    await note(database.db, 3, `${other}:c`);
    await note(database.db, 4, 'd');
    await note(database.db, 5, null);
    await note(database.db, 6, `${keyId}:e`);
    await note(database.db, 7, null);
    await database.db.query(
      `UPDATE recordings SET unproven = CASE WHEN recording_sid = $1 THEN '{caller}'::text[] ELSE '{}' END,
         direction = CASE WHEN recording_sid = $2 THEN 'internal' ELSE direction END`,
      [RE(6), RE(7)],
    );
    const { keys, none } = await catalog().callerKeys();
    expect(none).toBe(2);
    expect(keys).toHaveLength(3);
    expect(keys).toEqual(
      expect.arrayContaining([{ keyId, recordings: 2 }, { keyId: other, recordings: 1 }, { recordings: 1 }]),
    );
  });

  test("by another secret make way for Twilio's word by today's, and by today's they stay", async () => {
    await note(database.db, 1, `${other}:c`);
    await note(database.db, 2, `${keyId}:a`);
    for (const n of [1, 2])
      await catalog().calledBy(RE(n), { direction: 'inbound', caller: `${keyId}:z`, others: [] });
    const found = await Promise.all([1, 2].map((n) => catalog().find(RE(n))));
    expect(found.map((row) => row?.caller)).toEqual([`${keyId}:z`, `${keyId}:a`]);
  });

  test('get a name where somebody knows their secret, those that have none', async () => {
    await note(database.db, 1, 'a', ['b', `${other}:c`]);
    await note(database.db, 2, null, ['d']);
    await note(database.db, 3, `${other}:e`);
    expect(await catalog().nameCallers(keyId)).toBe(2);
    expect(await noted(database.db)).toEqual([
      [`${keyId}:a`, `${keyId}:b`, `${other}:c`],
      [null, `${keyId}:d`],
      [`${other}:e`],
    ]);
    expect(await catalog().nameCallers(keyId)).toBe(0);
  });
});

onEachEngine('digests of callers of the release before', (open) => {
  let database: TestDatabase;
  const before = migrations.findIndex((one) => one.includes('caller_secret_now'));
  beforeEach(async () => {
    database = await open();
    await migrate(database.db, migrations.slice(0, before));
  }, 60_000);
  afterEach(() => database.drop());
  const bound = (caller: string | null) =>
    database.db.query(
      `INSERT INTO custody (account_sid, bucket, storage_mode, caller_secret) VALUES ($1, 'b', 'envelope', $2)`,
      [account, caller],
    );

  test('name the secret that the database is bound to, once', async () => {
    await bound(callerFingerprint(secret));
    await note(database.db, 1, 'a', ['b', 'c']);
    await note(database.db, 2, null, ['d']);
    await note(database.db, 3, null);
    await migrate(database.db);
    await migrate(database.db);
    expect(await noted(database.db)).toEqual([
      [`${keyId}:a`, `${keyId}:b`, `${keyId}:c`],
      [null, `${keyId}:d`],
      [null],
    ]);
  });

  test.each([
    ['is bound to nothing', async () => undefined],
    ['is bound without a caller secret', () => bound(null)],
  ])('name none where the database %s', async (_how, bind) => {
    await bind();
    await note(database.db, 1, 'a', ['b']);
    await migrate(database.db);
    expect(await noted(database.db)).toEqual([['a', 'b']]);
  });

  const adopted = (reason: string) =>
    database.db.query(
      `INSERT INTO audit (at, viewer, action, recording_sid, allowed, reason)
       VALUES (now() - interval '1 day', 'operator', 'adopt-database', $1, true, $2)`,
      [account, reason],
    );
  const rebuilt = (options: object) =>
    database.db.query(
      `INSERT INTO runs (name, options, updated_at) VALUES ('rebuild', $1::jsonb, now() - interval '1 day')`,
      [JSON.stringify(options)],
    );

  test.each([
    ['another secret was bound', () => adopted('bucket: a -> b; caller secret: 1 -> 2')],
    ['a lost catalog was rebuilt', () => rebuilt({})],
  ])('of before the day on which %s may be by another one', async (_what, happens) => {
    await bound(callerFingerprint(secret));
    await happens();
    await note(database.db, 1, 'a', [], '2 days');
    await note(database.db, 2, 'b', [], '1 hour');
    await migrate(database.db);
    expect(await noted(database.db)).toEqual([['a'], [`${keyId}:b`]]);
  });

  test.each([
    ['something else was adopted', () => adopted('bucket: a -> b')],
    ['a rebuild was only tried', () => rebuilt({ dryRun: true })],
  ])('are named where %s', async (_what, happens) => {
    await bound(callerFingerprint(secret));
    await happens();
    await note(database.db, 1, 'a', [], '2 days');
    await migrate(database.db);
    expect(await noted(database.db)).toEqual([[`${keyId}:a`]]);
  });
});

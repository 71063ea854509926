import type { RecordingSid } from '@flex-custody/core';
import { type Certificates, createCertificates } from '../catalog/certificates.ts';
import { buildIndexes } from '../db/indexes.ts';
import { migrate } from '../db/migrate.ts';
import { onEachEngine, type TestDatabase } from '../db/testing/on-each-engine.ts';
import { type Alarms, createAlarms } from './alarms.ts';

const RE = (n: number) => `RE${n.toString(16).padStart(32, '0')}` as RecordingSid;
const uuid = (n: number) => `0b5f2c36-5b3b-4c57-9a51-${n.toString(16).padStart(12, '0')}`;

onEachEngine('pages of alarms and certificates', (open) => {
  let database: TestDatabase;
  let alarms: Alarms;
  let certificates: Certificates;
  beforeAll(async () => {
    database = await open();
    await migrate(database.db);
    await buildIndexes(database.db);
    alarms = createAlarms(database.db);
    certificates = createCertificates(database.db);
  });
  afterAll(() => database.drop());
  beforeEach(() => database.db.query('TRUNCATE alarms, certificates RESTART IDENTITY'));

  /** Two of each instant, so that the id alone orders them. */
  const manyAlarms = (n: number) =>
    database.db.query(
      `INSERT INTO alarms (code, recording_sid, detail, last_at)
       SELECT 'link_failed', 'RE' || n, 'x', now() - (n / 2) * interval '1.000001 s' FROM generate_series(1, ${n}) n`,
    );
  const manyCertificates = (n: number) =>
    database.db.query(
      `INSERT INTO certificates (id, at, reason, recordings, jws)
       SELECT gen_random_uuid(), now() - (n / 2) * interval '1.000001 s', 'erasure', 1, 'j' FROM generate_series(1, ${n}) n`,
    );

  test('each shard of a stream has an alarm of its own, with an end of its own', async () => {
    await alarms.raise('shard_silent', 'shardId-1', 'one');
    await alarms.raise('shard_silent', 'shardId-2', 'two');
    await alarms.raise('shard_silent', 'shardId-1', 'one again');
    await alarms.resolve(['shard_silent'], 'shardId-2');
    const open = await alarms.list({ open: true });
    expect(open).toMatchObject([{ shard: 'shardId-1', times: 2, detail: 'one again' }]);
    expect(open[0]).not.toHaveProperty('recordingSid');
    await alarms.raise('stream_silent', undefined, 'another code');
    expect(await alarms.list({ open: true, code: 'shard_silent' })).toEqual(open);
    const [newest] = await alarms.list({ open: true });
    expect(
      await alarms.list({ open: true, code: 'shard_silent', ...(newest && { after: newest.id }) }),
    ).toEqual(open);
    await alarms.resolve(['stream_silent']);
  });

  test('page by page each open alarm is listed once, in the order of the whole list', async () => {
    await manyAlarms(25);
    await database.db.query('UPDATE alarms SET cleared_at = now() WHERE id = 5');
    const whole = (await alarms.list({ open: true })).map(({ id }) => id);
    expect(whole).toHaveLength(24);
    const seen: number[] = [];
    for (let after: number | undefined; ; ) {
      const page = await alarms.list({ open: true, limit: 7, ...(after !== undefined && { after }) });
      seen.push(...page.map(({ id }) => id));
      after = page.at(-1)?.id;
      if (after === undefined) break;
      expect(await alarms.countBehind(after)).toEqual({ n: 24 - seen.length, isAll: true });
    }
    expect(seen).toEqual(whole);
    // A mark that was cleared meanwhile keeps its place; one that was removed has none.
    const [mark = 0, next] = whole;
    await alarms.clear(mark);
    expect((await alarms.list({ open: true, limit: 1, after: mark })).map(({ id }) => id)).toEqual([next]);
    await database.db.query('DELETE FROM alarms WHERE id = $1', [mark]);
    for (const after of [mark, 2 ** 40])
      for (const asked of [alarms.list({ open: true, after }), alarms.countBehind(after)])
        await expect(asked).rejects.toMatchObject({ code: 'page_unknown', status: 404 });
  });

  test('page by page each certificate is listed once', async () => {
    await manyCertificates(25);
    const whole = (await certificates.list(1_000)).map(({ id }) => id);
    const seen: string[] = [];
    for (let after: string | undefined; ; ) {
      const page = await certificates.list(7, after);
      seen.push(...page.map(({ id }) => id));
      after = page.at(-1)?.id;
      if (after === undefined) break;
      expect(await certificates.countBehind(after)).toEqual({ n: 25 - seen.length, isAll: true });
    }
    expect(seen).toEqual(whole);
    await expect(certificates.list(7, uuid(1))).rejects.toMatchObject({ code: 'page_unknown' });
    await expect(certificates.countBehind(uuid(1))).rejects.toMatchObject({ code: 'page_unknown' });
  });

  test('more than 10,000 behind a page are not counted', async () => {
    await manyAlarms(10_002);
    const [newest, second] = await alarms.list({ open: true, limit: 2 });
    expect(await alarms.countBehind(newest?.id ?? 0)).toEqual({ n: 10_000, isAll: false });
    expect(await alarms.countBehind(second?.id ?? 0)).toEqual({ n: 10_000, isAll: true });
  });

  test('a page is one range of an index, however far back', async () => {
    await manyAlarms(5_000);
    await manyCertificates(5_000);
    await database.db.query('ANALYZE alarms, certificates');
    const plans: string[] = [];
    const explained = {
      ...database.db,
      query: async <T>(sql: string, values?: readonly unknown[]) => {
        if (sql.startsWith('SELECT 1') && !sql.includes('LIMIT')) return database.db.query<T>(sql, values);
        const rows = await database.db.query<Record<string, string>>(`EXPLAIN ${sql}`, values);
        plans.push(rows.map((row) => Object.values(row)[0]).join('\n'));
        return [] as T[];
      },
    };
    const after = (await alarms.list({ limit: 2_500 })).at(-1)?.id ?? 0;
    const certificate = (await certificates.list(1_000)).at(-1)?.id ?? '';
    await createAlarms(explained).list({ open: true, limit: 50 });
    await createAlarms(explained).list({ open: true, limit: 50, after });
    await createCertificates(explained).list(50);
    await createCertificates(explained).list(50, certificate);
    expect(plans).toHaveLength(4);
    const [all = '', behind = '', ...ofCertificates] = plans;
    for (const plan of [all, behind]) expect(plan).toMatch(/alarms_open/);
    for (const plan of ofCertificates) expect(plan).toMatch(/certificates_by_time/);
    for (const plan of plans) expect(plan).not.toMatch(/Sort|Seq Scan/);
  });

  test('what is raised again is the newest', async () => {
    await alarms.raise('link_failed', RE(1), 'a');
    await alarms.raise('link_failed', RE(2), 'b');
    // The embedded database's clock may give both the same time.
    await database.db.query(`UPDATE alarms SET last_at = last_at - interval '1 minute'`);
    await alarms.raise('link_failed', RE(1), 'c');
    expect((await alarms.list({ open: true })).map(({ detail }) => detail)).toEqual(['c', 'b']);
  });

  test('which of some recordings have an open one of a code', async () => {
    for (const n of [1, 2, 3]) await alarms.raise('object_lost', RE(n), 'so');
    await alarms.raise('object_unreadable', RE(4), 'so');
    await alarms.raise('object_lost', undefined, '3 recordings');
    await alarms.resolve(['object_lost'], RE(2));
    expect(await alarms.standing('object_lost', [RE(1), RE(2), RE(4), RE(5)])).toEqual(new Set([RE(1)]));
    expect(await alarms.standing('object_lost', [])).toEqual(new Set());
    await alarms.raise('object_lost', RE(2), 'again');
    expect(await alarms.standing('object_lost', [RE(1), RE(2), RE(3)])).toEqual(
      new Set([RE(1), RE(2), RE(3)]),
    );
  });
});

import { CustodyError } from '@flex-custody/core';
import { describeWhere } from '../../../test/support/needs.ts';
import { until } from '../../../test/support/until.ts';
import type { Db } from './db.ts';
import { buildIndexes, indexes, missingIndexes } from './indexes.ts';
import { migrate } from './migrate.ts';
import { openServer, type TestDatabase } from './testing/on-each-engine.ts';

const said = () => {
  const lines: object[] = [];
  const note = (fields: object) => void lines.push(fields);
  return { lines, log: { info: note, warn: note } };
};

describeWhere('postgresql', 'indexes on a server', () => {
  let database: TestDatabase;
  let other: Db;
  beforeAll(async () => {
    database = await openServer();
    await migrate(database.db);
    other = (await database.another?.()) as Db;
  });
  afterAll(async () => {
    await other.close();
    await database.drop();
  });
  const drop = () => database.db.query('DROP INDEX IF EXISTS recordings_linking');

  test('are built while others write', async () => {
    await buildIndexes(database.db);
    await drop();
    let built = false;
    // A writer's open transaction keeps the build waiting; the build keeps no writer waiting.
    await other.transaction(async (inner) => {
      await inner.query('LOCK TABLE recordings IN ROW EXCLUSIVE MODE');
      const building = buildIndexes(database.db).then(() => {
        built = true;
      });
      await until(
        async () => (await database.db.query('SELECT 1 FROM pg_stat_progress_create_index')).length > 0,
      );
      expect(await missingIndexes(database.db)).toEqual(['recordings_linking']);
      await database.db.query(`INSERT INTO recordings (recording_sid, account_sid, channels, started_at, source)
        VALUES ('RE${'0'.repeat(32)}', 'AC${'0'.repeat(32)}', 1, now(), 'test')`);
      // A second host sees that it is being built, and leaves it to the first.
      const { lines, log } = said();
      await buildIndexes(database.db, { log });
      expect([lines, built]).toEqual([[], false]);
      void building;
    });
    await until(() => built);
    expect(await missingIndexes(database.db)).toEqual([]);
  });

  test('a build ends with the host, and the next start makes it whole', async () => {
    await drop();
    const ending = new AbortController();
    const { lines, log } = said();
    await other.transaction(async (inner) => {
      await inner.query('LOCK TABLE recordings IN ROW EXCLUSIVE MODE');
      const building = buildIndexes(database.db, { log, signal: ending.signal });
      await until(
        async () => (await database.db.query('SELECT 1 FROM pg_stat_progress_create_index')).length > 0,
      );
      ending.abort();
      await building;
    });
    expect(lines).toEqual([]);
    const broken = await database.db.query(
      `SELECT indisvalid AS whole FROM pg_index WHERE indexrelid = to_regclass('recordings_linking')`,
    );
    expect(broken).toEqual([{ whole: false }]);
    await buildIndexes(database.db);
    expect(await missingIndexes(database.db)).toEqual([]);
  });

  test('one that cannot be built is logged, and the others are built', async () => {
    await database.db.query(
      'DROP INDEX certificates_by_time; DROP INDEX recordings_kept; ALTER TABLE certificates RENAME COLUMN at TO time',
    );
    const { lines, log } = said();
    await buildIndexes(database.db, { log });
    expect(await missingIndexes(database.db)).toEqual(['certificates_by_time']);
    expect(lines).toMatchObject([{ index: 'certificates_by_time' }]);
    await database.db.query('ALTER TABLE certificates RENAME COLUMN time TO at');
    await buildIndexes(database.db);
    expect(await missingIndexes(database.db)).toEqual([]);
    expect(Object.keys(indexes).every((name) => name.length < 63)).toBe(true);
  });

  test('a statement that is alone cannot be part of a transaction, and has its own limit', async () => {
    const attempt = database.db.transaction((inner) => inner.alone('SELECT 1', 1_000));
    await expect(attempt).rejects.toThrow('part of a transaction');
    await expect(database.db.alone('SELECT pg_sleep(30)', 50)).rejects.toMatchObject({
      code: 'database_unavailable',
      retryable: true,
    });
    await database.db.alone('SELECT 1', 1_000);
  });
});

test('a database that is away fails no build: the host works on, and the next start tries again', async () => {
  const away = async () => {
    throw new CustodyError('database_unavailable', 'away');
  };
  const { lines, log } = said();
  await buildIndexes({ kind: 'postgres', query: away, alone: away } as unknown as Db, { log });
  expect(lines).toHaveLength(Object.keys(indexes).length + 1);
  expect(lines.at(-1)).toEqual({ code: 'database_unavailable' });
});

import type { AccountSid } from '@flex-custody/core';
import type { Db } from '../db/db.ts';
import { migrate } from '../db/migrate.ts';
import { onEachEngine, type TestDatabase } from '../db/testing/on-each-engine.ts';
import { createCatalog } from './create-catalog.ts';

const account = `AC${'0a'.repeat(16)}` as AccountSid;

onEachEngine('space of removed rows', (open) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await open();
    await migrate(database.db);
  });
  afterAll(() => database.drop());

  test('the embedded database frees it, one table a statement; PostgreSQL does by itself', async () => {
    const { db } = database;
    const statements: string[] = [];
    const watched: Db = {
      ...db,
      query: (sql, values) => {
        if (sql.startsWith('VACUUM')) statements.push(sql);
        return db.query(sql, values);
      },
    };
    const size = async () => {
      const [row] = await db.query<{ bytes: number }>(`SELECT pg_relation_size('alarms')::int AS bytes`);
      return row?.bytes ?? 0;
    };
    await db.query(
      `INSERT INTO alarms (code, recording_sid, detail) SELECT 'x', 'RE' || n, 'x' FROM generate_series(1, 2000) n`,
    );
    const before = await size();
    for (let n = 0; n < 6; n += 1) {
      await db.query('UPDATE alarms SET times = times + 1');
      await createCatalog(watched, account).reclaim();
    }
    if (db.kind === 'postgres') return expect(statements).toEqual([]);
    expect(new Set(statements).size * 6).toBe(statements.length);
    for (const table of ['recordings', 'alarms', 'tallies'])
      expect(statements).toContain(`VACUUM public.${table}`);
    // Seven times as much, if no row's space were used again.
    expect(await size()).toBeLessThan(3 * before);
  });
});

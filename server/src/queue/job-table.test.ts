import { randomBytes } from 'node:crypto';
import { onEachEngine, type TestDatabase } from '../db/testing/on-each-engine.ts';
import { jobTable, partsOf, takeStatement } from './job-table.ts';
import { openQueue } from './queue.ts';

onEachEngine('a backlog of jobs', (open) => {
  const schema = `j${randomBytes(4).toString('hex')}`;
  const waiting = 2_000;
  let database: TestDatabase;
  let part: string;

  beforeAll(async () => {
    database = await open();
    const queue = openQueue(database.db, { schema });
    await queue.counts();
    await queue.stop(0);
    part = (await partsOf(database.db, schema)).get('copy') ?? '';
    await database.db.query(
      `INSERT INTO ${schema}.job (name, data, created_on)
       SELECT 'copy', jsonb_build_object('n', n), now() - interval '1 minute' + n * interval '1 millisecond'
       FROM generate_series(1, ${waiting}) AS n;
       ANALYZE`,
    );
  });
  afterAll(async () => {
    await database.db.query(`DROP SCHEMA ${schema} CASCADE`);
    await database.drop();
  });

  test('is taken in its order, just so many, each job once', async () => {
    const table = jobTable(database.db, part, 'copy');
    const [first, second] = [await table.take(3), await table.take(2)];
    const numbers = [...first, ...second].map(({ data }) => (data as { n: number }).n);
    expect([first.length, second.length]).toEqual([3, 2]);
    expect(numbers.toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5]);
    await table.complete(first.map(({ id }) => id));
    const [row] = await database.db.query<{ done: number; active: number }>(
      `SELECT count(*) FILTER (WHERE state = 'completed')::int AS done,
              count(*) FILTER (WHERE state = 'active')::int AS active FROM ${schema}.job`,
    );
    expect(row).toEqual({ done: 3, active: 2 });
  });

  test('is not read whole for a few of them, by the plan for any number', async () => {
    const plan = await database.db.transaction(async (inner) => {
      await inner.query('SET LOCAL plan_cache_mode = force_generic_plan');
      await inner.query(`PREPARE taking AS ${takeStatement(part)}`);
      const rows = await inner.query<Record<string, string>>(`EXPLAIN EXECUTE taking('copy', 2)`);
      await inner.query('DEALLOCATE taking');
      return rows.map((row) => row['QUERY PLAN']).join('\n');
    });
    expect(plan).toMatch(/Index Scan/);
    expect(plan).not.toMatch(/Seq Scan on j|Hash Join|Sort/);
  });
});

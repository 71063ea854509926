import { randomBytes } from 'node:crypto';
import type { RecordingSid } from '@flex-custody/core';
import { onEachEngine, type TestDatabase } from '../db/testing/on-each-engine.ts';
import { openQueue } from './boss-queue.ts';
import { type JobTable, jobTable, partsOf } from './job-table.ts';
import { jobs } from './testing/jobs.ts';

onEachEngine('a backlog of jobs', (open) => {
  const schema = `j${randomBytes(4).toString('hex')}`;
  let database: TestDatabase;
  let parts: ReadonlyMap<string, string>;
  const tableOf = (name: string, options = {}) => jobTable(database.db, parts.get(name) ?? '', name, options);

  beforeAll(async () => {
    database = await open();
    const queue = openQueue(database.db, { jobs, schema });
    await queue.counts();
    await queue.stop(0);
    parts = await partsOf(database.db, schema);
  });
  beforeEach(() => database.db.query(`DELETE FROM ${schema}.job`));
  afterAll(async () => {
    await database.db.query(`DROP SCHEMA ${schema} CASCADE`);
    await database.drop();
  });

  /** Jobs 1, 2, 3 …, due for ever shorter. */
  const due = (count: number, name = 'copy') =>
    database.db.query(
      `INSERT INTO ${schema}.job (name, data, start_after)
       SELECT $1, jsonb_build_object('n', n), now() - interval '1 minute' + n * interval '1 millisecond'
       FROM generate_series(1, $2::int) AS n`,
      [name, count],
    );
  const numbersOf = (jobs: readonly { data: object }[]) =>
    jobs.map(({ data }) => (data as { n: number }).n).toSorted((a, b) => a - b);
  const taken = async (table: JobTable, most: number) => numbersOf(await table.take(most));
  const left = () =>
    database.db.query<{ state: string; n: number }>(
      `SELECT state::text AS state, count(*)::int AS n FROM ${schema}.job GROUP BY state ORDER BY state`,
    );

  test('is taken from both ends, of an odd number by turns more from one, just so many, each job once', async () => {
    await due(100);
    const table = tableOf('copy');
    expect(await taken(table, 4)).toEqual([1, 2, 99, 100]);
    expect(await taken(table, 3)).toEqual([3, 97, 98]);
    expect(await taken(table, 3)).toEqual([4, 5, 96]);
    expect([await taken(table, 1), await taken(table, 1), await taken(table, 1)]).toEqual([[95], [6], [94]]);
    expect(await taken(table, 200)).toEqual(Array.from({ length: 87 }, (_, at) => at + 7));
    expect(await taken(table, 1)).toEqual([]);
  });

  test.each([1, 2, 3, 5])('of %d all are taken, each once', async (count) => {
    await due(count);
    expect(await taken(tableOf('copy'), 4)).toHaveLength(Math.min(count, 4));
    expect(await taken(tableOf('copy'), 4)).toHaveLength(Math.max(count - 4, 0));
  });

  test('by several at once each job once', async () => {
    await due(60);
    const all = await Promise.all(Array.from({ length: 6 }, () => tableOf('copy').take(10)));
    expect(new Set(numbersOf(all.flat())).size).toBe(all.flat().length);
  });

  test('that is done leaves nothing', async () => {
    await due(5);
    const table = tableOf('copy');
    const [first, ...others] = await table.take(3);
    await table.complete([first?.id ?? '']);
    await table.complete(others.map(({ id }) => id));
    expect(await left()).toEqual([{ state: 'created', n: 2 }]);
  });

  test('of a schedule keeps its slot taken until a later slot is done', async () => {
    const table = tableOf('janitor', { scheduled: true });
    const slot = (hour: number | null) =>
      database.db.query(
        `INSERT INTO ${schema}.job (name, data, start_after, singleton_on)
         VALUES ('janitor', '{}', now() - interval '1 s', '2026-01-01'::timestamp + $1::int * interval '1 hour')`,
        [hour],
      );
    const slots = async () =>
      (
        await database.db.query<{ hour: number }>(
          `SELECT extract(hour FROM singleton_on)::int AS hour FROM ${schema}.job WHERE state = 'completed' ORDER BY 1`,
        )
      ).map(({ hour }) => hour);
    for (const [hour, after] of [
      [1, [1]],
      [null, [1]],
      [2, [2]],
    ] as const) {
      await slot(hour);
      const jobs = await table.take(1);
      await table.complete(jobs.map(({ id }) => id));
      expect(await slots()).toEqual(after);
    }
    expect(await left()).toEqual([{ state: 'completed', n: 1 }]);
  });

  test('is asked by recording what waits, and not what is at work', async () => {
    const sid = (n: number) => `RE${String(n).padStart(32, '0')}` as RecordingSid;
    await database.db.query(
      `INSERT INTO ${schema}.job (name, data, start_after, state)
       SELECT 'copy', jsonb_build_object('recordingSid', 'RE' || lpad(n::text, 32, '0')), now() + interval '1 hour',
         (ARRAY['created', 'retry', 'active', 'failed'])[n]::${schema}.job_state
       FROM generate_series(1, 4) AS n`,
    );
    const sids = [1, 2, 3, 4, 5].map(sid);
    expect([...(await tableOf('copy').waiting(sids))].toSorted()).toEqual([sid(1), sid(2)]);
    expect([...(await tableOf('copy').waiting([sid(2), sid(5)]))]).toEqual([sid(2)]);
  });
});

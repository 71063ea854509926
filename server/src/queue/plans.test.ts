import { randomBytes } from 'node:crypto';
import { onEachEngine, type TestDatabase } from '../db/testing/on-each-engine.ts';
import { openQueue } from './boss-queue.ts';
import { forgetStatement } from './forget-jobs.ts';
import { healthStatement } from './health.ts';
import { partsOf, takeStatement, waitingStatement } from './job-table.ts';
import { removeDoneStatement } from './remove-done.ts';
import { archiving } from './start-boss.ts';
import { jobs } from './testing/jobs.ts';

type Plans = Record<
  'failJobsById' | 'failJobsByTimeout' | 'archive' | 'drop',
  (schema: string, ...more: string[]) => string
>;
/** Statements of pg-boss: but for the first it runs them every two minutes. */
const bossPlans = jest.requireActual<Plans>('pg-boss/src/plans.js');

const textsOf = (count: number) =>
  `ARRAY[${Array.from({ length: count }, (_, n) => `'RE${String(n).padStart(32, '0')}'`).join(', ')}]`;

onEachEngine('of many jobs that are not due', (open) => {
  const schema = `j${randomBytes(4).toString('hex')}`;
  const waiting = 25_000;
  let database: TestDatabase;
  let part: string;

  beforeAll(async () => {
    database = await open();
    const queue = openQueue(database.db, { jobs, schema });
    await queue.counts();
    await queue.stop(0);
    part = (await partsOf(database.db, schema)).get('copy') ?? '';
    const fill = (state: string, from: number, to: number) =>
      database.db.query(
        `INSERT INTO ${schema}.job (name, data, start_after, state, started_on, completed_on)
         SELECT 'copy', jsonb_build_object('recordingSid', 'RE' || lpad(n::text, 32, '0')),
           now() + CASE WHEN n % 100 = 0 THEN interval '-1 minute' ELSE interval '1 hour' END + n * interval '1 millisecond',
           '${state}', CASE WHEN '${state}' <> 'created' THEN now() END, CASE WHEN '${state}' = 'failed' THEN now() END
         FROM generate_series(${from}, ${to}) AS n;`,
      );
    await fill('created', 1, waiting);
    await fill('active', waiting + 1, waiting + 20);
    await fill('failed', waiting + 21, waiting + 200);
    await database.db.query(`INSERT INTO ${schema}.archive SELECT job.*, now() FROM ${schema}.job`);
    await database.db.query('ANALYZE');
  }, 120_000);
  afterAll(async () => {
    await database.db.query(`DROP SCHEMA ${schema} CASCADE`);
    await database.drop();
  });

  /** By the plan for any value, or for just these. */
  const planOf = (sql: string, values: readonly string[] = [], mode = 'auto') =>
    database.db.transaction(async (inner) => {
      await inner.query(`SET LOCAL plan_cache_mode = ${mode}`);
      await inner.query(`PREPARE asked AS ${sql}`);
      const called = values.length === 0 ? 'asked' : `asked(${values.join(', ')})`;
      const rows = await inner.query<Record<string, string>>(`EXPLAIN EXECUTE ${called}`);
      await inner.query('DEALLOCATE asked');
      return rows.map((row) => row['QUERY PLAN']).join('\n');
    });
  const isLarge = (line: string) => line.includes(` on ${part.split('.')[1]}`) || / on archive/.test(line);
  const { archiveCompletedAfterSeconds, archiveFailedAfterSeconds, deleteAfterDays } = archiving;

  test('to take some reads what is due from both ends, and sorts nothing', async () => {
    const plan = await planOf(takeStatement(part), ["'copy'", '2', '2'], 'force_generic_plan');
    expect(plan).toMatch(/Index Scan Backward using \S+_start_after_id_idx/);
    expect(plan).toMatch(/Index Scan using \S+_start_after_id_idx/);
    expect(plan.match(/Index Cond: \(\(name = \$1\) AND \(start_after < now\(\)\)\)/g)).toHaveLength(2);
    expect(plan).not.toMatch(/Seq Scan on j|Hash Join|Sort/);
  });

  test.each<[string, () => [sql: string, ...values: string[]]]>([
    ['looks up which of some recordings wait', () => [waitingStatement(part), `'copy'`, textsOf(1_000)]],
    ['forgets those of a call', () => [forgetStatement(`${schema}.job`), textsOf(8)]],
    ['forgets them in the archive', () => [forgetStatement(`${schema}.archive`), textsOf(8)]],
    ['counts what is due', () => [healthStatement(schema)]],
    ['removes what is done', () => [removeDoneStatement(schema), `ARRAY['janitor']`]],
    [
      'fails a job (pg-boss)',
      () => [bossPlans.failJobsById(schema), `'copy'`, 'ARRAY[gen_random_uuid()]', `'{}'`],
    ],
    ['ends tries that took too long (pg-boss)', () => [bossPlans.failJobsByTimeout(schema)]],
    [
      'archives what is over (pg-boss)',
      () => [
        bossPlans.archive(
          schema,
          `${archiveCompletedAfterSeconds} seconds`,
          `${archiveFailedAfterSeconds} seconds`,
        ),
      ],
    ],
    ['trims the archive (pg-boss)', () => [bossPlans.drop(schema, `${deleteAfterDays} days`)]],
  ])('%s, and reads no table whole', async (_what, statement) => {
    const plan = await planOf(...splitOf(statement()));
    const lines = plan.split('\n').map((line) => line.slice(0, 200));
    const scans = lines.filter((line) => line.includes(' Scan '));
    expect(scans.some((line) => /Index/.test(line))).toBe(true);
    expect(scans.filter((line) => /Seq Scan/.test(line) && isLarge(line))).toEqual([]);
  });
});

const splitOf = ([sql, ...values]: [sql: string, ...values: string[]]): [string, string[]] => [sql, values];

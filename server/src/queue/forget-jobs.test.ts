import { until } from '../../../test/support/until.ts';
import { onEachEngine, type TestDatabase } from '../db/testing/on-each-engine.ts';
import { openQueue } from './boss-queue.ts';
import { forgetJobs } from './forget-jobs.ts';
import { removeDone } from './remove-done.ts';
import { jobs } from './testing/jobs.ts';

onEachEngine('jobs that are removed', (open) => {
  let database: TestDatabase;
  let schema: string;
  beforeAll(async () => {
    database = await open();
    schema = `${database.schema}_jobs`;
    const queue = openQueue(database.db, { jobs, schema });
    await queue.counts();
    await queue.stop(0);
  });
  beforeEach(() => database.db.query(`DELETE FROM ${schema}.job; DELETE FROM ${schema}.archive`));
  afterAll(() => database.drop());

  const put = (name: string, data: object, state = 'created') =>
    database.db.query(
      `INSERT INTO ${schema}.job (name, data, state, completed_on)
       VALUES ($1, $2::jsonb, $3::text::${schema}.job_state, CASE WHEN $3::text = 'created' THEN NULL ELSE now() END)`,
      [name, JSON.stringify(data), state],
    );
  const left = async (table: string) =>
    (
      await database.db.query<{ name: string; data: object }>(
        `SELECT name, data FROM ${schema}.${table} ORDER BY name`,
      )
    ).map(({ name, data }) => `${name} ${Object.values(data).join(' ')}`.trim());

  test('for what was erased: by recording, task or conference, in any state, the archive too', async () => {
    await put('copy', { recordingSid: 'RE1' });
    await put('copy.dead', { recordingSid: 'RE1' });
    await put('verify', { recordingSid: 'RE1' }, 'failed');
    await put('link', { taskSid: 'WT1' });
    await put('link', { taskSid: 'WT2', conferenceSid: 'CF1' });
    await put('verify', { conferenceSid: 'CF1' });
    await put('copy', { recordingSid: 'RE2' });
    await put('link', { taskSid: 'WT3' });
    await put('janitor', {});
    await database.db.query(`INSERT INTO ${schema}.archive SELECT job.*, now() FROM ${schema}.job`);
    await forgetJobs(database.db, ['RE1', 'WT1', 'CF1'], schema);
    const others = ['copy RE2', 'janitor', 'link WT3'];
    expect([await left('job'), await left('archive')]).toEqual([others, others]);
    await forgetJobs(database.db, [], schema);
    expect(await left('job')).toEqual(others);
  });

  test('after an earlier release: what is completed, but for the slots of schedules', async () => {
    await database.db.query(
      `INSERT INTO ${schema}.job (name, data, state, completed_on)
       SELECT 'copy', '{}', 'completed', now() FROM generate_series(1, 4500)`,
    );
    await put('verify', {}, 'failed');
    await put('copy', { recordingSid: 'RE1' });
    await put('janitor', {}, 'completed');
    let asked = 0;
    await removeDone(database.db, schema, ['janitor'], () => ++asked <= 1);
    expect(await left('job')).toHaveLength(2_503);
    await removeDone(database.db, schema, ['janitor']);
    expect(await left('job')).toEqual(['copy RE1', 'janitor', 'verify']);
  });

  test('by the process that supervises: what failed is in the archive after an hour, and slots stay taken for a week', async () => {
    await put('copy', {}, 'completed');
    await put('verify', { n: 'early' }, 'failed');
    await put('janitor', {}, 'completed');
    await database.db.query(`UPDATE ${schema}.job SET completed_on = now() - interval '61 minutes'`);
    await put('verify', { n: 'late' }, 'failed');
    await database.db.query(
      `UPDATE ${schema}.job SET completed_on = now() - interval '6 days 23 hours' WHERE name = 'janitor';
       INSERT INTO ${schema}.archive SELECT job.*, now() - interval '8 days' FROM ${schema}.job WHERE name = 'copy'`,
    );
    const queue = openQueue(database.db, { jobs, schema, supervise: true, superviseSeconds: 1 });
    try {
      await queue.counts();
      await until(async () => !(await left('job')).includes('copy'));
      expect(await left('job')).toEqual(['janitor', 'verify late']);
      expect(await left('archive')).toEqual(['verify early']);
    } finally {
      await queue.stop(0);
    }
  });
});

import type { RecordingSid } from '@flex-custody/core';
import { createAlarms } from '../alarms/alarms.ts';
import type { Db } from '../db/db.ts';
import { buildIndexes } from '../db/indexes.ts';
import { migrate } from '../db/migrate.ts';
import { onEachEngine, type TestDatabase } from '../db/testing/on-each-engine.ts';
import { removeTraces } from './erasure-traces.ts';

const sid = (prefix: string, n: number) => `${prefix}${n.toString(16).padStart(32, '0')}`;
const RE = (n: number) => sid('RE', n) as RecordingSid;
const none = { tasks: [], conferences: [], calls: [] };
const many = 20_000;

onEachEngine('traces of a recording in other tables', (open) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await open();
    await migrate(database.db);
    await buildIndexes(database.db);
  });
  afterAll(() => database.drop());
  beforeEach(() => database.db.query('TRUNCATE alarms, pauses, reports, live_calls'));

  const details = async () => (await createAlarms(database.db).list()).map(({ detail }) => detail).sort();

  test('an alarm is found by each SID that its newest detail names', async () => {
    const alarms = createAlarms(database.db);
    await alarms.raise('plain_kept', undefined, `${RE(1)}.wav: differs`);
    await alarms.raise('not_recorded', undefined, `nothing records ${sid('CF', 1)}, twice ${sid('CF', 1)}`);
    await alarms.raise('source_kept', RE(9), `beside ${sid('CA', 1)}`);
    await alarms.raise('sources_stopped', undefined, `key=${RE(1)}`);
    // Raised again about something else: the first detail is no more.
    await alarms.raise('sources_stopped', undefined, `key=${RE(2)}`);
    await removeTraces(database.db, RE(1), { tasks: [], conferences: [sid('CF', 1)], calls: [sid('CA', 1)] });
    expect(await details()).toEqual([`key=${RE(2)}`]);
    await removeTraces(database.db, RE(2), none);
    expect(await details()).toEqual([]);
  });

  test('a pause that is open loses the recording, and keeps the others', async () => {
    await database.db.query(
      `INSERT INTO pauses (conference_sid, task_sid, last_at, recordings) VALUES ($1, $2, now(), $3)`,
      [sid('CF', 1), sid('WT', 1), [RE(1), RE(2)]],
    );
    await removeTraces(database.db, RE(1), none);
    expect(await database.db.query('SELECT recordings FROM pauses')).toEqual([{ recordings: [RE(2)] }]);
  });

  test('among many rows each statement finds its own by an index', async () => {
    const { db } = database;
    const of = (prefix: string, n = 'n') => `'${prefix}' || lpad(to_hex(${n}), 32, '0')`;
    await db.query(
      `INSERT INTO alarms (code, recording_sid, detail, about)
       SELECT 'source_kept', ${of('RE')}, ${of('CF')}, ARRAY[${of('CF')}] FROM generate_series(1, ${many}) n`,
    );
    await db.query(
      `INSERT INTO pauses (conference_sid, task_sid, last_at, recordings, ended_at, ended_by)
       SELECT ${of('CF')}, ${of('WT')}, now(), CASE WHEN n % 10 = 0 THEN ARRAY[${of('RE')}] ELSE '{}' END,
         CASE WHEN n % 10 <> 0 THEN now() END, CASE WHEN n % 10 <> 0 THEN 'timer' END
       FROM generate_series(1, ${many}) n`,
    );
    await db.query(
      `INSERT INTO reports (id, kind, at, task_sid, conference_sid, by)
       SELECT gen_random_uuid(), 'paused', now(), ${of('WT')}, ${of('CF')}, 'browser' FROM generate_series(1, ${many}) n`,
    );
    await db.query(
      `INSERT INTO live_calls (conference_sid, account_sid, task_sid, legs)
       SELECT ${of('CF')}, 'AC1', ${of('WT')}, ARRAY[${of('CA')}] FROM generate_series(1, ${many}) n`,
    );
    // What waits to be put into the index of legs is put in, as by autovacuum or the host's own hourly one.
    await db.query('VACUUM live_calls');
    await db.query('ANALYZE alarms, pauses, reports, live_calls');
    const plans = new Map<string, string>();
    const explained: Pick<Db, 'query'> = {
      query: async <T>(sql: string, values?: readonly unknown[]) => {
        const rows = await db.query<Record<string, string>>(`EXPLAIN ${sql}`, values);
        plans.set(sql, rows.map((row) => Object.values(row)[0]).join('\n'));
        return [] as T[];
      },
    };
    await removeTraces(explained, RE(40), {
      tasks: [sid('WT', 40)],
      conferences: [sid('CF', 40)],
      calls: [sid('CA', 40)],
    });
    const through = /Seq Scan on (alarms|pauses|reports|live_calls)/;
    const read = [...plans].filter(([, plan]) => through.test(plan));
    expect(read).toEqual([]);
    expect(plans.size).toBeGreaterThanOrEqual(8);
  });
});

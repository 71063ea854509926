import type { AccountSid, RecordingSid } from '@flex-custody/core';
import { createAlarms } from '../alarms/alarms.ts';
import { createAgedRows } from '../catalog/aged-rows.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { createCatalog } from '../catalog/create-catalog.ts';
import { buildIndexes } from '../db/indexes.ts';
import { migrate } from '../db/migrate.ts';
import { onEachEngine, type TestDatabase } from '../db/testing/on-each-engine.ts';
import { FakeQueue } from '../ingest/testing/house.ts';
import { runTrim, type TrimDeps, trimNow } from './trim.ts';

const account = `AC${'0a'.repeat(16)}` as AccountSid;
const sid = (prefix: string, n: number) => `${prefix}${n.toString(16).padStart(32, '0')}`;
const RE = (n: number) => sid('RE', n) as RecordingSid;
const never = new AbortController().signal;

onEachEngine('what is trimmed by age', (open) => {
  let database: TestDatabase;
  let catalog: Catalog;
  let deps: Omit<TrimDeps, 'queue'>;
  let logged: object[];
  beforeAll(async () => {
    database = await open();
    await migrate(database.db);
    await buildIndexes(database.db);
    catalog = createCatalog(database.db, account);
    deps = {
      aged: createAgedRows(database.db, account, catalog),
      alarms: createAlarms(database.db),
      catalog,
      config: { keepDays: { alarms: 90, runs: 90, reports: 400, events: 35 } },
      log: { info: (fields) => void logged.push(fields) },
    };
  });
  afterAll(() => database.drop());
  beforeEach(async () => {
    logged = [];
    await database.db.query(
      'TRUNCATE recordings, alarms, runs, retained, reports, pauses, identities, marks, audit, certificates, agent_events, events_set_aside, erased_sids, contacts, contact_keys, contact_events, contact_reports, connector_interactions, connector_effects, connector_customers, connector_agent_days CASCADE',
    );
  });

  const trim = () => trimNow(deps, never);
  const ago = (days: number) => `now() - interval '${days} days'`;
  const column = async (sql: string) =>
    (await database.db.query<{ one: string | number }>(sql)).map(({ one }) => one);
  const recording = (n: number, task: string, { hinted = false, state = 'absent' } = {}) =>
    database.db.query(
      `INSERT INTO recordings (recording_sid, account_sid, task_sid, hints, channels, started_at, source, state)
       VALUES ($1, $2, $3, $4::jsonb, 2, now(), 'callback', $5)`,
      [RE(n), account, hinted ? null : task, JSON.stringify(hinted ? { taskSid: task } : {}), state],
    );
  const report = (task: string, kind: string, days: number) =>
    database.db.query(
      `INSERT INTO reports (id, kind, at, received_at, task_sid, by)
       VALUES (gen_random_uuid(), $1, now(), ${ago(days)}, $2, 'browser')`,
      [kind, task],
    );
  const pause = (n: number, task: string, days: number | undefined) =>
    database.db.query(
      `INSERT INTO pauses (conference_sid, task_sid, last_at, ended_at, ended_by)
       VALUES ($1, $2, ${ago(500)}, ${days === undefined ? 'NULL, NULL' : `${ago(days)}, 'timer'`})`,
      [sid('CF', n), task],
    );

  test("agents' events by when they came, what was set aside of them by when it last came, digests after 400 days", async () => {
    const { db } = database;
    for (const [n, days] of [36, 34].entries()) {
      await db.query(
        `INSERT INTO agent_events (id, type, at, at_from, sids, data, source, shard, received_at)
         SELECT $1 || one, 't', now(), 'payload', '{}', '{}', 'webhook', '', ${ago(days)} FROM generate_series(1, 600) one`,
        [`e${n}-`],
      );
      await db.query(
        `INSERT INTO events_set_aside (key, reason, sids, source, shard, count, first_at, last_at)
         VALUES ($1, 'not_json', '{}', 'webhook', '', 1, ${ago(90)}, ${ago(days)})`,
        [`s${days}`],
      );
    }
    await db.query(
      `INSERT INTO erased_sids (digest, at) VALUES ('old', ${ago(401)}), ('young', ${ago(399)})`,
    );
    await trim();
    expect(await column('SELECT count(*)::int AS one FROM agent_events')).toEqual([600]);
    expect(await column('SELECT min(id) AS one FROM agent_events')).toEqual(['e1-1']);
    expect(await column('SELECT key AS one FROM events_set_aside')).toEqual(['s34']);
    expect(await column('SELECT digest AS one FROM erased_sids')).toEqual(['young']);
    expect(logged).toEqual([{ event: 'trimmed', events: 600, events_set_aside: 1, erased_sids: 1 }]);
  });

  test('sessions by their close, with what belongs to them; one without a close by its beginning', async () => {
    const { db } = database;
    const rows: [number, number | undefined][] = [
      [401, 399],
      [500, 401],
      [399, undefined],
      [401, undefined],
    ];
    for (const [n, [opened, closed]] of rows.entries()) {
      await db.query(
        `INSERT INTO contacts (number, id, kind, opened_at, closed_at, contact)
         VALUES ($1, '', 'voice', ${ago(opened)}, ${closed === undefined ? 'NULL' : ago(closed)}, '{}')`,
        [n + 1],
      );
      await db.query('INSERT INTO contact_keys VALUES ($1, $2)', [`key ${n + 1}`, n + 1]);
      await db.query('INSERT INTO contact_events VALUES ($1, $2)', [n + 1, `event ${n + 1}`]);
      await db.query(`INSERT INTO contact_reports VALUES ($1, 'long_call', now(), 's')`, [n + 1]);
    }
    await trim();
    for (const [table, name] of [
      ['contacts', 'number'],
      ['contact_keys', 'contact'],
      ['contact_events', 'contact'],
      ['contact_reports', 'contact'],
    ])
      expect(await column(`SELECT ${name}::int AS one FROM ${table} ORDER BY 1`)).toEqual([1, 3]);
    expect(logged).toEqual([{ event: 'trimmed', contacts: 2 }]);
  });

  test('what connectors keep, as sessions; what is still to be sent, and to be forgotten, stays', async () => {
    const { db } = database;
    const customer = async (state = 'sent') => {
      const [row] = await db.query<{ id: number }>(
        `INSERT INTO connector_customers (connector, digest, state) VALUES ('brevo', gen_random_uuid()::text, $1) RETURNING id`,
        [state],
      );
      return row?.id ?? 0;
    };
    const ids = [await customer(), await customer(), await customer('forget'), await customer()];
    const rows: [of: number, opened: number, closed: number | undefined, state: string][] = [
      [0, 500, 401, 'sent'],
      [0, 500, 399, 'sent'],
      [1, 401, undefined, 'dropped'],
      [2, 500, 401, 'failed'],
      [3, 500, 401, 'uncertain'],
    ];
    for (const [of, opened, closed, state] of rows)
      await db.query(
        `WITH one AS (
           INSERT INTO connector_interactions (custody_id, connector, customer, opened_at, closed_at, channel)
           VALUES (gen_random_uuid(), 'brevo', $1, ${ago(opened)}, ${closed === undefined ? 'NULL' : ago(closed)}, 'voice')
           RETURNING custody_id
         )
         INSERT INTO connector_effects (connector, custody_id, trigger, state, happened_at, due_at)
         SELECT 'brevo', custody_id, 'task.created', $2, now(), now() FROM one`,
        [ids[of], state],
      );
    await db.query(
      `INSERT INTO connector_agent_days VALUES ((${ago(402)})::date, 'WK1', 'handled', 1), ((${ago(398)})::date, 'WK1', 'handled', 2)`,
    );
    await trim();
    expect(await column('SELECT customer::int AS one FROM connector_interactions ORDER BY 1')).toEqual([
      ids[0],
      ids[3],
    ]);
    expect(await column('SELECT state AS one FROM connector_effects ORDER BY 1')).toEqual([
      'sent',
      'uncertain',
    ]);
    expect(await column('SELECT id::int AS one FROM connector_customers ORDER BY 1')).toEqual([
      ids[0],
      ids[2],
      ids[3],
    ]);
    expect(await column('SELECT value AS one FROM connector_agent_days')).toEqual([2]);
    expect(logged).toEqual([{ event: 'trimmed', connector_interactions: 3, connector_agent_days: 1 }]);
  });

  test('alarms by when they were closed; one that is open stays, however old', async () => {
    for (const [code, cleared] of [
      ['old', ago(91)],
      ['young', ago(89)],
      ['open', 'NULL'],
    ])
      await database.db.query(
        `INSERT INTO alarms (code, detail, first_at, last_at, cleared_at) VALUES ($1, 'x', ${ago(900)}, ${ago(900)}, ${cleared})`,
        [code],
      );
    await trim();
    expect(await column('SELECT code AS one FROM alarms ORDER BY code')).toEqual(['open', 'young']);
    expect(logged).toEqual([{ event: 'trimmed', alarms: 1 }]);
  });

  test('runs that came to their end; one that broke off, or is at work, stays', async () => {
    for (const [name, finished, held] of [
      ['old', ago(91), 'NULL'],
      ['young', ago(89), 'NULL'],
      ['broken-off', 'NULL', 'NULL'],
      ['at-work', ago(91), `now() + interval '1 minute'`],
    ])
      await database.db.query(
        `INSERT INTO runs (name, options, updated_at, finished_at, held_until) VALUES ($1, '{}', ${ago(900)}, ${finished}, ${held})`,
        [name],
      );
    await trim();
    expect(await column('SELECT name AS one FROM runs ORDER BY name')).toEqual([
      'at-work',
      'broken-off',
      'young',
    ]);
  });

  test('of what runs of retention erased, the newest 20 stay as the measure of what is usual', async () => {
    for (let n = 1; n <= 30; n += 1)
      await database.db.query(
        `INSERT INTO retained (account_sid, at, recordings) VALUES ($1, ${ago(n <= 28 ? 200 : 1)}, $2)`,
        [account, n],
      );
    const usual = await catalog.usuallyRetained();
    await trim();
    expect(await column('SELECT recordings AS one FROM retained ORDER BY id')).toEqual(
      Array.from({ length: 20 }, (_, n) => n + 11),
    );
    expect(await catalog.usuallyRetained()).toBe(usual);
    await database.db.query(`UPDATE retained SET at = now()`);
    await catalog.noteRetained(31);
    await trim();
    expect(await column('SELECT count(*)::int AS one FROM retained')).toEqual([21]);
  });

  test('reports and pauses by age, but those that are evidence for a recording stay with it', async () => {
    const [proven, hinted, erased, none] = [1, 2, 3, 4].map((n) => sid('WT', n)) as [string, ...string[]];
    await recording(1, proven);
    await recording(2, hinted as string, { hinted: true });
    await recording(3, erased as string, { state: 'erased' });
    for (const [n, task] of [proven, hinted, erased, none].entries()) {
      for (const kind of ['paused', 'resumed', 'consent']) await report(task as string, kind, 401);
      await pause(n, task as string, 401);
    }
    await report(none as string, 'paused', 399);
    await pause(8, none as string, 399);
    await pause(9, none as string, undefined);
    await trim();
    expect(await column(`SELECT task_sid || ' ' || kind AS one FROM reports ORDER BY 1`)).toEqual([
      `${proven} paused`,
      `${proven} resumed`,
      `${hinted} paused`,
      `${hinted} resumed`,
      `${none} paused`,
    ]);
    expect(await column('SELECT conference_sid AS one FROM pauses ORDER BY 1')).toEqual(
      [0, 1, 8, 9].map((n) => sid('CF', n)),
    );
  });

  test('each old report is looked at once, and no mark names a call', async () => {
    const task = sid('WT', 1);
    await recording(1, task);
    await report(task, 'paused', 500);
    await pause(1, task, 500);
    await trim();
    const [mark] = await column(
      `SELECT string_agg(mark::text, ' ') AS one FROM marks WHERE name LIKE 'trim-%'`,
    );
    expect(mark).toMatch(/"at".*"at"/);
    expect(mark).not.toMatch(/[A-Z]{2}[0-9a-f]{32}/);
    const statements: string[] = [];
    const watched = {
      query: <T>(sql: string, values?: readonly unknown[]) => {
        statements.push(sql);
        return database.db.query<T>(sql, values);
      },
    };
    const aged = createAgedRows(watched, account, catalog);
    expect([await aged.reports(400), await aged.pauses(400)]).toEqual([
      { removed: 0, hasMore: false },
      { removed: 0, hasMore: false },
    ]);
    // Only the two that look for what is newly old.
    expect(statements).toHaveLength(2);
    await report(sid('WT', 2), 'paused', 450);
    expect(await aged.reports(400)).toEqual({ removed: 1, hasMore: false });
  });

  test('of one instant none is passed over, and more than a slice is done in one job', async () => {
    await database.db.query(
      `INSERT INTO reports (id, kind, at, received_at, task_sid, by)
       SELECT gen_random_uuid(), 'consent', now(), ${ago(500)} + (n / 700) * interval '1 second', 'WT' || n, 'browser'
       FROM generate_series(1, 1600) n`,
    );
    const first = await deps.aged.reports(400);
    expect(first).toEqual({ removed: 699, hasMore: true });
    expect(await trim()).toEqual({ hasMore: false });
    expect(await column('SELECT count(*)::int AS one FROM reports')).toEqual([0]);
  });

  test('workers whom no token named for long are forgotten', async () => {
    for (const [n, days] of [
      [1, 401],
      [2, 399],
    ])
      await database.db.query(
        `INSERT INTO identities (worker_sid, identity, seen_at) VALUES ($1, $1, ${ago(days as number)})`,
        [sid('WK', n as number)],
      );
    await trim();
    expect(await column('SELECT worker_sid AS one FROM identities')).toEqual([sid('WK', 2)]);
  });

  test('audit log and certificates are never trimmed', async () => {
    await database.db.query(
      `INSERT INTO audit (at, viewer, action, recording_sid, allowed, reason) VALUES (${ago(9_000)}, 'v', 'play', $1, true, 'r')`,
      [RE(1)],
    );
    await database.db.query(
      `INSERT INTO certificates (id, at, reason, recordings, jws) VALUES (gen_random_uuid(), ${ago(9_000)}, 'erasure', 1, 'j')`,
    );
    await trim();
    expect(await column('SELECT count(*)::int AS one FROM audit')).toEqual([1]);
    expect(await column('SELECT count(*)::int AS one FROM certificates')).toEqual([1]);
  });

  test('by the hour; a job that is through closes the alarm of one that failed', async () => {
    const queue = new FakeQueue();
    await queue.work(runTrim({ ...deps, queue }));
    expect(queue.schedules).toEqual(['trim 3600']);
    const alarms = createAlarms(database.db);
    await alarms.raise('trim_failed', undefined, 'database_unavailable');
    const failing = new FakeQueue();
    const aged = { ...deps.aged, runs: () => Promise.reject(new Error('away')) };
    await failing.work(runTrim({ ...deps, aged, queue: failing }));
    await expect(failing.run('trim', {})).rejects.toThrow('away');
    expect(await alarms.list({ open: true })).toHaveLength(1);
    await queue.run('trim', {});
    expect(await alarms.list({ open: true })).toEqual([]);
    expect(queue.sent).toEqual([]);
  });

  test('a job that failed for good is an alarm', async () => {
    const queue = new FakeQueue();
    await queue.work(runTrim({ ...deps, queue }));
    const error = { code: 'expired', message: 'late', retryable: true };
    await queue.dead({ name: 'trim', data: {}, error });
    expect(await createAlarms(database.db).list({ open: true })).toMatchObject([{ code: 'trim_failed' }]);
  });

  test('where there is more than one job removes, another one continues', async () => {
    const queue = new FakeQueue();
    const alarmsOfYears = jest.fn(async () => ({ removed: 500, hasMore: true }));
    await queue.work(runTrim({ ...deps, aged: { ...deps.aged, alarms: alarmsOfYears }, queue }));
    await queue.run('trim', {});
    expect(alarmsOfYears).toHaveBeenCalledTimes(100);
    expect(queue.sent).toEqual([{ name: 'trim', data: {}, options: { once: 'more' } }]);
  });

  test('with nothing to remove no statement reads a table through', async () => {
    await database.db.query(
      `INSERT INTO alarms (code, recording_sid, detail, cleared_at)
       SELECT 'x', 'RE' || n, 'x', CASE n % 2 WHEN 0 THEN now() END FROM generate_series(1, 5000) n`,
    );
    await database.db.query(
      `INSERT INTO reports (id, kind, at, received_at, task_sid, by)
       SELECT gen_random_uuid(), 'paused', now(), now() - n * interval '1 minute', 'WT' || n, 'browser' FROM generate_series(1, 5000) n`,
    );
    await database.db.query(
      `INSERT INTO pauses (conference_sid, task_sid, last_at, ended_at, ended_by)
       SELECT 'CF' || n, 'WT' || n, now(), now() - n * interval '1 minute', 'timer' FROM generate_series(1, 5000) n`,
    );
    await database.db.query(
      `INSERT INTO identities (worker_sid, identity) SELECT 'WK' || n, 'w' || n FROM generate_series(1, 5000) n`,
    );
    await database.db.query(
      `INSERT INTO retained (account_sid, recordings) SELECT $1, n FROM generate_series(1, 5000) n`,
      [account],
    );
    await database.db.query('ANALYZE alarms, reports, pauses, identities, retained');
    const plans: string[] = [];
    const explained = {
      query: async <T>(sql: string, values?: readonly unknown[]) => {
        const rows = await database.db.query<Record<string, string>>(`EXPLAIN ${sql}`, values);
        plans.push(rows.map((row) => Object.values(row)[0]).join('\n'));
        return [] as T[];
      },
    };
    const aged = createAgedRows(explained, account, catalog);
    await aged.alarms(90);
    await aged.retained();
    await aged.reports(400);
    await aged.pauses(400);
    await aged.identities(400);
    expect(plans).toHaveLength(5);
    for (const plan of plans) expect(plan).not.toMatch(/Seq Scan/);
  });
});

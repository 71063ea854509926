import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { CustodyError, type RecordingSid } from '@flex-custody/core';
import { until } from '../../../test/support/until.ts';
import { onEachEngine, type TestDatabase } from '../db/testing/on-each-engine.ts';
import { openQueue } from './boss-queue.ts';
import type { DeadJob } from './job.ts';
import { jobIndexes } from './job-indexes.ts';
import type { Queue } from './queue.ts';
import { jobs, testJobs } from './testing/jobs.ts';

const RE = (n: number) => ({ recordingSid: `RE${n.toString(16).padStart(32, '0')}` as RecordingSid });

onEachEngine('queue', (open) => {
  let database: TestDatabase;
  let schema: string;
  let queue: Queue;
  const errors: unknown[] = [];
  beforeAll(async () => {
    database = await open();
    schema = `${database.schema}_jobs`;
  });
  afterAll(() => database.drop());
  beforeEach(() => {
    errors.length = 0;
    queue = openQueue(database.db, { jobs, schema, onError: (error) => errors.push(error) });
  });
  afterEach(async () => {
    await queue.stop(0);
    await database.db.query(`DELETE FROM ${schema}.job`);
  });

  const waiting = async (name: string) =>
    (await queue.counts({ fresh: true })).filter(
      (row) => row.name === name && /created|retry/.test(row.state),
    );
  /** Moves every waiting try to now, instead of sitting through the pauses. */
  const hurry = () => database.db.query(`UPDATE ${schema}.job SET start_after = now() - interval '1 s'`);

  test('a job sent here is at work at once, with its data', async () => {
    const unpolled = openQueue(database.db, { jobs, schema, pollMs: 600_000 });
    const seen: unknown[] = [];
    await unpolled.work({
      job: testJobs.copy,
      concurrency: 1,
      run: async (data, job) => {
        seen.push([data, job.attempt]);
      },
    });
    await sleep(100);
    await unpolled.send(testJobs.copy, RE(1));
    await until(() => seen.length === 1);
    expect(seen).toEqual([[RE(1), 1]]);
    await until(async () => (await queue.counts({ fresh: true })).length === 0);
    await unpolled.stop(0);
  });

  test('a job sent elsewhere is found by polling, one sent for later not before its time', async () => {
    const elsewhere = openQueue(database.db, { jobs, schema });
    const seen: [string, number][] = [];
    await queue.work({
      job: testJobs.copy,
      concurrency: 2,
      run: async (data) => {
        seen.push([data.recordingSid, Date.now()]);
      },
    });
    const sent = Date.now();
    await elsewhere.send(testJobs.copy, RE(2), { startAfterMs: 1_500 });
    await elsewhere.send(testJobs.copy, RE(1));
    await until(() => seen.length === 2);
    expect(seen.map(([sid]) => sid)).toEqual([RE(1).recordingSid, RE(2).recordingSid]);
    expect((seen[1]?.[1] ?? 0) - sent).toBeGreaterThanOrEqual(1_490);
    await elsewhere.stop(0);
  });

  test('every queue has every index; the one of earlier releases is gone', async () => {
    await queue.send(testJobs.copy, RE(1));
    const first = openQueue(database.db, { jobs, schema });
    await database.db.query(`CREATE INDEX job_in_turn ON ${schema}.job (name, created_on)`);
    await first.counts();
    await first.stop(0);
    const onJobs = Object.entries(jobIndexes).flatMap(([name, { on }]) => (on === 'job' ? [name] : []));
    const rows = await database.db.query<{ without: string; name: string }>(
      `SELECT i.inhrelid::regclass::text AS without, name FROM pg_inherits i CROSS JOIN unnest($2::text[]) name
       WHERE i.inhparent = $1::regclass AND NOT EXISTS (
         SELECT FROM pg_index x JOIN pg_inherits of ON of.inhrelid = x.indexrelid
         WHERE x.indrelid = i.inhrelid AND of.inhparent = to_regclass($3 || name))`,
      [`${schema}.job`, onJobs, `${schema}.`],
    );
    expect(rows).toEqual([]);
    const [old] = await database.db.query('SELECT to_regclass($1) AS there', [`${schema}.job_in_turn`]);
    expect(old).toEqual({ there: null });
  });

  test('of each key one waits, for each reason to send it', async () => {
    for (let i = 0; i < 3; i++) await queue.send(testJobs.verify, RE(1));
    expect(await waiting('verify')).toEqual([{ name: 'verify', state: 'created', count: 1 }]);
    for (let i = 0; i < 2; i++) await queue.send(testJobs.verify, RE(1), { once: 'now' });
    for (let i = 0; i < 2; i++) await queue.send(testJobs.verify, RE(2));
    expect(await waiting('verify')).toEqual([{ name: 'verify', state: 'created', count: 3 }]);
    const keys = await database.db.query<{ key: string }>(
      `SELECT singleton_key AS key FROM ${schema}.job WHERE name = 'verify' ORDER BY 1`,
    );
    const [one, two] = [RE(1).recordingSid, RE(2).recordingSid];
    expect(keys.map(({ key }) => key).sort()).toEqual([one, two, `now:${one}`].sort());
    for (let i = 0; i < 2; i++) await queue.send(testJobs.janitor, {});
    for (let i = 0; i < 2; i++) await queue.send(testJobs.janitor, {}, { once: 'more' });
    expect(await waiting('janitor')).toEqual([{ name: 'janitor', state: 'created', count: 2 }]);
  });

  test('many are sent at once, each key once', async () => {
    await queue.send(testJobs.verify, RE(1), { once: 'a' });
    await queue.sendAll(testJobs.verify, [
      { data: RE(1), once: 'a' },
      { data: RE(3), once: 'b' },
      { data: RE(3), once: 'b' },
      { data: RE(3) },
      { data: RE(4) },
      { data: RE(4) },
    ]);
    await queue.sendAll(testJobs.verify, []);
    const rows = await database.db.query<{ sid: string }>(
      `SELECT data->>'recordingSid' AS sid FROM ${schema}.job WHERE name = 'verify' ORDER BY 1`,
    );
    expect(rows.map(({ sid }) => sid)).toEqual([1, 3, 3, 4].map((n) => RE(n).recordingSid));
    const seen: string[] = [];
    await queue.work({
      job: testJobs.verify,
      concurrency: 2,
      run: async (data) => void seen.push(data.recordingSid),
    });
    await until(() => seen.length === 4);
    await until(async () => (await database.db.query(`SELECT FROM ${schema}.job`)).length === 0);
  });

  test('while a job is at work the next of its key may wait', async () => {
    const held: (() => void)[] = [];
    let done = 0;
    await queue.work({
      job: testJobs.verify,
      concurrency: 1,
      run: async () => {
        await new Promise<void>((resolve) => held.push(resolve));
        done += 1;
      },
    });
    await queue.send(testJobs.verify, RE(1));
    await until(() => held.length === 1);
    await queue.send(testJobs.verify, RE(1));
    held[0]?.();
    await until(() => held.length === 2);
    held[1]?.();
    await until(() => done === 2);
  });

  test('as many at once as allowed, no more', async () => {
    let now = 0;
    let most = 0;
    let done = 0;
    const held: (() => void)[] = [];
    await queue.work({
      job: testJobs.copy,
      concurrency: 3,
      run: async () => {
        now += 1;
        most = Math.max(most, now);
        await new Promise<void>((resolve) => held.push(resolve));
        now -= 1;
        done += 1;
      },
    });
    for (let n = 0; n < 9; n++) await queue.send(testJobs.copy, RE(n));
    await until(() => held.length === 3);
    await until(() => {
      for (const end of held.splice(0)) end();
      return done === 9;
    });
    expect(most).toBe(3);
  });

  test('a passing failure is tried again, after a pause of at least 2 s that grows', async () => {
    const attempts: number[] = [];
    await queue.work({
      job: testJobs.link,
      concurrency: 1,
      run: async (_data, job) => {
        attempts.push(job.attempt);
        if (attempts.length < 3) throw new Error('ECONNRESET');
      },
    });
    const pauses: number[] = [];
    await queue.send(testJobs.link, RE(1));
    for (const tries of [1, 2]) {
      await until(async () => attempts.length === tries && (await waiting('link'))[0]?.state === 'retry');
      const [row] = await database.db.query<{ s: number }>(
        `SELECT extract(epoch FROM start_after - now())::float8 AS s FROM ${schema}.job WHERE name = 'link'`,
      );
      pauses.push(row?.s ?? 0);
      await hurry();
    }
    await until(() => attempts.length === 3);
    expect(attempts).toEqual([1, 2, 3]);
    expect(pauses[0]).toBeGreaterThan(1.5);
    expect(pauses[0]).toBeLessThanOrEqual(4);
    expect(pauses[1]).toBeGreaterThan(3.5);
  });

  test('what can never succeed goes to the dead letters at once', async () => {
    const dead: DeadJob[] = [];
    let tries = 0;
    await queue.work({
      job: testJobs.copy,
      concurrency: 1,
      dead: async (job) => void dead.push(job),
      run: async () => {
        tries += 1;
        throw new CustodyError('media_missing', 'Twilio no longer has it');
      },
    });
    await queue.send(testJobs.copy, RE(1));
    await until(() => dead.length === 1);
    const error = { code: 'media_missing', message: 'Twilio no longer has it', retryable: false };
    expect(dead).toEqual([{ data: RE(1), error }]);
    expect(tries).toBe(1);
  });

  test("after 12 retries it is dead; a vendor's message is not kept, as it may hold credentials", async () => {
    const dead: DeadJob[] = [];
    let tries = 0;
    await queue.work({
      job: testJobs.link,
      concurrency: 1,
      dead: async (job) => void dead.push(job),
      run: async () => {
        tries += 1;
        throw new TypeError('Basic QUM6c2VjcmV0');
      },
    });
    await queue.send(testJobs.link, RE(1));
    const hurried = setInterval(() => void hurry(), 50);
    await until(() => dead.length === 1);
    clearInterval(hurried);
    expect(tries).toBe(13);
    expect(dead[0]?.error).toEqual({ code: 'unexpected', message: 'TypeError', retryable: true });
    expect(JSON.stringify(await database.db.query(`SELECT * FROM ${schema}.job`))).not.toContain('QUM6');
  });

  test('what waits for a first try or another is known, by name and recording', async () => {
    let failed = 0;
    await queue.work({
      job: testJobs.link,
      concurrency: 1,
      run: async () => {
        failed += 1;
        throw new Error('ECONNRESET');
      },
    });
    await queue.send(testJobs.link, RE(1));
    await until(async () => failed === 1 && (await waiting('link')).length === 1);
    await queue.send(testJobs.link, RE(2), { startAfterMs: 60_000, once: 'a' });
    await queue.send(testJobs.link, RE(2), { startAfterMs: 60_000, once: 'b' });
    await queue.send(testJobs.copy, RE(3));
    const sids = [1, 2, 3, 4].map((n) => RE(n).recordingSid);
    expect([...(await queue.waiting(testJobs.link, sids))].sort()).toEqual(sids.slice(0, 2));
    expect([...(await queue.waiting(testJobs.link, sids.slice(1)))]).toEqual([sids[1]]);
    expect([...(await queue.waiting(testJobs.verify, sids))]).toEqual([]);
    expect([...(await queue.waiting(testJobs.link, []))]).toEqual([]);
  });

  test('a dead letter that could not be handled comes again', async () => {
    let heard = 0;
    await queue.work({
      job: testJobs.copy,
      concurrency: 1,
      async run() {
        throw new CustodyError('media_missing', 'gone');
      },
      async dead() {
        heard += 1;
        if (heard === 1) throw new Error('database away');
      },
    });
    await queue.send(testJobs.copy, RE(1));
    await until(async () => (await waiting('copy.dead')).length === 1 && heard === 1);
    await hurry();
    await until(() => heard === 2);
    expect(errors).toHaveLength(1);
  });

  test('stopping waits for the job at work and takes no other', async () => {
    let began = 0;
    let ended = 0;
    await queue.work({
      job: testJobs.copy,
      concurrency: 1,
      run: async () => {
        began += 1;
        await sleep(200);
        ended += 1;
      },
    });
    await queue.send(testJobs.copy, RE(1));
    await queue.send(testJobs.copy, RE(2));
    await until(() => began === 1);
    await queue.stop(5_000);
    expect([began, ended]).toEqual([1, 1]);
    await expect(queue.send(testJobs.copy, RE(3))).rejects.toMatchObject({ code: 'queue_stopped' });
  });

  test('a job that outlasts the grace is aborted, and tried again by the next process', async () => {
    await queue.work({
      job: testJobs.copy,
      concurrency: 1,
      run: (_data, job) => {
        return new Promise((_resolve, reject) => {
          job.signal.addEventListener('abort', () => reject(job.signal.reason as Error));
        });
      },
    });
    await queue.send(testJobs.copy, RE(1));
    await until(async () => (await queue.counts({ fresh: true })).some((row) => row.state === 'active'));
    await queue.stop(50);
    await hurry();
    const next = openQueue(database.db, { jobs, schema });
    let attempt = 0;
    await next.work({
      job: testJobs.copy,
      concurrency: 1,
      run: async (_data, job) => {
        attempt = job.attempt;
      },
    });
    await until(() => attempt === 2);
    await next.stop();
  });

  test('a try that never ends gives its place and its job back when its time is over', async () => {
    const short = { ...testJobs.copy, limitSeconds: 1 };
    const limited = openQueue(database.db, { jobs: [short], schema });
    const attempts: number[] = [];
    const reasons: unknown[] = [];
    await limited.work({
      job: short,
      concurrency: 1,
      run: (_data, { attempt, signal }) => {
        attempts.push(attempt);
        if (attempt > 1) return Promise.resolve();
        signal.addEventListener('abort', () => reasons.push(signal.reason));
        return new Promise(() => undefined);
      },
    });
    await limited.send(short, RE(1));
    await until(() => reasons.length === 1);
    await until(async () => {
      await hurry();
      return attempts.length === 2;
    });
    expect(attempts).toEqual([1, 2]);
    expect(reasons).toEqual([expect.objectContaining({ code: 'expired', retryable: true })]);
    await limited.stop(0);
  });

  test('how often it is tried is as set today, not as set when the queue was made', async () => {
    await queue.send(testJobs.copy, RE(1));
    const today = openQueue(database.db, { jobs, schema, retries: { limit: 3, delaySeconds: 7 } });
    await today.send(testJobs.copy, RE(2));
    const [row] = await database.db.query(
      `SELECT retry_limit, retry_delay, retry_backoff FROM ${schema}.job
       WHERE name = 'copy' AND data->>'recordingSid' = $1`,
      [RE(2).recordingSid],
    );
    expect(row).toEqual({ retry_limit: 3, retry_delay: 7, retry_backoff: true });
    await today.stop(0);
  });

  test('a schedule is one job for all processes', async () => {
    const others = [openQueue(database.db, { jobs, schema }), openQueue(database.db, { jobs, schema })];
    // Without a place for one, so that it stays where the test can see it.
    const running = { job: testJobs.janitor, concurrency: 0, everySeconds: 900, run: async () => undefined };
    for (const each of [queue, ...others]) await each.work(running);
    expect(await waiting('janitor')).toEqual([{ name: 'janitor', state: 'created', count: 1 }]);
    for (const each of others) await each.stop(0);
  });

  test('jobs outlive the process that sent them', async () => {
    const before = openQueue(database.db, { jobs, schema });
    await before.send(testJobs.link, RE(7));
    await before.stop(0);
    const seen: string[] = [];
    await queue.work({
      job: testJobs.link,
      concurrency: 1,
      run: async (data) => void seen.push(data.recordingSid),
    });
    await until(() => seen.length === 1);
    expect(seen).toEqual([RE(7).recordingSid]);
  });
});

test('a database that is away at first does not spoil the queue', async () => {
  const database = await (await import('../db/testing/on-each-engine.ts')).openEmbedded();
  let away = true;
  const query: typeof database.db.query = (sql, values) =>
    away ? Promise.reject(new Error('away')) : database.db.query(sql, values);
  const flaky: typeof database.db = { ...database.db, query, routine: query };
  const queue = openQueue(flaky, { jobs, schema: `j${randomBytes(4).toString('hex')}` });
  await expect(queue.send(testJobs.link, RE(1))).rejects.toThrow();
  away = false;
  await queue.send(testJobs.link, RE(1));
  expect((await queue.counts()).length).toBe(1);
  await queue.stop(0);
  await database.drop();
});

import type { AccountSid } from '@flex-custody/core';
import { buildIndexes } from '../../db/indexes.ts';
import { migrate } from '../../db/migrate.ts';
import { migrations } from '../../db/migrations/index.ts';
import { onEachEngine } from '../../db/testing/on-each-engine.ts';
import { type Health, readHealth } from '../../http/operators/health.ts';
import type { RunView } from '../../runs/runs.ts';
import { copies, database, reconcile } from './database.ts';
import type { Scene } from './scene.ts';

const sceneOf = (health: Partial<Health>): Scene => ({ health: async () => health }) as Scene;

test('doctor says how many copies are verified, and how many of them proven', async () => {
  const work = { copies: { verified: 7, proven: 3 } } as Health['work'] & object;
  expect(await copies(sceneOf({ work }))).toBe("7 verified, of them 3 proven equal to Twilio's media");
  const { copies: _, ...earlier } = work;
  expect(await copies(sceneOf({ work: earlier }))).toMatchObject({ detail: 'not known' });
  expect(await copies(sceneOf({}))).toMatch(/nothing yet/);
});

describe('size and indexes of the database', () => {
  const of = (health: Partial<Health>) =>
    database({
      config: { database: { directory: '.data' } },
      health: async () => ({ version: migrations.length, missingIndexes: [], ...health }),
    } as unknown as Scene);
  const work = (recordings?: number) => ({ recordings }) as Health['work'] & object;
  const whole = `version ${migrations.length} of ${migrations.length}`;

  test('an embedded one of more than 30,000 recordings is better on PostgreSQL, and the reason is said', async () => {
    expect(await of({ kind: 'pglite', work: work(30_000) })).toBe(`embedded, ${whole}`);
    expect(await of({ kind: 'pglite', work: work(30_001) })).toEqual({
      detail: `embedded, ${whole}, 30,001 recordings`,
      next: expect.stringMatching(/PostgreSQL.*playing waits while a sweep or an erasure works/),
    });
    expect(await of({ kind: 'postgres', work: work(9_000_000) })).toBe(`PostgreSQL, ${whole}`);
    // A host of an earlier release says neither.
    const { kind, version } = { kind: 'pglite' as const, version: migrations.length };
    const earlier = { kind, version, work: work() } as Health;
    const at = { config: { database: { directory: '.data' } }, health: async () => earlier } as Scene;
    expect(await database(at)).toBe(`embedded, ${whole}`);
  });

  test('indexes that are missing or being built are counted, and some named', async () => {
    expect(await of({ kind: 'postgres', missingIndexes: ['a', 'b', 'c', 'd'] })).toEqual({
      detail: `PostgreSQL, ${whole}, indexes missing or being built: 4 (a, b, c and others)`,
      next: expect.stringContaining('an index could not be built'),
    });
    expect(await of({ kind: 'pglite', missingIndexes: ['a'], work: work(40_000) })).toEqual({
      detail: `embedded, ${whole}, indexes missing or being built: 1 (a), 40,000 recordings`,
      next: expect.stringMatching(/could not be built.*; .*PostgreSQL/),
    });
  });
});

onEachEngine('health', (open) => {
  test('names the indexes that are missing, and counts what is not erased', async () => {
    const { db, drop } = await open();
    const account = `AC${'0a'.repeat(16)}` as AccountSid;
    await migrate(db);
    await db.query(
      `INSERT INTO recordings (recording_sid, account_sid, channels, started_at, source, state, erased_at)
       SELECT 'RE' || n, $1, 2, now(), 'callback', CASE n WHEN 1 THEN 'erased' ELSE 'absent' END, CASE n WHEN 1 THEN now() END
       FROM generate_series(1, 4) n`,
      [account],
    );
    expect((await readHealth(db, account)).missingIndexes).toContain('recordings_keeping');
    await buildIndexes(db);
    await db.query('DROP INDEX alarms_about');
    expect(await readHealth(db, account)).toMatchObject({
      missingIndexes: ['alarms_about'],
      work: { recordings: 3 },
    });
    await drop();
  });
});

test('a database behind an open network is to be corrected first', async () => {
  const health = async () => ({ kind: 'postgres', version: 0 }) as Health;
  const at = (url: string) => database({ config: { database: { url } }, health } as Scene);
  await expect(at('postgres://u:hush@db.example/c')).rejects.toMatchObject({
    detail: 'rows and password are sent to db.example unencrypted',
    next: expect.stringContaining('sslmode=verify-full'),
  });
  expect(await at('postgres://u:hush@db.example/c?sslmode=verify-full')).toMatchObject({
    detail: expect.stringMatching(/^PostgreSQL, empty: /),
  });
});

describe('the comparisons of the schedule', () => {
  const ago = (minutes: number) => new Date(Date.now() - minutes * 60_000);
  const run = (name: string, minutes: number, change: Partial<RunView> = {}): RunView => ({
    name,
    options: {},
    counts: {},
    startedAt: ago(minutes),
    updatedAt: ago(minutes),
    finishedAt: ago(minutes),
    running: false,
    ...change,
  });
  const seen = (runs: RunView[], everyMinutes = 60) =>
    reconcile({
      config: { reconcile: { everyMinutes, hours: 48 } },
      health: async () => ({ work: { runs } as unknown as Health['work'] }) as Health,
    } as Scene);

  test('are each named with their last run', async () => {
    expect(await seen([run('reconcile-recent', 10), run('reconcile-bucket', 1_400)])).toBe(
      "Twilio's list: compared 10 minutes ago; the bucket: compared 1400 minutes ago",
    );
    expect(await seen([run('reconcile-bucket', 9, { running: true })])).toBe(
      "Twilio's list: not compared yet; the bucket: is being compared",
    );
    expect(await seen([], 0)).toMatchObject({ detail: 'no comparison is scheduled' });
  });

  test('by the command count too, the bucket unless it was left out', async () => {
    const without = run('reconcile', 5, { options: { withoutBucket: true } });
    expect(await seen([without, run('reconcile-bucket', 99)])).toMatch(
      /list: compared 5 .*bucket: compared 99 /,
    );
    expect(await seen([run('reconcile', 5), run('reconcile-bucket', 99)])).toMatch(/bucket: compared 5 /);
  });

  test.each([
    [
      'a pass that stopped',
      [run('reconcile-recent', 1), run('reconcile-bucket', 9, { failure: 'store_denied: no' })],
      'the bucket: the last run stopped (store_denied: no)',
    ],
    [
      'a look that stopped',
      [run('reconcile-bucket', 1), run('reconcile-recent', 9, { failure: 'x: y' })],
      "Twilio's list: the last run stopped (x: y)",
    ],
    [
      'looks that are late',
      [run('reconcile-recent', 200)],
      "Twilio's list: compared 200 minutes ago; the schedule is every 60 minutes",
    ],
    [
      'a pass that is late',
      [run('reconcile-recent', 1), run('reconcile-bucket', 4_600)],
      'the bucket: compared 4600 minutes ago; the schedule is every 1500 minutes',
    ],
  ])('say of %s', async (_what, runs, detail) => {
    await expect(seen(runs)).rejects.toMatchObject({ detail });
  });
});

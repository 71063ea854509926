import { CustodyError } from '@flex-custody/core';
import { onEachEngine, type TestDatabase } from '../db/testing/on-each-engine.ts';
import { migrate } from '../db.ts';
import { createRuns, type Runs } from './runs.ts';

onEachEngine('runs', (open) => {
  let database: TestDatabase;
  let runs: Runs;
  beforeAll(async () => {
    database = await open();
    await migrate(database.db);
  });
  afterAll(() => database.drop());
  beforeEach(async () => {
    await database.db.query('TRUNCATE runs');
    runs = createRuns(database.db);
  });

  test('work that broke off goes on from what it saved, with its counts', async () => {
    const broken = runs.run('reconcile', { since: 'a' }, async ({ save }) => {
      await save({ page: 3 }, { done: 30 }, 100);
      throw new CustodyError('twilio_unavailable', 'Twilio is away', { retryable: true });
    });
    await expect(broken).rejects.toMatchObject({ code: 'twilio_unavailable' });
    expect(await runs.look('reconcile')).toMatchObject({
      running: false,
      counts: { done: 30 },
      total: 100,
      failure: 'twilio_unavailable: Twilio is away',
    });
    const seen: unknown[] = [];
    const ended = await runs.run('reconcile', { since: 'a' }, async ({ state, counts }) => {
      seen.push(state, counts);
    });
    expect(seen).toEqual([{ page: 3 }, { done: 30 }]);
    expect(ended.finishedAt).toBeInstanceOf(Date);
    expect(ended.failure).toBeUndefined();
  });

  test.each([
    ['after its end', { since: 'a' }, true],
    ['with other options', { since: 'b' }, false],
  ])('%s it begins anew', async (_when, options, finish) => {
    await runs
      .run('reconcile', { since: 'a' }, async ({ save }) => {
        await save({ page: 3 }, { done: 30 });
        if (!finish) throw new Error('broken');
      })
      .catch(() => undefined);
    await runs.run('reconcile', options, async ({ state, counts }) => {
      expect([state, counts]).toEqual([undefined, {}]);
    });
  });

  test('one process at a time', async () => {
    await runs.run('reconcile', {}, async () => {
      await expect(runs.run('reconcile', {}, async () => undefined)).rejects.toMatchObject({
        code: 'run_busy',
      });
      expect(await runs.look('reconcile')).toMatchObject({ running: true });
      await runs.run('rotate-keys', {}, async () => undefined);
    });
  });

  test('whoever was taken over may save no more', async () => {
    const late = runs.run('reconcile', {}, async ({ save }) => {
      await database.db.query(`UPDATE runs SET held_until = now() - interval '1 s'`);
      await runs.run('reconcile', {}, async () => undefined);
      await save({ page: 4 }, {});
    });
    await expect(late).rejects.toMatchObject({ code: 'run_taken' });
    expect(await runs.look('reconcile')).toMatchObject({ running: false, finishedAt: expect.any(Date) });
  });
});

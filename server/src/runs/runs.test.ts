import { CustodyError } from '@flex-custody/core';
import { migrate } from '../db/migrate.ts';
import { onEachEngine, type TestDatabase } from '../db/testing/on-each-engine.ts';
import { type Begin, createRuns, type Json, type Runs, resumeHours } from './runs.ts';

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
      throw new CustodyError('twilio_unavailable', 'Twilio is away');
    });
    await expect(broken).rejects.toMatchObject({ code: 'twilio_unavailable' });
    expect(await runs.look('reconcile')).toMatchObject({
      running: false,
      counts: { done: 30 },
      total: 100,
      failure: 'twilio_unavailable: Twilio is away',
    });
    const before = await runs.look('reconcile');
    const seen: unknown[] = [];
    const ended = await runs.run('reconcile', { since: 'a' }, async ({ state, counts }) => {
      seen.push(state, counts);
    });
    expect(seen).toEqual([{ page: 3 }, { done: 30 }]);
    expect(ended.finishedAt).toBeInstanceOf(Date);
    expect(ended.failure).toBeUndefined();
    expect(ended.resumedFrom).toEqual({ startedAt: before?.startedAt, stoppedAt: expect.any(Date) });
    expect(ended.resumedFrom?.stoppedAt.getTime()).toBeLessThanOrEqual(ended.startedAt.getTime());
  });

  test('work that saves nothing, and heeds no signal, ends; another process may go on with it', async () => {
    const short = createRuns(database.db, 100);
    let heard: unknown;
    const stuck = short.run('reconcile', {}, async ({ save, signal }) => {
      await save({ page: 3 }, { done: 30 });
      signal.addEventListener('abort', () => {
        heard = signal.reason;
      });
      await new Promise(() => undefined);
    });
    await expect(stuck).rejects.toMatchObject({ code: 'stalled', retryable: true });
    expect(heard).toMatchObject({ code: 'stalled' });
    expect(await runs.look('reconcile')).toMatchObject({
      running: false,
      failure: expect.stringMatching(/^stalled: /),
    });
    expect(await begunWith('reconcile', {})).toEqual([{ page: 3 }, { done: 30 }, expect.anything()]);
  });

  const breakOff = (name: string, options: Json, saves = true) =>
    runs
      .run(name, options, async ({ save }) => {
        if (saves) await save({ page: 3 }, { done: 30 });
        throw new Error('broken');
      })
      .catch(() => undefined);
  /** What a run of these options is given. */
  const begunWith = async (name: string, options: Json, how?: Begin) => {
    const seen: unknown[] = [];
    const { resumedFrom } = await runs.run(
      name,
      options,
      async ({ state, counts }) => void seen.push(state, counts),
      undefined,
      how,
    );
    return [...seen, resumedFrom];
  };
  const age = (hours: number) =>
    database.db.query(
      `UPDATE runs SET saved_at = saved_at - $1::double precision * interval '1 hour',
         updated_at = updated_at - $1::double precision * interval '1 hour'`,
      [hours],
    );

  test('one that was saved within hours is gone on with; an older one starts from the beginning', async () => {
    await breakOff('reconcile', {});
    await age(resumeHours - 0.1);
    expect(await begunWith('reconcile', {})).toEqual([{ page: 3 }, { done: 30 }, expect.anything()]);
    await breakOff('reconcile', {});
    await age(resumeHours + 0.1);
    expect(await begunWith('reconcile', {})).toEqual([undefined, {}, undefined]);
  });

  test('one that goes on and breaks off without a save is no younger by it', async () => {
    await breakOff('reconcile', {});
    await age(resumeHours - 0.1);
    await breakOff('reconcile', {}, false);
    await age(0.2);
    expect(await begunWith('reconcile', {})).toEqual([undefined, {}, undefined]);
  });

  test('of one that went on several times, the counts run since the first', async () => {
    await breakOff('reconcile', {});
    const first = await runs.look('reconcile');
    await breakOff('reconcile', {});
    await breakOff('reconcile', {});
    const [, , resumedFrom] = await begunWith('reconcile', {});
    expect(resumedFrom).toMatchObject({ startedAt: first?.startedAt });
    expect(await begunWith('reconcile', {})).toEqual([undefined, {}, undefined]);
  });

  test('nothing is gone on with where somebody asks for the beginning', async () => {
    await breakOff('reconcile', {});
    expect(await begunWith('reconcile', {}, { anew: true })).toEqual([undefined, {}, undefined]);
  });

  test('whose callers were asked for is kept while it can be gone on with, and no longer', async () => {
    const options = { recordings: ['RE1'], callers: ['k1:digest'] };
    await breakOff('erase', options);
    // What names less is another erasure: its cursor begins at the first recording.
    await age(resumeHours - 0.1);
    await begunWith('another', {});
    expect((await runs.look('erase'))?.options).toEqual(options);
    await age(0.2);
    await begunWith('another', {});
    expect((await runs.look('erase'))?.options).toEqual({ recordings: ['RE1'] });
    expect(await begunWith('erase', { recordings: ['RE1'] })).toEqual([undefined, {}, undefined]);
  });

  test('nor is it once it is done, and what names less does not go on with it', async () => {
    await begunWith('erase', { recordings: ['RE1'], callers: ['k1:digest'] });
    expect((await runs.look('erase'))?.options).toEqual({ recordings: ['RE1'] });
    expect(await begunWith('erase', { recordings: ['RE1'] })).toEqual([undefined, {}, undefined]);
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

import { migrate } from '../db/migrate.ts';
import { onEachEngine, type TestDatabase } from '../db/testing/on-each-engine.ts';
import { createRecorder } from './index.ts';
import { conferenceSid, inboundRoom } from './testing/calls-world.ts';
import { down, sids } from './testing/live-call.ts';

onEachEngine("alarms of the recorder's jobs", (open) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await open();
    await migrate(database.db);
  });
  afterAll(() => database.drop());
  beforeEach(() => database.db.query('DELETE FROM live_calls; DELETE FROM alarms'));

  /** The recorder, each of whose jobs a test may run; its database fails while `isDown`. */
  async function workers() {
    const set = inboundRoom(database.db);
    const state = { isDown: false };
    const query: typeof database.db.query = (...asked) =>
      state.isDown ? Promise.reject(new Error('away')) : database.db.query(...asked);
    const recorder = createRecorder({
      ...set.deps,
      db: { query, transaction: (work) => database.db.transaction(work) },
    });
    const running = (name: string) => recorder.jobs().find(({ job }) => job.name === name);
    const { signal } = new AbortController();
    const run = async (name: string, data: object, attempt = 1) =>
      running(name)?.run(data, { attempt, signal });
    const bury = async (name: string, data: object) =>
      running(name)?.dead?.({ data, error: { code: 'unexpected', message: 'why', retryable: true } });
    const codes = async () => (await set.open()).map(([code]) => code);
    return { ...set, state, run, bury, codes };
  }
  const call = { taskSid: sids.task, conferenceSid: conferenceSid(1) };

  test.each([
    ['pauses', 'pauses_failed'],
    ['reports', 'reports_failed'],
  ] as const)('the next success of the job %s resolves %s, a failure does not', async (job, code) => {
    const { alarms, state, run, codes } = await workers();
    await alarms.raise(code, undefined, 'database_unavailable');
    state.isDown = true;
    await expect(run(job, {})).rejects.toThrow('away');
    expect(await codes()).toEqual([code]);
    state.isDown = false;
    await run(job, {});
    expect(await codes()).toEqual([]);
  });

  test('a live call that is read resolves call_failed; one that is left to the next minute does not', async () => {
    const { alarms, world, run, codes } = await workers();
    await alarms.raise('call_failed', undefined, 'twilio_unavailable');
    world.failing = down;
    await expect(run('call', call)).rejects.toMatchObject({ code: 'twilio_unavailable' });
    await run('call', call, 4);
    expect(await codes()).toEqual(['call_failed']);
    world.failing = undefined;
    await run('call', call);
    expect(await codes()).toEqual([]);
  });

  test('so does a read of all live calls', async () => {
    const { alarms, world, run, codes } = await workers();
    await alarms.raise('call_failed', undefined, 'unexpected');
    world.failing = down;
    await run('calls', {});
    expect(await codes()).toEqual(['call_failed']);
    world.failing = undefined;
    await run('calls', {});
    expect(await codes()).toEqual([]);
  });

  test.each([
    ['watch-pause', { conferenceSid: conferenceSid(1) }, 'resume_failed', undefined],
    ['call', call, 'call_failed', undefined],
    ['calls', {}, 'calls_failed', undefined],
    ['facts', { recordingSid: sids.recording(1) }, 'facts_failed', sids.recording(1)],
  ])('a dead job %s, of %j, is the alarm %s', async (name, data, code, recordingSid) => {
    const { alarms, bury } = await workers();
    await bury(name, data);
    expect(await alarms.list({ open: true })).toMatchObject([
      { code, detail: 'unexpected', ...(recordingSid && { recordingSid }) },
    ]);
  });
});

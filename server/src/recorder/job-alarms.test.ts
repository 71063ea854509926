import { migrate } from '../db/migrate.ts';
import { onEachEngine, type TestDatabase } from '../db/testing/on-each-engine.ts';
import type { JobName, Jobs } from '../queue/queue.ts';
import { createRecorder } from './index.ts';
import { conferenceSid, inboundRoom } from './testing/calls-world.ts';
import { down, sids } from './testing/live-call.ts';

type Handler = (data: never, job: { attempt: number; signal: AbortSignal }) => Promise<void>;

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
    const handlers = new Map<JobName, Handler>();
    const recorder = createRecorder({
      ...set.deps,
      db: { query, transaction: (work) => database.db.transaction(work) },
      queue: {
        ...set.deps.queue,
        work: async (name, _options, handler) => void handlers.set(name, handler),
      },
    });
    await recorder.startWorkers();
    const run = async <N extends JobName>(name: N, data: Jobs[N], attempt = 1) =>
      handlers.get(name)?.(data as never, { attempt, signal: new AbortController().signal });
    const codes = async () => (await set.open()).map(([code]) => code);
    return { ...set, state, run, codes };
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
});

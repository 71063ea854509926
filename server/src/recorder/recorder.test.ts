import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../../../test/support/until.ts';
import { migrate } from '../db/migrate.ts';
import { onEachEngine, type TestDatabase } from '../db/testing/on-each-engine.ts';
import { openQueue } from '../queue/boss-queue.ts';
import { defineJob } from '../queue/job.ts';
import type { Queue } from '../queue/queue.ts';
import { allJobs } from '../start/jobs.ts';
import { createRecorder, type Recorder } from './index.ts';
import { recorderJobs } from './jobs.ts';
import { createPauses } from './pauses/pauses.ts';
import { sids } from './testing/live-call.ts';
import { ada, pauseReport, room } from './testing/room.ts';

const byFunction = { by: 'function', viewer: ada } as const;

onEachEngine('the recorder at work', (open) => {
  let database: TestDatabase;
  const queues: Queue[] = [];
  beforeAll(async () => {
    database = await open();
    await migrate(database.db);
  });
  afterEach(async () => {
    await Promise.all(queues.splice(0).map((queue) => queue.stop(0)));
    await database.db.query(`DELETE FROM ${database.schema}_jobs.job; DELETE FROM pauses`);
  });
  afterAll(() => database.drop());

  /** A process of its own on the same database, looking every 50 ms. */
  const host = (set: ReturnType<typeof room>, lookMs = 50) => {
    const queue = openQueue(database.db, { jobs: allJobs, schema: `${database.schema}_jobs` });
    queues.push(queue);
    return { queue, recorder: createRecorder({ ...set.deps, queue, lookMs }) };
  };
  const workOn = async (queue: Queue, recorder: Recorder) => {
    for (const running of recorder.jobs()) await queue.work(running);
  };
  const ended = async () => (await createPauses(database.db).find(sids.conference))?.endedBy;

  test('a reported pause is resumed in its time', async () => {
    const set = room(database.db, { resumeAfterSeconds: 4 });
    const { queue, recorder } = host(set);
    await workOn(queue, recorder);
    set.twilio.pause(Date.now());
    await recorder.receive(pauseReport('paused', Date.now()), byFunction, 'r');
    await sleep(500);
    expect(set.twilio.states()).toEqual(['paused']);
    await until(async () => (await ended()) === 'timer');
    expect(set.twilio.states()).toEqual(['in-progress']);
    expect(set.twilio.mark()).toEqual({});
  });

  test('a report is acted upon at once, though the next look waits for its time', async () => {
    const set = room(database.db);
    const { queue, recorder } = host(set, 600_000);
    await workOn(queue, recorder);
    set.twilio.pause(Date.now());
    await recorder.receive(pauseReport('paused', Date.now()), byFunction, 'r');
    // The first look is over, and the next waits for its time.
    await until(async () => {
      const jobs = await database.db.query<{ later: boolean }>(
        `SELECT state = 'created' AND start_after > now() + interval '1 minute' AS later
         FROM ${database.schema}_jobs.job WHERE name = 'watch-pause'`,
      );
      return jobs.length > 0 && jobs.every(({ later }) => later);
    });
    await recorder.receive(pauseReport('resumed', Date.now() + 1), byFunction, 'r');
    await until(async () => (await ended()) === 'function');
    expect(set.twilio.states()).toEqual(['in-progress']);
  });

  test('a pause outlives the host that heard of it, its job or none; two hosts resume it as one', async () => {
    const set = room(database.db, { resumeAfterSeconds: 1 });
    const before = host(set);
    set.twilio.pause(Date.now());
    await before.recorder.receive(pauseReport('paused', Date.now()), byFunction, 'r');
    await before.queue.stop(0);
    await database.db.query(`DELETE FROM ${database.schema}_jobs.job`);
    await Promise.all([host(set), host(set)].map(({ queue, recorder }) => workOn(queue, recorder)));
    await until(async () => (await ended()) === 'timer');
    expect(set.twilio.states()).toEqual(['in-progress']);
  });

  test('what an earlier release left in the queue `resume` is deleted with it, and the pause has its job again', async () => {
    const schema = `${database.schema}_jobs`;
    const set = room(database.db, { resumeAfterSeconds: 1 });
    const { key } = recorderJobs.watchPause;
    const resume = defineJob({ name: 'resume', limitSeconds: 60, key });
    const before = openQueue(database.db, { jobs: [resume], schema });
    queues.push(before);
    await before.send(resume, { conferenceSid: sids.conference });
    await database.db.query(`INSERT INTO ${schema}.job (name, data) VALUES ('resume.dead', '{}'::jsonb)`);
    await before.stop(0);
    set.twilio.pause(Date.now());
    const quiet = createRecorder({ ...set.deps, queue: { send: async () => undefined } });
    await quiet.receive(pauseReport('paused', Date.now()), byFunction, 'r');

    // Of two hosts that start at the same time one deletes them.
    await Promise.all([host(set), host(set)].map(({ queue, recorder }) => workOn(queue, recorder)));
    await until(async () => (await ended()) === 'timer');
    const left = await database.db.query(
      `SELECT name FROM ${schema}.queue WHERE name LIKE 'resume%'
       UNION ALL SELECT name FROM ${schema}.job WHERE name LIKE 'resume%'`,
    );
    expect(left).toEqual([]);
  });
});

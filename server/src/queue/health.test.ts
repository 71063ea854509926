import { onEachEngine, type TestDatabase } from '../db/testing/on-each-engine.ts';
import { openQueue } from './boss-queue.ts';
import { queueHealth } from './health.ts';
import { jobs, testJobs } from './testing/jobs.ts';

onEachEngine('the health of a queue', (open) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await open();
  });
  afterAll(() => database.drop());

  test('one that nobody has set up has nothing in it', async () => {
    expect(await queueHealth(database.db, `${database.schema}_none`)).toEqual({ due: 0, dead: 0 });
  });

  test('counts what is due, how long, and what is dead', async () => {
    const schema = `${database.schema}_jobs`;
    const queue = openQueue(database.db, { jobs, schema });
    try {
      await queue.send(testJobs.janitor, {}, { once: 'a' });
      await queue.send(testJobs.janitor, {}, { once: 'later', startAfterMs: 60_000 });
      await queue.send(testJobs.copy, { recordingSid: 'RE1' as never });
      // Sent again now, for work of an hour ago: not late yet.
      await queue.send(testJobs.janitor, {}, { once: 'old', since: new Date(Date.now() - 3_600_000) });
      await database.db.query(
        `UPDATE ${schema}.job SET start_after = now() - interval '100 s', created_on = now() - interval '200 s'
         WHERE name = 'copy'`,
      );
      await database.db.query(`INSERT INTO ${schema}.job (name, data) VALUES ('copy.dead', '{}'::jsonb)`);
      expect(await queueHealth(database.db, schema)).toEqual({ due: 3, dead: 1, oldestSeconds: 100 });
    } finally {
      await queue.stop(0);
    }
  });
});

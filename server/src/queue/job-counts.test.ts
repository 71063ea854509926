import { onEachEngine, type TestDatabase } from '../db/testing/on-each-engine.ts';
import { openQueue } from './boss-queue.ts';
import type { Queue } from './queue.ts';
import { jobs, testJobs } from './testing/jobs.ts';

onEachEngine('the count of all jobs', (open) => {
  let database: TestDatabase;
  let schema: string;
  let hosts: Queue[];
  const asked: string[] = [];
  beforeAll(async () => {
    database = await open();
    schema = `${database.schema}_jobs`;
    const { db } = database;
    const watched: typeof db = {
      ...db,
      transaction: (work) =>
        db.transaction((inner) =>
          work({
            ...inner,
            query: (sql, values) => {
              if (/count\(\*\)/.test(sql)) asked.push(sql);
              return inner.query(sql, values);
            },
          }),
        ),
    };
    hosts = [
      openQueue(watched, { jobs, schema }),
      openQueue(watched, { jobs, schema }),
      openQueue(watched, { jobs, schema }),
    ];
  });
  afterAll(async () => {
    for (const host of hosts) await host.stop(0);
    await database.drop();
  });
  const age = (seconds: number) =>
    database.db.query(`UPDATE ${schema}.counted SET at = now() - interval '${seconds} s'`);
  const all = () => Promise.all(hosts.map((host) => host.counts()));

  test('is made once for all hosts in a quarter of a minute', async () => {
    const send = (once: string) => hosts[0]!.send(testJobs.janitor, {}, { once });
    const count = (n: number) => [{ name: 'janitor', state: 'created', count: n }];
    await send('a');
    expect(await all()).toEqual([count(1), count(1), count(1)]);
    expect(asked).toHaveLength(1);
    await send('b');
    await age(14);
    expect(await all()).toEqual([count(1), count(1), count(1)]);
    expect(await hosts[1]!.counts({ fresh: true })).toEqual(count(2));
    expect(asked).toHaveLength(1);
    for (const [n, seconds] of [
      [2, 16],
      // By a clock that was set back since.
      [3, -3_600],
    ] as const) {
      await age(seconds);
      expect(await all()).toEqual([count(2), count(2), count(2)]);
      expect(asked).toHaveLength(n);
    }
  });
});

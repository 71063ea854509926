import { setTimeout as sleep } from 'node:timers/promises';
import type { RecordingSid } from '@flex-custody/core';
import { until } from '../../../test/support/until.ts';
import { onEachEngine, type TestDatabase } from '../db/testing/on-each-engine.ts';
import { openQueue } from './boss-queue.ts';
import type { Queue } from './queue.ts';
import { jobs, testJobs } from './testing/jobs.ts';

const hourMs = 3_600_000;
const sidOf = (kind: 'old' | 'new', n: number) =>
  `RE${kind === 'old' ? 'a' : 'b'}${String(n).padStart(31, '0')}` as RecordingSid;
const isOld = (sid: RecordingSid) => sid.startsWith('REa');

onEachEngine('a backlog of old work', (open) => {
  let database: TestDatabase;
  let schema: string;
  let queue: Queue;
  beforeAll(async () => {
    database = await open();
    schema = `${database.schema}_jobs`;
  });
  afterAll(() => database.drop());
  beforeEach(() => {
    queue = openQueue(database.db, { jobs, schema });
  });
  afterEach(async () => {
    await queue.stop(0);
    await database.db.query(`DELETE FROM ${schema}.job`);
  });

  const backlog = (count: number) =>
    queue.sendAll(
      testJobs.copy,
      Array.from({ length: count }, (_, n) => ({
        data: { recordingSid: sidOf('old', n) },
        since: new Date(Date.now() - hourMs + n),
      })),
    );

  test.each([1, 4])('with %d at once does not delay what is sent now', async (concurrency) => {
    await backlog(400);
    const begun: RecordingSid[] = [];
    await queue.work({
      job: testJobs.copy,
      concurrency,
      run: async ({ recordingSid }) => {
        begun.push(recordingSid);
        await sleep(5);
      },
    });
    for (let n = 1; n <= 4; n++) {
      await until(() => begun.length >= n * 20);
      await queue.send(testJobs.copy, { recordingSid: sidOf('new', n) });
      const before = begun.length;
      await until(() => begun.includes(sidOf('new', n)));
      expect(begun.indexOf(sidOf('new', n)) - before).toBeLessThan(8);
    }
    // The backlog was not over by then.
    expect(begun.length).toBeLessThan(400);
  });

  test.each([1, 4])(
    'with %d at once is worked off, the oldest first, while more and more comes',
    async (concurrency) => {
      await backlog(40);
      const begun: RecordingSid[] = [];
      let sent = 0;
      const sendNew = () => queue.send(testJobs.copy, { recordingSid: sidOf('new', sent++) });
      for (let n = 0; n < 10; n++) await sendNew();
      const old = () => begun.filter(isOld);
      await queue.work({
        job: testJobs.copy,
        concurrency,
        run: async ({ recordingSid }) => {
          begun.push(recordingSid);
          if (old().length === 40) return;
          await sendNew();
          if (!isOld(recordingSid)) await sendNew();
        },
      });
      await until(() => old().length === 40);
      expect(begun.length).toBeGreaterThanOrEqual(70);
      // Those at work at the same time begin in any order.
      for (const [at, sid] of old().entries())
        expect(Math.abs(Number(sid.slice(3)) - at)).toBeLessThanOrEqual(concurrency);
    },
  );

  test('is not given up for its age, and nothing is put off by a time that is yet to come', async () => {
    const days = 24 * hourMs;
    const send = (n: number, since: number) =>
      queue.send(testJobs.copy, { recordingSid: sidOf('old', n) }, { since: new Date(Date.now() + since) });
    await send(1, -30 * days);
    await send(2, 2 * days);
    const rows = await database.db.query<{ waited: number; kept: number }>(
      `SELECT round(extract(epoch FROM now() - start_after) / 86400)::int AS waited,
              round(extract(epoch FROM keep_until - now()) / 86400)::int AS kept
       FROM ${schema}.job ORDER BY start_after`,
    );
    expect(rows).toEqual([
      { waited: 30, kept: 14 },
      { waited: 0, kept: 14 },
    ]);
  });
});

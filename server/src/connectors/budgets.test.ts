import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { migrate } from '../db/migrate.ts';
import { onEachEngine, type TestDatabase } from '../db/testing/on-each-engine.ts';
import { brevoLimits } from './brevo/limits.ts';
import { addBudget, takeTurns } from './budget-table.ts';
import { createBudgets } from './budgets.ts';
import { type SimulatedTime, simulatedTime } from './testing/simulated-time.ts';
import { intervalOf, type LimitClass } from './turns.ts';

const hourMs = 3_600_000;
/** With it, two minutes of real time in place of simulated ones. */
const inRealTime = process.env['TEST_BREVO_RATE'] === '1';

jest.setTimeout(300_000);

/** The most requests that any window had. */
function mostInWindow(times: readonly number[], { windowMs }: LimitClass): number {
  const sorted = [...times].sort((a, b) => a - b);
  let most = 0;
  let from = 0;
  for (const [index, at] of sorted.entries()) {
    while (at - (sorted[from] ?? at) >= windowMs) from += 1;
    most = Math.max(most, index - from + 1);
  }
  return most;
}

onEachEngine('budgets that processes share', (open) => {
  let database: TestDatabase;
  let time: SimulatedTime;
  beforeAll(async () => {
    database = await open();
    await migrate(database.db);
  });
  afterAll(() => database.drop());
  beforeEach(async () => {
    time = simulatedTime();
    await database.db.query('DELETE FROM request_budgets');
  });

  const limits = brevoLimits();
  /** As another process on the same database has them. */
  const budgets = (classes = limits) => createBudgets(time.watched(database.db), classes, time);
  type Made = ReturnType<typeof budgets>;

  /** Callers who take one turn after the other until the signal. */
  function callers(made: Made, of: keyof typeof limits, count: number, stop: AbortSignal, now = time.now) {
    setMaxListeners(0, stop);
    const times: number[] = [];
    const call = async () => {
      try {
        for (;;) {
          await made.turn(of, stop);
          times.push(now());
        }
      } catch (error) {
        if (!stop.aborted) throw error;
      }
    };
    return { times, ended: Promise.all(Array.from({ length: count }, call)) };
  }

  async function twoProcesses(of: keyof typeof limits, forMs: number, classes = limits) {
    const stop = new AbortController();
    const made = inRealTime
      ? [
          createBudgets(database.db, classes),
          createBudgets((await database.another?.()) ?? database.db, classes),
        ]
      : [budgets(classes), budgets(classes)];
    const now = inRealTime ? () => performance.now() : time.now;
    const [one, two] = made.map((each) => callers(each, of, 20, stop.signal, now));
    await (inRealTime ? sleep(forMs) : time.pass(forMs));
    stop.abort();
    await Promise.all([one?.ended, two?.ended]);
    return [one?.times ?? [], two?.times ?? []] as const;
  }

  test.each(['events', 'contacts'] as const)(
    'over two minutes, two processes use 95 %% of the limit of %s and never more, half each',
    async (of) => {
      const [one, two] = await twoProcesses(of, 120_000);
      const all = [...one, ...two];
      expect(mostInWindow(all, limits[of])).toBeLessThanOrEqual(10);
      expect(all.length).toBeGreaterThanOrEqual(0.95 * 10 * 120);
      expect(Math.min(one.length, two.length)).toBeGreaterThan(0.45 * all.length);
      // A request is on its way for a while, each for another one.
      const arrivals = all.map((at, index) => at + ((index * 7_919) % 19));
      expect(mostInWindow(arrivals, limits[of])).toBeLessThanOrEqual(10);
    },
  );

  if (!inRealTime) {
    test('at 50 times the limit too', async () => {
      const classes = brevoLimits('general', 50);
      const [one, two] = await twoProcesses('events', 4_000, classes);
      const all = [...one, ...two];
      expect(mostInWindow(all, classes.events)).toBeLessThanOrEqual(500);
      expect(all.length).toBeGreaterThanOrEqual(0.95 * 500 * 4);
    });

    test('an hour of 100 has a small burst, and no window of an hour has more', async () => {
      const [one, two] = await twoProcesses('other', 4 * hourMs);
      const all = [...one, ...two];
      expect(all.filter((at) => at < 1_000)).toHaveLength(4);
      expect(mostInWindow(all, limits.other)).toBeLessThanOrEqual(100);
      expect(all.length).toBeGreaterThanOrEqual(0.95 * 400);
    });
  }

  test('few statements: a process asks for several turns at once, also for one caller after the other', async () => {
    const made = budgets();
    const statements: string[] = [];
    const db = time.watched(database.db);
    const counted = createBudgets(
      {
        ...db,
        routine: (sql, values) => {
          statements.push(sql);
          return db.routine(sql, values);
        },
      },
      limits,
      time,
    );
    const stop = new AbortController();
    const one = callers(counted, 'events', 1, stop.signal);
    await time.pass(10_000);
    expect(one.times.length).toBeGreaterThanOrEqual(95);
    expect(statements.length).toBeLessThan(30);
    const other = callers(made, 'events', 1, stop.signal);
    await time.pass(10_000);
    expect(other.times.length).toBeGreaterThan(40);
    stop.abort();
    await Promise.all([one.ended, other.ended]);
    const before = statements.length;
    await time.pass(60_000);
    expect(statements).toHaveLength(before);
  });

  test('callers come in their order; who breaks off takes no turn from the next', async () => {
    const made = budgets();
    const order: number[] = [];
    const stop = new AbortController();
    const turns = [0, 1, 2, 3].map((n) =>
      made.turn('events', n === 1 ? stop.signal : undefined).then(() => order.push(n)),
    );
    const broken = expect(turns[1]).rejects.toThrow('gone');
    stop.abort(new Error('gone'));
    await time.pass(400);
    await broken;
    expect(order).toEqual([0, 2, 3]);
    await expect(made.turn('events', AbortSignal.abort(new Error('before')))).rejects.toThrow('before');
  });

  test('a turn that all have given up goes back, where it is dear', async () => {
    const made = budgets();
    for (let n = 0; n < 4; n += 1) await made.turn('other');
    for (let n = 0; n < 20; n += 1) {
      const stop = new AbortController();
      const waits = expect(made.turn('other', stop.signal)).rejects.toThrow('gone');
      await time.pass(100);
      stop.abort(new Error('gone'));
      await waits;
    }
    await time.pass(0);
    let came = false;
    void budgets()
      .turn('other')
      .then(() => {
        came = true;
      });
    await time.pass(intervalOf(limits.other));
    expect(came).toBe(true);
  });

  test('a database whose answers take longer than a turn may be late costs no turn', async () => {
    const db = time.watched(database.db);
    const slow = createBudgets(
      {
        ...db,
        async routine<T>(sql: string, values?: readonly unknown[]) {
          const rows = await db.routine<T>(sql, values);
          await time.wait(70, new AbortController().signal);
          return rows;
        },
      },
      limits,
      time,
    );
    const stop = new AbortController();
    const { times, ended } = callers(slow, 'events', 20, stop.signal);
    await time.pass(20_000);
    stop.abort();
    await ended;
    expect(mostInWindow(times, limits.events)).toBeLessThanOrEqual(10);
    expect(times.length).toBeGreaterThan(185);
  });

  test('turns that are on their way when a pause begins are not used', async () => {
    let arrived: (() => void) | undefined;
    const onTheWay = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    let release: (() => void) | undefined;
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const db = time.watched(database.db);
    const made = createBudgets(
      {
        ...db,
        async routine<T>(sql: string, values?: readonly unknown[]) {
          const rows = await db.routine<T>(sql, values);
          if (sql.includes('RETURNING')) {
            arrived?.();
            await released;
          }
          return rows;
        },
      },
      limits,
      time,
    );
    const turn = made.turn('events').then(() => time.now());
    await onTheWay;
    await made.pause('events', 10_000);
    release?.();
    await time.pass(12_000);
    expect(await turn).toBeGreaterThanOrEqual(10_000);
  });

  test('a process that stalls loses the turns it missed: they are not made up for', async () => {
    const made = budgets();
    const stop = new AbortController();
    const other = callers(budgets(), 'events', 20, stop.signal);
    const stalled = callers(made, 'events', 20, stop.signal);
    await time.pass(1_000);
    const before = [...other.times, ...stalled.times].length;
    time.stall(700);
    await time.pass(2_000);
    const all = [...other.times, ...stalled.times];
    expect(all.length).toBeGreaterThan(before + 10);
    expect(mostInWindow(all, limits.events)).toBeLessThanOrEqual(10);
    stop.abort();
    await Promise.all([other.ended, stalled.ended]);
  });

  test('turns of a killed process are lost, and never given twice', async () => {
    const db = time.watched(database.db);
    await addBudget(db, limits.events.name, time.database?.());
    const killed = await takeTurns(db, limits.events, { count: 5, leadMs: 0, clock: time.database?.() });
    const stop = new AbortController();
    const { times, ended } = callers(budgets(), 'events', 5, stop.signal);
    await time.pass(2_000);
    stop.abort();
    await ended;
    expect(killed?.now).toBe((time.database?.().getTime() as number) - 2_000);
    expect(times[0]).toBeCloseTo(5 * intervalOf(limits.events), 0);
    expect(times.length).toBeGreaterThanOrEqual(14);
  });

  test('a pause stops a class in all processes, and no other class', async () => {
    const [one, two] = [budgets(), budgets()];
    const stop = new AbortController();
    const [first, second] = [callers(one, 'events', 5, stop.signal), callers(two, 'events', 5, stop.signal)];
    const contacts = callers(two, 'contacts', 5, stop.signal);
    await time.pass(3_000);
    await one.pause('events', 30_000);
    const firstBefore = first.times.length;
    await time.pass(1_000);
    const secondBefore = second.times.length;
    await time.pass(28_900);
    expect([first.times.length, second.times.length]).toEqual([firstBefore, secondBefore]);
    expect(contacts.times.length).toBeGreaterThan(300);
    await time.pass(3_000);
    expect(first.times.length).toBeGreaterThan(firstBefore + 5);
    expect(second.times.length).toBeGreaterThan(secondBefore + 5);
    expect(mostInWindow([...first.times, ...second.times], limits.events)).toBeLessThanOrEqual(10);
    stop.abort();
    await Promise.all([first.ended, second.ended, contacts.ended]);
  });

  test('a pause is not shortened by another one', async () => {
    const made = budgets();
    await made.pause('events', 10_000);
    await made.pause('events', 1_000);
    const turn = made.turn('events').then(() => time.now());
    await time.pass(20_000);
    expect(await turn).toBeGreaterThanOrEqual(10_000);
  });

  test('a smaller limit holds in all processes, until answers state the plan’s', async () => {
    const [one, two] = [budgets(), budgets()];
    await one.turn('events');
    await one.learn('events', { limit: 2, remaining: 1, resetSeconds: 1 });
    const stop = new AbortController();
    const both = [one, two].map((made) => callers(made, 'events', 5, stop.signal));
    await time.pass(20_000);
    const times = both.flatMap(({ times }) => times);
    expect(times.length).toBeLessThanOrEqual(41);
    expect(times.length).toBeGreaterThanOrEqual(38);
    await one.learn('events', { limit: 10, remaining: 9, resetSeconds: 1 });
    await time.pass(20_000);
    expect(both.flatMap(({ times }) => times).length).toBeGreaterThan(200);
    stop.abort();
    await Promise.all(both.map(({ ended }) => ended));
  });

  test('what others have used of an hour is not used again, by any process', async () => {
    const [one, two] = [budgets(), budgets()];
    await one.turn('other');
    await one.learn('other', { limit: 100, remaining: 5, resetSeconds: 1_800 });
    const stop = new AbortController();
    const both = [one, two].map((made) => callers(made, 'other', 3, stop.signal));
    await time.pass(1_800_000);
    expect(both.flatMap(({ times }) => times)).toHaveLength(5);
    await time.pass(300_000);
    expect(both.flatMap(({ times }) => times).length).toBeGreaterThan(10);
    stop.abort();
    await Promise.all(both.map(({ ended }) => ended));
  });

  test('a limit that is not published starts at one a second and follows the answers', async () => {
    const made = budgets();
    const stop = new AbortController();
    const { times, ended } = callers(made, 'batch', 20, stop.signal);
    await time.pass(10_000);
    expect(times.length).toBeLessThanOrEqual(10);
    await made.learn('batch', { limit: 5, remaining: 4, resetSeconds: 1 });
    const before = times.length;
    await time.pass(10_000);
    expect(times.length - before).toBeGreaterThan(40);
    stop.abort();
    await ended;
  });

  test('who waits hears when the database does not answer, and the next one is served again', async () => {
    let away = true;
    const db = time.watched(database.db);
    const made = createBudgets(
      {
        ...db,
        routine: (sql, values) => (away ? Promise.reject(new Error('away')) : db.routine(sql, values)),
      },
      limits,
      time,
    );
    await expect(Promise.all([made.turn('events'), made.turn('events')])).rejects.toThrow('away');
    away = false;
    await made.turn('events');
  });

  test('processes that take at the same moment get turns that follow one another', async () => {
    const other = (await database.another?.()) ?? database.db;
    const of = limits.events;
    await addBudget(database.db, of.name, undefined);
    const takes = await Promise.all(
      Array.from({ length: 200 }, (_, n) =>
        takeTurns(n % 2 === 0 ? database.db : other, of, { count: 1 + (n % 4), leadMs: 0, clock: undefined }),
      ),
    );
    const ends = takes
      .flatMap((taken) => (taken ? [{ at: taken.nextAt, count: taken.count }] : []))
      .sort((a, b) => a.at - b.at);
    expect(ends).toHaveLength(200);
    for (const [index, { at, count }] of ends.entries())
      if (index > 0) expect(at - (ends[index - 1]?.at ?? 0)).toBeGreaterThan(count * intervalOf(of) - 0.01);
    if (other !== database.db) await other.close();
  });
});

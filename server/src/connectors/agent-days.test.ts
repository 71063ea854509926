import type { Db } from '../db/db.ts';
import { migrate } from '../db/migrate.ts';
import { onEachEngine, type TestDatabase } from '../db/testing/on-each-engine.ts';
import { storeAll } from '../recorder/sessions/testing/stored.ts';
import { Story } from '../recorder/sessions/testing/story.ts';
import { agentDays } from './agent-days.ts';
import { switchOn } from './changes.ts';
import { follow } from './follow.ts';
import { account, clearAll, followDeps } from './testing/followed.ts';

onEachEngine("agents' days", (open) => {
  let database: TestDatabase;
  let db: Db;
  const anna = Story.common('WK', 'anna');
  const days = () => agentDays(db, { from: '2026-11-01', to: '2026-12-31' });
  /** The inbox names reservations beside the event. */
  const arrive = async (
    story: Story,
    from = 0,
    order = (events: Story['events']) => events,
    agentActivity = true,
  ) => {
    await storeAll(db, order(story.events.slice(from)));
    await db.query(
      `UPDATE agent_events SET sids = ARRAY[data->'payload'->>'reservation_sid'] WHERE data->'payload'->>'reservation_sid' IS NOT NULL`,
    );
    await follow(followDeps(db, { agentActivity }), new AbortController().signal);
  };
  const activity = (story: Story, previous: string, seconds: number, more: object = {}) =>
    story.router('worker.activity.update', {
      ...{ worker_sid: anna, worker_activity_name: 'Break', worker_previous_activity_name: previous },
      ...{ worker_time_in_previous_activity: String(seconds), ...more },
    });

  beforeAll(async () => {
    database = await open();
    db = database.db;
    await migrate(db);
  }, 120_000);
  afterAll(() => database.drop());
  beforeEach(async () => {
    await clearAll(db);
    await switchOn(db, account);
  });

  test('while they are not kept nothing counts, then or later', async () => {
    const story = new Story(2, '2026-11-30T01:00:00.000Z');
    activity(story, 'Available', 60);
    const same = (events: Story['events']) => events;
    await arrive(story, 0, same, false);
    expect(await days()).toEqual([]);
    story.wait(10);
    activity(story, 'Break', 10);
    await arrive(story, 1);
    expect(await days()).toMatchObject([{ worker: anna, activities: { Break: 10 } }]);
  });

  test('an activity counts on each day that it lasted, in UTC', async () => {
    const story = new Story(1, '2026-11-30T01:00:00.000Z');
    activity(story, 'Available', 3 * 3_600);
    story.wait(60);
    activity(story, 'Break', 60, { worker_time_in_previous_activity_ms: '59500' });
    activity(story, 'Available', 30);
    activity(story, '', 30);
    await arrive(story);
    expect(await days()).toEqual([
      {
        ...{ day: '2026-11-29', worker: anna, activities: { Available: 7_200 } },
        handled: 0,
        transferred: 0,
        wrapUpSeconds: 0,
      },
      {
        ...{ day: '2026-11-30', worker: anna, activities: { Available: 3_630, Break: 59.5 } },
        ...{ handled: 0, transferred: 0, wrapUpSeconds: 0 },
      },
    ]);
    expect(await agentDays(db, { from: '2026-11-30', to: '2026-11-30' })).toHaveLength(1);
  });

  test('an activity of years counts for its last 31 days', async () => {
    const story = new Story(2, '2026-12-31T12:00:00.000Z');
    activity(story, 'Offline', 10 * 365 * 86_400);
    await arrive(story);
    const all = await agentDays(db, { from: '2000-01-01', to: '2026-12-31' });
    expect(all.reduce((sum, { activities }) => sum + (activities['Offline'] ?? 0), 0)).toBe(31 * 86_400);
  });

  test.each([
    ['in order', (events: Story['events']) => events],
    ['in the reverse order', (events: Story['events']) => events.toReversed()],
  ])('what an agent handled, transferred and wrapped up, %s', async (_name, order) => {
    const story = new Story(3);
    const task = story.inboundCall('Support');
    const one = task.offer('anna').accept();
    one.transfer('COLD', 'Sales').transferEvent('completed', 'COLD', 'complete').wrapUp();
    story.wait(12);
    one.complete();
    await arrive(story, 0, order);
    expect(await days()).toEqual([
      {
        ...{ day: '2026-11-30', worker: anna, activities: {} },
        handled: 1,
        transferred: 1,
        wrapUpSeconds: 12,
      },
    ]);
  });

  test('each event counts once, also if its wrap-up was read in an earlier batch', async () => {
    const story = new Story(4);
    const one = story.inboundCall('Support').offer('anna').accept().wrapUp();
    await arrive(story);
    const before = story.events.length;
    story.wait(7);
    one.complete();
    await arrive(story, before);
    await follow(followDeps(db), new AbortController().signal);
    expect(await days()).toMatchObject([{ handled: 1, wrapUpSeconds: 7 }]);
  });
});

import type { AccountSid } from '@flex-custody/core';
import { createCatalog } from '../catalog/create-catalog.ts';
import { migrate } from '../db/migrate.ts';
import { onEachEngine, type TestDatabase } from '../db/testing/on-each-engine.ts';
import { rateLimitType, testEventType } from '../events/event-types.ts';
import type { Inbox, TakenIn } from '../events/inbox.ts';
import { lastTestId, noticing, reportedLimits } from './event-streams/noticing.ts';
import { followLimits } from './rate-limits.ts';
import { fakeInbox } from './testing/fake-inbox.ts';

onEachEngine('what the inbox notices', (open) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await open();
    await migrate(database.db);
  });
  afterAll(() => database.drop());
  beforeEach(() => database.db.query('TRUNCATE marks'));
  const scene = () => {
    const catalog = createCatalog(database.db, `AC${'1'.repeat(32)}` as AccountSid);
    const inner = fakeInbox();
    return { catalog, inner, inbox: noticing(inner, catalog) };
  };
  const limit = (key: unknown, value: unknown, id = String(Math.random())) => ({
    id,
    type: rateLimitType,
    data: { resource_key: key, rate_limit: value, current_rate: 3, rate_limited: false, is_default: true },
  });

  test('the newest test event, though each has the same id, as an object or as the text of a record', async () => {
    const { catalog, inner, inbox } = scene();
    expect(await lastTestId(catalog)).toBeUndefined();
    const event = (data: unknown) => ({ id: 'AC1', type: testEventType, data });
    await inbox.take([event({ test_id: 'TE1' })], { source: 'webhook' });
    expect(await lastTestId(catalog)).toBe('TE1');
    const record = JSON.stringify(event(JSON.stringify({ test_id: 'TE2' })));
    expect(await inbox.take([record, event({}), event(null)], { source: 'kinesis' })).toMatchObject({
      read: 3,
      duplicate: 3,
    });
    expect(await lastTestId(catalog)).toBe('TE2');
    expect(inner.stored).toHaveLength(1);
  });

  test('limits by resource; what is no limit is not kept', async () => {
    const { catalog, inbox } = scene();
    await inbox.take([limit('a', 5), limit('b', '7'), limit('a', 6)], { source: 'kinesis' });
    const useless = [
      limit('c', 'many'),
      limit('d', -1),
      limit('e', 0),
      limit(7, 1),
      limit('f'.repeat(201), 1),
      null,
      7,
    ];
    await inbox.take(useless, { source: 'kinesis' });
    expect(await reportedLimits(catalog)).toEqual(
      new Map([
        ['a', 6],
        ['b', 7],
      ]),
    );
  });

  test('an event that could not be stored is not noticed', async () => {
    const { catalog } = scene();
    const take = async (): Promise<TakenIn> => Promise.reject(new Error('away'));
    const away: Inbox = { ...fakeInbox(), take };
    const inbox = noticing(away, catalog);
    await expect(inbox.take([limit('a', 5)], { source: 'kinesis' })).rejects.toThrow('away');
    expect(await reportedLimits(catalog)).toEqual(new Map());
  });

  test('the limiters follow the keys that are theirs', async () => {
    const { catalog, inbox } = scene();
    const searches = jest.fn();
    const taskEvents = jest.fn();
    const taskRouter = jest.fn();
    await followLimits(catalog, { searches, taskEvents, taskRouter });
    expect(searches).not.toHaveBeenCalled();
    await inbox.take(
      [
        limit('workspaces.tasks.evaluate_task_attributes', 9),
        limit('workspaces.events', 2),
        limit('workspaces.workers', 50),
        limit('workspaces.workers.channels', 7),
      ],
      {
        source: 'webhook',
      },
    );
    await followLimits(catalog, { searches, taskEvents, taskRouter });
    const asked = [searches, taskEvents, taskRouter].map(({ mock }) => mock.calls);
    expect(asked).toEqual([[[9]], [[2]], [[50]]]);
  });
});

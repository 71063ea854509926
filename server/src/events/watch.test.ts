import { createAlarms } from '../alarms/alarms.ts';
import { refuseSids } from '../db/erased-sids.ts';
import { buildIndexes } from '../db/indexes.ts';
import { migrate } from '../db/migrate.ts';
import { onEachEngine, type TestDatabase } from '../db/testing/on-each-engine.ts';
import { createInbox } from './create-inbox.ts';
import { watchLag } from './event-lag.ts';
import { readEventStatus } from './event-status.ts';
import { runEventJobs } from './run-jobs.ts';
import { takeBackSetAside } from './take-back.ts';
import { account, cloudEvent, sid } from './testing/cloud-events.ts';

jest.setTimeout(60_000);
const never = new AbortController().signal;
const accounts = [account];

onEachEngine("the watch over agents' events", (open) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await open();
    await migrate(database.db);
    await buildIndexes(database.db);
  });
  afterAll(() => database.drop());
  beforeEach(() =>
    database.db.query('TRUNCATE agent_events, events_set_aside, event_counters, erased_sids, alarms'),
  );
  const inbox = () => createInbox({ db: database.db, accounts, log: { warn() {} } });
  const kinesis = (shard: string) => ({ source: 'kinesis', shard }) as const;
  const counters = () =>
    database.db.query<object>(
      'SELECT source, shard, read, stored, duplicate, set_aside FROM event_counters ORDER BY 1, 2',
    );
  const open_ = async () =>
    (await createAlarms(database.db).list({ open: true })).map(({ code, detail }) => [code, detail]);

  describe('events of types that a later release handles', () => {
    /** As an earlier release left them, which did not know the type. */
    const leave = async (events: readonly Record<string, unknown>[], times = 1) => {
      const earlier = events.map((event) => ({ ...event, type: `${event['type']}.later` }));
      for (let time = 0; time < times; time += 1) await inbox().take(earlier, kinesis('s'));
      await database.db.query(
        `UPDATE events_set_aside SET type = replace(type, '.later', ''), raw = replace(raw, '.later', '')`,
      );
    };
    const takeBack = () => takeBackSetAside({ db: database.db, accounts }, never);

    test('are taken in, and the counters still add up', async () => {
      await leave([cloudEvent({ n: 1 }), cloudEvent({ n: 2 })], 2);
      await inbox().take([cloudEvent({ n: 2 })], kinesis('t'));
      await inbox().take([cloudEvent({ n: 3, type: 'com.twilio.studio.flow' })], kinesis('s'));
      expect(await takeBack()).toBe(2);
      expect(await counters()).toEqual([
        { source: 'kinesis', shard: 's', read: 5, stored: 1, duplicate: 3, set_aside: 1 },
        { source: 'kinesis', shard: 't', read: 1, stored: 1, duplicate: 0, set_aside: 0 },
      ]);
      const ids = await database.db.query('SELECT id FROM agent_events ORDER BY id');
      expect(ids).toEqual([{ id: 'EZ1' }, { id: 'EZ2' }]);
      expect(await takeBack()).toBe(0);
    });

    test('are read once where their text is still of an unknown type', async () => {
      await leave([cloudEvent({ n: 1 })]);
      await database.db.query(`UPDATE events_set_aside SET raw = replace(raw, 'accepted', 'invented')`);
      expect(await takeBack()).toBe(1);
      expect(await counters()).toMatchObject([{ read: 1, stored: 0, set_aside: 1 }]);
      expect(await database.db.query('SELECT reason FROM events_set_aside')).toEqual([
        { reason: 'unknown_type' },
      ]);
    });

    test('more of them than one transaction takes', async () => {
      await leave(Array.from({ length: 230 }, (_, n) => cloudEvent({ n: n + 1 })));
      expect(await takeBack()).toBe(230);
      expect(await counters()).toMatchObject([{ stored: 230, set_aside: 0 }]);
    });

    test('that are broken stay with their own reason; of an erased call nothing stays', async () => {
      await leave([cloudEvent({ n: 1, data: null }), cloudEvent({ n: 2 })]);
      await refuseSids(database.db, [sid('WT', 2)]);
      expect(await takeBack()).toBe(2);
      expect(await database.db.query('SELECT reason FROM events_set_aside')).toEqual([
        { reason: 'data_unusable' },
      ]);
      expect(await counters()).toMatchObject([{ read: 2, stored: 0, set_aside: 2 }]);
    });
  });

  test('the alarm of the delay is open while even the newest events are late', async () => {
    const { db } = database;
    const alarms = createAlarms(db);
    const arrive = (n: number, minutesAgo: number, from: Parameters<ReturnType<typeof inbox>['take']>[1]) =>
      inbox().take([cloudEvent({ n, payload: { timestamp_ms: Date.now() - minutesAgo * 60_000 } })], from);
    await watchLag({ db, alarms });
    expect(await open_()).toEqual([]);
    await arrive(1, 240, { source: 'repair' });
    const late = { n: 9, type: 'flex-custody.report', payload: { timestamp_ms: Date.now() - 40 * 60_000 } };
    await inbox().take([cloudEvent(late)], { source: 'own' });
    await arrive(2, 30, kinesis('s1'));
    await arrive(3, 1, kinesis('s2'));
    await watchLag({ db, alarms });
    expect(await open_()).toEqual([['event_lag', 'kinesis s1: 30 min']]);
    await db.query(
      `UPDATE agent_events SET received_at = received_at - interval '6 minutes', at = at - interval '6 minutes'`,
    );
    await watchLag({ db, alarms });
    expect(await open_()).toHaveLength(1);
    await arrive(4, 1, kinesis('s1'));
    await watchLag({ db, alarms });
    expect(await open_()).toEqual([]);
  });

  test('the job resolves the alarm of its failure', async () => {
    const alarms = createAlarms(database.db);
    await alarms.raise('events_failed', undefined, 'x');
    const [running] = runEventJobs({ alarms, accounts, db: database.db, log: { info() {} } });
    await running?.run({}, { attempt: 1, signal: never });
    expect(await open_()).toEqual([]);
  });

  test('the status has numbers, and nothing of the events', async () => {
    await inbox().take([cloudEvent({ n: 1 }), cloudEvent({ n: 1 }), '{secret'], kinesis('s'));
    await inbox().take(['{secret', cloudEvent({ n: 2, type: 'com.twilio.x' })], kinesis('s'));
    const status = Object.fromEntries(
      (await readEventStatus(database.db)).map(({ name, rows }) => [name, rows]),
    );
    expect(status).toEqual({
      events: [
        {
          ...{ source: 'kinesis', shard: 's', read: 5, stored: 1, duplicate: 1, setAside: 3 },
          ...{ lastReceivedAt: expect.any(Date), lastEventAt: new Date(1_780_000_000_001) },
          lagSeconds: expect.any(Number),
        },
      ],
      eventRates: [
        { over: 'minute', perSecond: 0.02 },
        { over: 'hour', perSecond: 0 },
      ],
      eventTypes: [
        {
          type: 'com.twilio.taskrouter.reservation.accepted',
          lastEventAt: new Date(1_780_000_000_001),
          lastReceivedAt: expect.any(Date),
        },
      ],
      eventsSetAside: [
        expect.objectContaining({ reason: 'not_json', type: null, records: 1, times: 2 }),
        expect.objectContaining({ reason: 'unknown_type', type: 'com.twilio.x', records: 1, times: 1 }),
      ],
    });
    expect(JSON.stringify(status)).not.toMatch(/secret|EZ1|WT0/);
  });
});

import type { ConferenceSid, Report, ReservationSid, WorkerSid } from '@flex-custody/core';
import type { Db } from '../../db/db.ts';
import { refuseSids } from '../../db/erased-sids.ts';
import { migrate } from '../../db/migrate.ts';
import { onEachEngine, type TestDatabase } from '../../db/testing/on-each-engine.ts';
import { createInboxReader } from '../../events/inbox-reader.ts';
import { look } from '../pauses/look.ts';
import { factOf } from '../sessions/facts/fact-of.ts';
import { down, sids } from '../testing/live-call.ts';
import { ada as agent, minute, other, pauseReport, room, start } from '../testing/room.ts';
import { type Reporter, receive } from './receive.ts';

const ada: Reporter = { by: 'browser', viewer: agent };
const strangers = `WK${'9'.repeat(32)}` as WorkerSid;
const eve: Reporter = { by: 'browser', viewer: { identity: 'eve', workerSid: strangers, roles: ['agent'] } };
const others = `WR${'9'.repeat(32)}` as ReservationSid;

type HoldReport = Extract<Report, { kind: 'held' | 'unheld' }>;
const holdReport = (kind: HoldReport['kind'], change: Partial<HoldReport> = {}): HoldReport => ({
  ...other(kind, { conferenceSid: sids.conference }),
  ...change,
});

onEachEngine("the host's own events of reports", (open) => {
  let database: TestDatabase;
  let db: Db;
  beforeAll(async () => {
    database = await open();
    db = database.db;
    await migrate(db);
  });
  afterAll(() => database.drop());
  beforeEach(() =>
    db.query(
      'DELETE FROM pauses; DELETE FROM reports; DELETE FROM agent_events; DELETE FROM event_counters; DELETE FROM erased_sids',
    ),
  );

  const events = async () => (await createInboxReader(db).after(undefined, 100)).events;
  const facts = async () => (await events()).map(factOf);
  const known = { taskSid: sids.task, reservationSid: sids.reservation, conferenceSid: sids.conference };

  test.each(['paused', 'resumed'] as const)(
    'a report %s is one event, however often it comes',
    async (kind) => {
      const { deps } = room(db);
      const report = pauseReport(kind, start);
      await receive(deps, report, { ...ada, by: 'function' }, 'r1', start + 500);
      await receive(deps, report, ada, 'r2', start + minute);
      expect(await events()).toEqual([
        {
          id: `flex-custody.report/${report.id}`,
          type: 'flex-custody.report',
          time: new Date(start),
          data: { ...known, kind, at: start, callSid: sids.call(2) },
        },
      ]);
      expect(await facts()).toMatchObject([
        { kind: 'pause', on: kind === 'paused', at: start, reservationSid: sids.reservation },
      ]);
      expect(await db.query('SELECT source, stored, duplicate FROM event_counters')).toEqual([
        { source: 'own', stored: 1, duplicate: 1 },
      ]);
    },
  );

  test('an event that failed is stored when the report is sent again', async () => {
    const { deps, sent } = room(db);
    const report = pauseReport('paused', start);
    const broken = { ...deps, inbox: { take: () => Promise.reject(down) } };
    await expect(receive(broken, report, ada, 'r1', start)).rejects.toMatchObject({ retryable: true });
    // The call is looked after all the same.
    expect([sent.length, await events()]).toEqual([1, []]);
    await receive(deps, report, ada, 'r2', start);
    expect(await facts()).toMatchObject([{ kind: 'pause', on: true }]);
  });

  test.each(['held', 'unheld'] as const)('a report %s is one event, and is counted once', async (kind) => {
    const { deps, reported } = room(db);
    const report = holdReport(kind, { callSid: sids.call(1) });
    for (const now of [start, start + minute]) await receive(deps, report, ada, 'r', now);
    expect(await facts()).toEqual([
      {
        id: `flex-custody.report/${report.id}`,
        at: start,
        kind: 'hold',
        source: 'report',
        on: kind === 'held',
        callSid: sids.call(1),
        conferenceSid: sids.conference,
        reservationSid: sids.reservation,
        keys: [sids.task, sids.reservation, sids.conference, sids.call(1)],
      },
    ]);
    expect(reported).toEqual([[kind, '', 'browser']]);
    expect(await db.query('SELECT FROM reports')).toEqual([]);
  });

  test.each<[string, Reporter, Partial<HoldReport>]>([
    ['somebody who is not in the call', eve, {}],
    ['somebody who is no worker', { by: 'browser', viewer: { identity: 'eve', roles: ['admin'] } }, {}],
    ['the agent, for a leg of another call', ada, { callSid: sids.call(9) }],
    ['the agent, for the task of another', ada, { taskSid: sids.otherTask }],
    ['somebody else by a Function', { ...eve, by: 'function' }, {}],
  ])('no hold is believed of %s', async (_who, reporter, change) => {
    const { deps, reported } = room(db);
    for (const kind of ['held', 'unheld'] as const)
      await expect(receive(deps, holdReport(kind, change), reporter, 'r', start)).rejects.toMatchObject({
        code: 'not_your_call',
        status: 403,
      });
    expect([await events(), reported]).toEqual([[], []]);
  });

  test('after the call a hold is no event, and a pause is one of the task alone', async () => {
    const { deps, twilio } = room(db);
    twilio.live = false;
    await receive(deps, holdReport('held'), ada, 'r', start);
    expect(await events()).toEqual([]);
    await expect(receive(deps, holdReport('held'), eve, 'r', start)).rejects.toMatchObject({ status: 403 });
    await receive(deps, pauseReport('paused', start), ada, 'r', start);
    expect(await facts()).toMatchObject([{ keys: [sids.task, sids.reservation] }]);
  });

  test("an agent's report ties no other contact to the call", async () => {
    const { deps, twilio } = room(db);
    // Of two reservations of the worker the reported one counts; one of another worker never does.
    const { reserved } = twilio;
    const [first] = reserved;
    const second = { ...first!, sid: `WR${'2'.repeat(32)}` as ReservationSid };
    twilio.reserved = [...reserved, second, { ...first!, sid: others, workerSid: strangers }];
    const reservationsOf = async (change: Partial<HoldReport>) => {
      await receive(deps, holdReport('held', change), ada, 'r', start);
      return (await events()).at(-1)?.data['reservationSid'];
    };
    expect(await reservationsOf({ reservationSid: second.sid })).toBe(second.sid);
    expect(await reservationsOf({ reservationSid: others })).toBeUndefined();
    expect(await reservationsOf({})).toBeUndefined();
    twilio.reserved = reserved;
    expect(await reservationsOf({ reservationSid: others })).toBe(sids.reservation);
    // Nothing of Twilio's says that this conference is the task's.
    twilio.friendlyName = 'room 7';
    await receive(deps, holdReport('held', { callSid: sids.call(1) }), ada, 'r', start);
    expect((await facts()).at(-1)?.keys).toEqual([sids.task, sids.reservation]);
  });

  test('a clock that is fast dates no event after its arrival', async () => {
    const { deps } = room(db);
    await receive(deps, holdReport('held', { at: start + 5 * minute }), ada, 'r', start);
    expect(await facts()).toMatchObject([{ at: start }]);
  });

  test('of an erased call nothing is kept', async () => {
    const { deps, reported } = room(db);
    await refuseSids(db, [sids.conference]);
    await receive(deps, holdReport('held'), ada, 'r', start);
    expect([await events(), reported]).toEqual([[], []]);
  });

  test("the end of a pause by the host's timer is an event of the agent who paused", async () => {
    const { deps, twilio } = room(db);
    const paused = async (at: number) => {
      twilio.pause(at);
      await receive(deps, pauseReport('paused', at), { ...ada, by: 'function' }, 'r', at);
    };
    await paused(start);
    await look(deps, sids.conference, start);
    await look(deps, sids.conference, start + 10 * minute);
    expect((await events()).at(-1)).toEqual({
      id: `flex-custody.report/timer/${sids.conference}/${start}`,
      type: 'flex-custody.report',
      time: new Date(start + 10 * minute),
      data: { ...known, kind: 'resumed', at: start + 10 * minute },
    });
    // Without an inbox the pause ends all the same.
    await paused(start + 20 * minute);
    const broken = { ...deps, inbox: { take: () => Promise.reject(down) } };
    expect(await look(broken, sids.conference, start + 30 * minute)).toBe('over');
    expect(await facts()).toMatchObject([{ on: true }, { on: false }, { on: true }]);
  });

  test('a pause that the agent ends has no event of the timer', async () => {
    const { deps, twilio } = room(db);
    twilio.pause(start);
    await receive(deps, pauseReport('paused', start), ada, 'r', start);
    await receive(deps, pauseReport('resumed', start + minute), ada, 'r', start + minute);
    expect(await look(deps, sids.conference, start + minute)).toBe('over');
    expect(await facts()).toMatchObject([{ on: true }, { on: false }]);
  });

  test('a conference that is unknown to Twilio is none of the call', async () => {
    const { deps } = room(db);
    const conferenceSid = `CF${'9'.repeat(32)}` as ConferenceSid;
    await receive(deps, holdReport('held', { conferenceSid }), ada, 'r', start);
    expect(await events()).toEqual([]);
  });
});

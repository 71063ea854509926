import { asCallSid, type CallSid, type ConferenceSid } from '@flex-custody/core';
import type { LegHold } from '@flex-custody/twilio';
import type { Db } from '../../../db/db.ts';
import { migrate } from '../../../db/migrate.ts';
import { onEachEngine, type TestDatabase } from '../../../db/testing/on-each-engine.ts';
import { createInbox } from '../../../events/create-inbox.ts';
import { createInboxReader } from '../../../events/inbox-reader.ts';
import { down } from '../../testing/live-call.ts';
import type { Contact } from '../contact.ts';
import { contactsOf } from '../contacts-of.ts';
import { storeAll } from '../testing/stored.ts';
import { inbound } from '../testing/stories.ts';
import { followBatch } from './follow-inbox.ts';
import { type HoldLookDeps, holdLooks } from './look-at-holds.ts';

const minute = 60_000;
const never = new AbortController().signal;

onEachEngine('looks at the participants of open calls', (open) => {
  let database: TestDatabase;
  let db: Db;
  let asked: string[];
  let warned: object[];
  let legs: LegHold[];
  /** Of Twilio's clock. */
  let aheadMs: number;
  const account = async () => ({ friendlyName: '', status: 'active', aheadMs });
  beforeAll(async () => {
    database = await open();
    db = database.db;
    await migrate(db);
  });
  afterAll(() => database.drop());
  beforeEach(async () => {
    asked = [];
    warned = [];
    legs = [];
    aheadMs = 0;
    await db.query(
      'TRUNCATE agent_events, contacts, contact_keys, contact_events, contact_reports; UPDATE session_place SET position = NULL',
    );
  });

  const read = async () => {
    const log = { warn: () => undefined };
    while (!(await followBatch({ db, options: async () => ({}), apply: async () => undefined, log })).isEnd);
    const rows = await db.query<{ contact: Contact }>('SELECT contact FROM contacts ORDER BY number');
    return rows.map(({ contact }) => contact);
  };
  const lookAt = (now: () => number, more: Partial<HoldLookDeps> = {}) =>
    holdLooks({
      db,
      inbox: createInbox({ db, accounts: [], log: { warn: (fields) => void warned.push(fields) } }),
      twilio: {
        holds: async (sid) => {
          asked.push(sid);
          return legs;
        },
        account,
      },
      catalog: { now: async () => new Date() },
      log: { warn: (fields) => void warned.push(fields) },
      now,
      ...more,
    });
  const own = async () =>
    (await createInboxReader(db).after(undefined, 1_000)).events.filter(
      ({ type }) => type === 'flex-custody.participants',
    );

  /** A call that an agent has taken and that lasts, without any hold. */
  async function talking(n = 1) {
    const all = inbound(n).story.events;
    const heldAfter = all.findIndex((_, index) => contactsOf(all.slice(0, index))[0]?.holds.length === 1);
    const events = all.slice(0, heldAfter - 1);
    await storeAll(db, events);
    const contact = (await read()).at(-1)!;
    expect([contact.holds, contact.closedAt]).toEqual([[], undefined]);
    const conference = contact.keys.find((key) => key.startsWith('CF')) as ConferenceSid;
    const [customer] = contact.keys.flatMap((key) => asCallSid(key) ?? []) as [CallSid];
    return {
      all,
      stored: events.length,
      contact,
      conference,
      customer,
      from: (contact.connectedAt ?? 0) + minute,
    };
  }

  test('a hold of which no event came is known from the first look to the first one that no longer shows it', async () => {
    const { conference, customer, from } = await talking();
    let now = from;
    const look = lookAt(() => now);
    legs = [{ callSid: customer, hold: false }];
    await look(never);
    expect([asked, await own()]).toEqual([[conference], []]);

    legs = [{ callSid: customer, hold: true }];
    now += 5 * minute;
    await look(never);
    expect(await own()).toEqual([
      {
        id: `flex-custody.participants/${conference}/${now}`,
        type: 'flex-custody.participants',
        time: new Date(now),
        data: { conferenceSid: conference, participants: legs, at: now },
      },
    ]);
    const startedAt = now;
    expect((await read())[0]?.holds).toMatchObject([
      { startedAt, callSid: customer, sources: ['participants'] },
    ]);

    // What the contact has already is no event again.
    now += 5 * minute;
    await look(never);
    expect(await own()).toHaveLength(1);

    legs = [{ callSid: customer, hold: false }];
    now += 5 * minute;
    await look(never);
    expect((await read())[0]?.holds).toMatchObject([{ startedAt, endedAt: now, endedBy: 'unhold' }]);
    expect(warned).toEqual([]);
  });

  test('a look that is repeated is one event', async () => {
    const { customer, from } = await talking();
    legs = [{ callSid: customer, hold: true }];
    for (const look of [lookAt(() => from), lookAt(() => from)]) await look(never);
    expect(await own()).toHaveLength(1);
  });

  test('nothing is asked about calls that are over, or whose end must have been lost', async () => {
    const { all, stored, from } = await talking();
    await lookAt(() => from + 25 * 60 * minute)(never);
    await storeAll(db, all.slice(stored));
    expect((await read())[0]?.closedAt).toBeDefined();
    await lookAt(() => from)(never);
    expect(asked).toEqual([]);
  });

  test('a tick looks at so many, and the next one continues', async () => {
    const calls = [await talking(1), await talking(2), await talking(3)];
    const look = lookAt(() => Math.max(...calls.map(({ from }) => from)), { mostLooks: 2 });
    const rounds: string[][] = [];
    for (let round = 0; round < 3; round += 1) {
      asked = [];
      await look(never);
      rounds.push(asked);
    }
    const [a, b, c] = calls.map(({ conference }) => conference);
    expect(rounds).toEqual([[a, b], [c], [a, b]]);
  });

  test('an error of Twilio is a line in the log, and no error of the tick', async () => {
    const { customer, from } = await talking();
    await lookAt(() => from, { twilio: { holds: () => Promise.reject(down), account } })(never);
    expect(warned).toEqual([{ event: 'sessions.holds', code: 'twilio_unavailable' }]);
    legs = [{ callSid: customer, hold: true }];
    await lookAt(() => from)(never);
    expect(await own()).toHaveLength(1);
  });

  test('a host whose clock is hours ahead or behind notes no hold, and does so again once it is right', async () => {
    const { customer, from } = await talking();
    legs = [{ callSid: customer, hold: true }];
    for (aheadMs of [5 * 60 * minute, -5 * 60 * minute]) await lookAt(() => from - aheadMs)(never);
    expect([asked, await own()]).toEqual([[], []]);
    expect(warned).toEqual(Array(2).fill({ event: 'sessions.holds', code: 'clock_differs' }));
    aheadMs = 0;
    await lookAt(() => from)(never);
    expect(await own()).toHaveLength(1);
  });

  test('a tick that is ended asks no more', async () => {
    const { from } = await talking();
    await lookAt(() => from)(AbortSignal.abort());
    expect(asked).toEqual([]);
  });
});

import { removeSessions } from '../../../catalog/erasure-sessions.ts';
import type { Db } from '../../../db/db.ts';
import { buildIndexes } from '../../../db/indexes.ts';
import { migrate } from '../../../db/migrate.ts';
import { onEachEngine, type TestDatabase } from '../../../db/testing/on-each-engine.ts';
import { createInbox } from '../../../events/create-inbox.ts';
import type { Contact } from '../contact.ts';
import { contactsOf } from '../contacts-of.ts';
import { mostTasksOfKey } from '../facts/general-keys.ts';
import { shortCall } from '../policies.ts';
import { inForm } from '../testing/cloud-event.ts';
import { deliver } from '../testing/strangers/deliver.ts';
import { account, Wire } from '../testing/strangers/wire.ts';
import { applyToAll } from './apply-policies.ts';
import { keepReport, segmentOf } from './contacts-table.ts';
import { type FollowDeps, followBatch } from './follow-inbox.ts';

jest.setTimeout(120_000);

onEachEngine('contacts that keys of too many calls would tie', (open) => {
  let database: TestDatabase;
  let db: Db;
  let warned: object[];
  const follow = (more: Partial<FollowDeps> = {}) =>
    followBatch({
      db,
      options: async () => ({}),
      apply: async () => undefined,
      log: { warn: (fields) => void warned.push(fields) },
      ...more,
    });
  const readOn = async (more?: Partial<FollowDeps>) => {
    while (!(await follow(more)).isEnd);
  };
  const contacts = async (): Promise<Contact[]> =>
    (await db.query<{ contact: Contact }>('SELECT contact FROM contacts ORDER BY opened_at, id')).map(
      ({ contact }) => contact,
    );
  const take = (wire: Wire, events = wire.events) =>
    createInbox({ db, accounts: [account], log: { warn() {} } }).take(
      events.map((event) => inForm(event, 'webhook')),
      { source: 'webhook' },
    );
  /** A call of a minute, at this second, whose task has these attributes. */
  const call = (wire: Wire, at: number, attributes: object) => {
    const task = wire.task(`call ${at}`, { direction: 'inbound', ...attributes });
    wire.queued(at, task);
    wire.segment(task, 'ada', at + 1, at + 5, at + 60);
    wire.of(at + 70, task, 'task.completed', 'completed');
    return task;
  };

  beforeAll(async () => {
    database = await open();
    db = database.db;
    await migrate(db);
    await buildIndexes(db);
  });
  afterAll(() => database.drop());
  beforeEach(async () => {
    warned = [];
    await db.query(
      'TRUNCATE agent_events, contacts, contact_keys, contact_events, contact_reports; UPDATE session_place SET position = NULL',
    );
  });

  test('a conversation_id of one text for every call ties them, until it is that of too many', async () => {
    const wire = new Wire('constant');
    const constant = { conversations: { conversation_id: 'our-flow-2026' } };
    for (let n = 0; n < mostTasksOfKey; n++) call(wire, n * 100, constant);
    await take(wire);
    await readOn();
    expect(await contacts()).toHaveLength(1);
    const since = new Date(wire.start);
    const [glued] = await db.query<{ number: number }>('SELECT number FROM contacts');
    for (const subject of ['WTgone', 'WTstays'])
      await keepReport(db, {
        contact: glued!.number,
        code: 'long_call',
        since: new Date(+since + subject.length),
        subject,
        resolved: false,
      });

    const before = wire.events.length;
    call(wire, 90_000, constant);
    await take(wire, wire.events.slice(before));
    await readOn();
    const all = await contacts();
    expect(all).toHaveLength(mostTasksOfKey + 1);
    expect(all).toEqual(JSON.parse(JSON.stringify(contactsOf(deliver(wire.events, 'webhook')))));
    expect(all.flatMap(({ keys }) => keys)).not.toContain('conversation:our-flow-2026');

    // It never ties again.
    const later = wire.events.length;
    call(wire, 91_000, constant);
    await take(wire, wire.events.slice(later));
    await readOn();
    expect(await contacts()).toHaveLength(mostTasksOfKey + 2);

    // The alarms of the contact that is gone end, but for one that another contact has reported since.
    const [first] = await db.query<{ number: number }>('SELECT min(number) AS number FROM contacts');
    await keepReport(db, {
      contact: first!.number,
      code: 'long_call',
      since: new Date(Date.now()),
      subject: 'WTstays',
      resolved: false,
    });
    const resolved: string[] = [];
    await applyToAll({
      db,
      alarms: {
        raise: async () => undefined,
        resolve: async (_codes, subject) => void resolved.push(String(subject)),
      },
      settings: async () => ({ minimumSeconds: 0, longCallMinutes: 1_440, longHoldMinutes: 3_000 }),
      now: async () => wire.start + 100_000_000,
    });
    expect(resolved).toContain('session-WTgone');
    expect(await db.query('SELECT subject FROM contact_reports WHERE contact = 0')).toEqual([
      { subject: 'WTstays' },
    ]);
    expect(warned).toEqual([]);
  });

  test('a contact of too many events takes no more, is marked and never short; an erasure finds it', async () => {
    const wire = new Wire('overfull');
    const task = wire.task('t', { direction: 'inbound', call_sid: wire.sid('CA', 'customer') });
    wire.queued(0, task);
    wire.accept(5, wire.offer(1, task, 'ada'));
    for (let n = 0; n < 40; n++) wire.leg(6 + n, task, n % 2 ? 'unhold' : 'hold', 'customer');
    const mostOfContact = 20;
    await take(wire, wire.events.slice(0, 15));
    await readOn({ mostOfContact });
    const [open] = await contacts();
    expect(open).not.toHaveProperty('closedAt');
    for (let from = 15; from < wire.events.length; from += 4) {
      await take(wire, wire.events.slice(from, from + 4));
      await readOn({ mostOfContact });
    }
    const [full, ...others] = await contacts();
    expect(others).toEqual([]);
    expect(full).toMatchObject({ id: task.sid, closedAt: expect.any(Number), marks: ['overfull'] });
    expect(shortCall(full!, 3_600)).toBeUndefined();
    expect(warned).toEqual([{ event: 'sessions.overfull', contacts: 1 }]);
    // Links, completeness and recovery still find it by its keys.
    const [segment] = full!.interactions;
    expect(await segmentOf(db, segment!.reservationSid)).toMatchObject({
      contact: { id: task.sid },
      segment,
    });

    // Another call that has a key of it in common is a contact of its own.
    const before = wire.events.length;
    call(wire, 1_000, { conversations: { conversation_id: task.sid } });
    await take(wire, wire.events.slice(before));
    await readOn({ mostOfContact });
    expect(await contacts()).toHaveLength(2);

    await db.query('DELETE FROM agent_events WHERE $1 = ANY(sids)', [task.sid]);
    await removeSessions(db, [task.sid]);
    expect((await contacts()).map(({ id }) => id)).not.toContain(task.sid);
    const keys = await db.query<{ key: string }>('SELECT key FROM contact_keys');
    expect(keys.map(({ key }) => key)).not.toContain(task.sid);
  });

  test('two contacts that together have too many events do not become one', async () => {
    const wire = new Wire('two');
    const tasks = [call(wire, 0, {}), call(wire, 100, {})];
    await take(wire);
    await readOn();
    const before = wire.events.length;
    const ties = wire.task('call 100', { direction: 'inbound', parentTaskSid: tasks[0]!.sid });
    wire.of(200, ties, 'task.updated', 'completed');
    await take(wire, wire.events.slice(before));
    await readOn({ mostOfContact: 12 });
    const all = await contacts();
    expect(all.map(({ id }) => id)).toEqual(tasks.map(({ sid }) => sid));
    expect(all.filter(({ marks }) => marks.includes('overfull'))).toHaveLength(1);
  });

  test('a new task of a conversation whose first events are gone is a contact of its own', async () => {
    const wire = new Wire('old');
    const conversation = { channelType: 'sms', conversationSid: wire.sid('CH', 'c') };
    call(wire, 0, conversation);
    await take(wire);
    await readOn();
    const before = await contacts();
    await db.query('DELETE FROM agent_events WHERE seq IN (SELECT min(seq) FROM agent_events)');
    const read = wire.events.length;
    const late = call(wire, 4_000_000, conversation);
    await take(wire, wire.events.slice(read));
    await readOn();
    expect(await contacts()).toMatchObject([
      ...before,
      { id: late.sid, interactions: [{ endReason: 'completed' }] },
    ]);
    expect(warned).toEqual([{ event: 'sessions.incomplete', contacts: 1 }]);
  });
});

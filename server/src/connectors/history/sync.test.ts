import {
  type AccountSid,
  type ConversationSid,
  CustodyError,
  type ErrorCode,
  type WorkspaceSid,
} from '@flex-custody/core';
import type { ConversationState, TaskRouterEvent, TwilioConversation } from '@flex-custody/twilio';
import { createCatalog } from '../../catalog/create-catalog.ts';
import { refuseSids } from '../../db/erased-sids.ts';
import { migrate } from '../../db/migrate.ts';
import { onEachEngine, type TestDatabase } from '../../db/testing/on-each-engine.ts';
import { fakeInbox } from '../../recorder/testing/fake-inbox.ts';
import { createRuns, type Json } from '../../runs/runs.ts';
import { type HistoryDeps, syncHistory } from './sync.ts';
import { wantedHistory, wantHistory } from './wanted-history.ts';

const accountSid = `AC${'1'.repeat(32)}` as AccountSid;
const config = { accountSid, workspaceSid: `WS${'2'.repeat(32)}` as WorkspaceSid };
const hour = 60 * 60_000;
const day = 24 * hour;
const start = Date.UTC(2026, 10, 24, 12);
const hex = (n: number) => n.toString(16).padStart(32, '0');
const iso = (ms: number) => new Date(ms).toISOString();
const task = (n: number) => `WT${hex(n)}`;
const CH = (n: number) => `CH${hex(n)}` as ConversationSid;

const happened = (n: number, ms: number, channel = 'voice', attributes: object = {}): TaskRouterEvent => ({
  sid: `EV${hex(n)}`,
  type: 'task.created',
  at: new Date(ms),
  description: '',
  resourceSid: task(n),
  resourceType: 'task',
  data: {
    task_sid: task(n),
    task_channel_unique_name: channel,
    task_attributes: JSON.stringify(attributes),
  },
});

interface Known {
  sid: ConversationSid;
  state: ConversationState;
  createdAt: number;
  updatedAt?: number;
  /** Of its customer. */
  address?: string;
}

/** Twilio's lists, by pages of two. */
function twilioOf(events: TaskRouterEvent[], conversations: Known[]) {
  const asked: { tasks: string[]; conversations: string[]; one: string[]; participants: string[] } = {
    ...{ tasks: [], conversations: [], one: [], participants: [] },
  };
  const failures: ErrorCode[] = [];
  const fail = () => {
    const code = failures.shift();
    if (code) throw new CustodyError(code, 'away');
  };
  const seconds = (ms: number) => Math.floor(ms / 1_000);
  const within = (ms: number, { since, until }: { since: Date; until: Date }) =>
    seconds(ms) >= seconds(since.getTime()) && seconds(ms) <= seconds(until.getTime());
  const page = <T>(all: T[], url: string | undefined) => {
    const from = Number(url ?? 0);
    return { all: all.slice(from, from + 2), ...(from + 2 < all.length && { next: `${from + 2}` }) };
  };
  const asTwilio = ({ sid, state, createdAt, updatedAt = createdAt }: Known): TwilioConversation => ({
    ...{ sid, state, serviceSid: 'IS1', friendlyName: '', attributes: '{}' },
    createdAt: new Date(createdAt),
    updatedAt: new Date(updatedAt),
  });
  const twilio: HistoryDeps['twilio'] = {
    account: async () => undefined,
    async taskEventsPage(period, url) {
      fail();
      if (url === undefined) asked.tasks.push(period.since.toISOString());
      const { all, ...next } = page(
        events.filter(({ at }) => within(at.getTime(), period)),
        url,
      );
      return { events: all, ...next };
    },
    async conversationsPage(period, url) {
      fail();
      if (url === undefined) asked.conversations.push(period.since.toISOString());
      const found = conversations.filter(({ createdAt }) => within(createdAt, period));
      const { all, ...next } = page(found.map(asTwilio), url);
      return { conversations: all, ...next };
    },
    async conversation(sid) {
      asked.one.push(sid);
      const found = conversations.find((one) => one.sid === sid);
      return found && asTwilio(found);
    },
    async conversationParticipants(sid) {
      fail();
      asked.participants.push(sid);
      const address = conversations.find((one) => one.sid === sid)?.address;
      const agent = { sid: `MB${hex(1)}`, attributes: '{}', createdAt: new Date(start) };
      const binding = address && { type: address.startsWith('whatsapp') ? 'whatsapp' : 'sms', address };
      return [agent, ...(binding ? [{ ...agent, sid: `MB${hex(2)}`, binding }] : [])];
    },
  };
  return { twilio, asked, failures };
}

onEachEngine('an import of the past', (open) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await open();
    await migrate(database.db);
  });
  afterAll(() => database.drop());
  beforeEach(() =>
    database.db.query(
      'TRUNCATE runs, connector_checkpoints, connector_notes, connector_changes, contacts, erased_sids',
    ),
  );

  function scene(events: TaskRouterEvent[], conversations: Known[] = [], clock = { at: start }) {
    const { db } = database;
    const { twilio, asked, failures } = twilioOf(events, conversations);
    const inbox = fakeInbox();
    const runs = createRuns(db);
    const warned: object[] = [];
    const deps: HistoryDeps = {
      ...{ db, twilio, inbox, config, pauseMs: 0 },
      catalog: createCatalog(db, accountSid),
      log: { warn: (fields) => void warned.push(fields) },
      now: async () => clock.at,
    };
    const run = (options: Json, how = {}) =>
      runs.run(
        'connector-sync',
        { connector: 'brevo', ...options },
        (one) => syncHistory(deps, one),
        undefined,
        how,
      );
    const ids = () => inbox.stored.map(({ event }) => (event as { id: string }).id);
    return { run, ids, inbox, asked, failures, clock, deps, warned, runs };
  }
  const full = (since: number, more: Json = {}) => ({ type: 'full', since: iso(since), ...more });

  test('tasks by hours and conversations by days, each into the inbox once, with the progress of both', async () => {
    const events = [0, 1, 2, 3, 4].map((n) => happened(n, start - 3 * hour + n * 20 * 60_000));
    const conversations: Known[] = [
      {
        sid: CH(1),
        state: 'closed',
        createdAt: start - 2 * hour,
        updatedAt: start - hour,
        address: '+34600',
      },
      { sid: CH(2), state: 'active', createdAt: start - 2 * hour },
    ];
    const { run, ids, inbox, asked } = scene(events, conversations);
    const { counts, total } = await run(full(start - 3 * hour));
    expect(counts).toEqual({
      ...{ done: 5, task_events: 5, task_events_missing: 5 },
      ...{ conversations: 2, conversations_open: 1, conversations_missing: 1, contacts: 0 },
    });
    expect(total).toBe(5);
    expect(asked.tasks).toHaveLength(3);
    expect(new Set(inbox.stored.map(({ source }) => source))).toEqual(new Set(['repair']));
    expect(ids().slice(5)).toEqual([`${CH(1)}-added`, `${CH(1)}-MB${hex(2)}`, `${CH(1)}-closed`]);
    const again = await run(full(start - 3 * hour));
    expect(again.counts).toMatchObject({ task_events_missing: 0, conversations_missing: 0 });
    expect(ids()).toHaveLength(8);
    // What is known as closed costs no request of its own.
    expect(asked.participants).toEqual([CH(1)]);
  });

  test('a dry run counts, and writes nothing', async () => {
    const { db } = database;
    await addContact(1, start - hour);
    const closed: Known = { sid: CH(1), state: 'closed', createdAt: start - 2 * hour, address: '+34600' };
    const { run, ids } = scene([happened(1, start - hour)], [closed]);
    const { counts } = await run(full(start - 3 * hour, { dryRun: true }));
    expect(counts).toMatchObject({ task_events_missing: 1, conversations_missing: 1, contacts: 1 });
    expect(ids()).toEqual([]);
    for (const table of ['connector_checkpoints', 'connector_notes', 'connector_changes'])
      expect(await db.query(`SELECT FROM ${table}`)).toEqual([]);
  });

  test('an incremental one begins before the end of the last one, and asks again for what was open', async () => {
    const conversations: Known[] = [{ sid: CH(1), state: 'active', createdAt: start - 20 * day }];
    const { run, asked, ids, clock } = scene([], conversations);
    await run(full(start - 21 * day));
    asked.conversations.length = 0;
    asked.tasks.length = 0;
    clock.at += hour;
    await run({ type: 'incremental' });
    const until = start - 60_000;
    expect(asked.tasks[0]).toBe(iso(until - 10 * 60_000));
    expect(asked.conversations[0]).toBe(iso(until - 7 * day));
    expect([asked.one, ids()]).toEqual([[CH(1)], []]);
    conversations[0] = { sid: CH(1), state: 'closed', createdAt: start - 20 * day, updatedAt: clock.at };
    clock.at += hour;
    await run({ type: 'incremental' });
    expect(ids()).toEqual([`${CH(1)}-added`, `${CH(1)}-closed`]);
    clock.at += hour;
    await run({ type: 'incremental' });
    expect(asked.one).toEqual([CH(1), CH(1)]);
  });

  test('one that broke off continues after the last slice that it has finished', async () => {
    const events = [0, 1, 2, 3].map((n) => happened(n, start - 4 * hour + n * hour + 60_000));
    const { run, asked, failures, ids, clock } = scene(events);
    const none = undefined as unknown as ErrorCode;
    failures.push(none, none, 'twilio_refused');
    await expect(run(full(start - 4 * hour))).rejects.toMatchObject({ code: 'twilio_refused' });
    expect(ids()).toHaveLength(2);
    asked.tasks.length = 0;
    clock.at += hour;
    const { counts, resumedFrom } = await run(full(start - 4 * hour));
    expect(resumedFrom).toBeDefined();
    expect(asked.tasks).toEqual([iso(start - 2 * hour), iso(start - hour)]);
    expect(counts).toMatchObject({ task_events: 4, task_events_missing: 4 });
  });

  test('what Twilio cannot answer now is asked for again, a few times', async () => {
    const closed: Known = { sid: CH(1), state: 'closed', createdAt: start - 2 * hour, address: '+34600' };
    const away = 'twilio_unavailable';
    const { run, failures, ids, warned } = scene([], [closed]);
    const options = full(start - 3 * hour, { resources: ['conversations'] });
    failures.push(away, away);
    await run(options);
    expect([ids().length, warned.length]).toEqual([3, 2]);
    failures.push(...Array<ErrorCode>(6).fill(away));
    await expect(run(options, { anew: true })).rejects.toMatchObject({ code: away });
  });

  test('only the wanted channels, as far as a task or a conversation says of which it is', async () => {
    const events = [
      happened(1, start - hour),
      happened(2, start - hour, 'chat', { channelType: 'whatsapp' }),
      happened(3, start - hour, 'sms'),
      // Of the same task as before, without its attributes.
      { ...happened(4, start - hour), data: { task_sid: task(2), task_channel_unique_name: 'chat' } },
      { ...happened(5, start - hour), data: { worker_sid: 'WK1' } },
    ];
    const at = { state: 'closed', createdAt: start - 2 * hour } as const;
    const conversations: Known[] = [
      { sid: CH(1), ...at, address: 'whatsapp:+34600' },
      { sid: CH(2), ...at, address: '+34600' },
      { sid: CH(3), ...at },
    ];
    const { run, ids } = scene(events, conversations);
    await run(full(start - 3 * hour, { channels: ['sms', 'voice'] }));
    expect(ids().filter((id) => id.startsWith('EV'))).toEqual([1, 3, 5].map((n) => `EV${hex(n)}`));
    expect(ids().filter((id) => id.endsWith('closed'))).toEqual([`${CH(2)}-closed`]);
    // Its checkpoint says nothing of the other channels.
    const { counts } = await run({
      type: 'incremental',
      channels: ['whatsapp'],
      since: iso(start - 3 * hour),
    });
    expect(counts).toMatchObject({ task_events: 3, conversations_missing: 1 });
    expect(await wantedHistory(database.db, 'brevo')).toEqual({
      since: start - 3 * hour,
      channels: ['voice', 'sms', 'whatsapp'],
    });
  });

  test('an erased conversation is not read again', async () => {
    await refuseSids(database.db, [CH(1)]);
    const closed: Known = { sid: CH(1), state: 'closed', createdAt: start - 2 * hour, address: '+34600' };
    const { run, ids, asked } = scene([], [closed]);
    await run(full(start - 3 * hour));
    expect([ids(), asked.participants]).toEqual([[], []]);
  });

  test('contacts of the period are looked at, and no earlier ones', async () => {
    for (let n = 1; n <= 2_500; n += 1) await addContact(n, start - day + n);
    await addContact(9_000, start - 2 * day);
    const { run, runs } = scene([]);
    const { counts } = await run(full(start - day));
    expect(counts).toMatchObject({ contacts: 2_500 });
    const rows = await database.db.query<{ contact: string }>(
      'SELECT contact::text FROM connector_changes ORDER BY connector_changes.contact',
    );
    expect([rows.length, rows[0]?.contact, rows.at(-1)?.contact]).toEqual([2_500, '1', '2500']);
    expect(await wantedHistory(database.db, 'brevo')).toEqual({ since: start - day });
    expect((await runs.look('connector-sync'))?.finishedAt).toBeInstanceOf(Date);
  });

  test('of tasks no more than 30 days are asked for, and the run says so', async () => {
    const { run, asked } = scene([]);
    const { notes } = await run(full(start - 40 * day, { resources: ['tasks'] }));
    expect(asked.tasks[0]).toBe(iso(start - 30 * day));
    expect(notes?.['tasks']).toContain(iso(start - 30 * day));
  });

  test('what was wanted before stays wanted', async () => {
    const { db } = database;
    await wantHistory(db, 'brevo', { since: start, channels: ['sms'] });
    await wantHistory(db, 'brevo', { since: start - day, channels: ['voice'] });
    expect(await wantedHistory(db, 'brevo')).toEqual({ since: start - day, channels: ['voice', 'sms'] });
    await wantHistory(db, 'brevo', { since: start });
    expect(await wantedHistory(db, 'brevo')).toEqual({ since: start - day });
    await wantHistory(db, 'brevo', { since: start, channels: ['sms'] });
    expect(await wantedHistory(db, 'brevo')).toEqual({ since: start - day });
  });

  const addContact = (number: number, openedAt: number) =>
    database.db.query(
      `INSERT INTO contacts (number, id, kind, opened_at, contact) VALUES ($1, $2, 'voice', to_timestamp($3::float8 / 1000), '{}')`,
      [number, task(number), openedAt],
    );
});

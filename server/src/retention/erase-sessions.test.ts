import type { TaskSid } from '@flex-custody/core';
import { createCatalog } from '../catalog/create-catalog.ts';
import { switchOn } from '../connectors/changes.ts';
import { claimForgetting, forgotten } from '../connectors/customers-table.ts';
import { follow } from '../connectors/follow.ts';
import { account, clearAll, followDeps } from '../connectors/testing/followed.ts';
import type { Db } from '../db/db.ts';
import { migrate } from '../db/migrate.ts';
import { onEachEngine, type TestDatabase } from '../db/testing/on-each-engine.ts';
import { followBatch } from '../recorder/sessions/kept/follow-inbox.ts';
import { knownFacts } from '../recorder/sessions/kept/known-facts.ts';
import { storeAll } from '../recorder/sessions/testing/stored.ts';
import { Story } from '../recorder/sessions/testing/story.ts';
import { callerDigests, callerOf } from './caller.ts';
import { eraseSessions } from './erase-sessions.ts';
import { noPolicy, readPolicy } from './policy.ts';

jest.setTimeout(120_000);

onEachEngine('sessions without a recording', (open) => {
  let database: TestDatabase;
  let db: Db;
  let counts: Record<string, number>;
  let named: Record<string, string>;
  const digest = callerDigests(Buffer.from('s'.repeat(32)).toString('base64'))!;
  const number = '+34600000001';

  const arrive = async (events: Story['events']) => {
    await storeAll(db, events);
    const facts = knownFacts(undefined, (address) => callerOf(digest, address));
    const deps = {
      db,
      options: async () => ({}),
      apply: async () => undefined,
      log: { warn: () => undefined },
    };
    for (;;) if ((await followBatch(deps, facts)).isEnd) return;
  };
  const call = (seed: number, from = number) => {
    const story = new Story(seed, new Date().toISOString());
    const task = story.inboundCall('Support', { from });
    story.wait(5);
    task.offer('anna').accept().wrapUp().complete();
    task.complete();
    return { story, task: task.sid as TaskSid };
  };
  const erase = async (
    of: Parameters<typeof eraseSessions>[1],
    more: { dryRun?: boolean; policy?: string } = {},
  ) => {
    counts = {};
    named = {};
    const policy = more.policy === undefined ? noPolicy : readPolicy(more.policy);
    const deps = {
      ...{ catalog: createCatalog(db, account), callerDigest: digest, log: { info: () => undefined } },
      policies: { inForce: async () => policy },
    };
    const scene = {
      dryRun: more.dryRun === true,
      count: (name: string) => {
        counts[name] = (counts[name] ?? 0) + 1;
      },
      name: (which: string, what: string) => {
        named[which] = what;
      },
    };
    await eraseSessions(deps, of, scene, new AbortController().signal);
    return counts;
  };
  const rows = async (...tables: string[]) =>
    Promise.all(tables.map(async (table) => (await db.query(`SELECT * FROM ${table}`)).length));
  const followAll = () => follow(followDeps(db), new AbortController().signal);

  beforeAll(async () => {
    database = await open();
    db = database.db;
    await migrate(db);
  }, 120_000);
  afterAll(() => database.drop());
  beforeEach(async () => {
    await clearAll(db);
    await db.query('DELETE FROM recordings');
    await switchOn(db, account);
  });

  test.each([
    ['by its task', (task: TaskSid) => ({ tasks: [task] })],
    ['by its caller', () => ({ callers: [digest(number)] })],
  ])('is erased %s, with its events and what connectors keep, and nothing else', async (_how, of) => {
    const { story, task } = call(1);
    const other = call(2, '+34600000002');
    await arrive([...story.events, ...other.story.events]);
    await followAll();
    expect(await rows('contacts', 'connector_interactions')).toEqual([2, 2]);
    expect(await erase(of(task), { dryRun: true })).toEqual({ sessions_to_be_erased: 1 });
    expect(named[task]).toMatch(/would be erased/);
    expect(await erase(of(task))).toEqual({ sessions_erased: 1 });
    const left = await db.query<{ text: string }>(
      `SELECT data::text AS text FROM agent_events UNION ALL SELECT interaction::text FROM connector_interactions
       UNION ALL SELECT contact::text FROM contacts UNION ALL SELECT wanted::text FROM connector_customers
       UNION ALL SELECT key FROM contact_keys`,
    );
    expect(left.filter(({ text }) => text.includes(task) || text.includes(number))).toEqual([]);
    expect(
      await rows('contacts', 'connector_interactions', 'connector_customers', 'connector_effects'),
    ).toEqual([1, 1, 1, 2]);
    expect(await erase(of(task))).toEqual({});
  });

  test('a conversation is erased with events that name no SID of the inbox', async () => {
    const story = new Story(3, new Date().toISOString());
    const task = story.conversation('Chat', {
      channelType: 'whatsapp',
      customerAddress: `whatsapp:${number}`,
    });
    task.offer('anna').accept().wrapUp().complete();
    task.complete();
    task.close();
    await arrive(story.events);
    expect(await erase({ tasks: [task.sid as TaskSid] })).toEqual({ sessions_erased: 1 });
    expect(await rows('agent_events', 'contacts', 'contact_keys', 'contact_events')).toEqual([0, 0, 0, 0]);
  });

  test('stays while a recording of its call is left, while it is held, and while it lasts', async () => {
    const { story, task } = call(4);
    await arrive(story.events);
    await db.query(
      `INSERT INTO recordings (recording_sid, account_sid, call_sid, task_sid, channels, started_at, source, state)
       VALUES ($1, $2, $3, $4, 2, now(), 'callback', 'absent')`,
      [`RE${'1'.repeat(32)}`, account, `CA${'1'.repeat(32)}`, task],
    );
    expect(await erase({ tasks: [task] })).toEqual({});
    await db.query(`UPDATE recordings SET state = 'erased', erased_at = now()`);
    const holds = (line: string) => `version: 1\nholds:\n  - id: case-1\n    ${line}\n`;
    expect(await erase({ tasks: [task] }, { policy: holds(`tasks: [${task}]`) })).toEqual({ held: 1 });
    expect(await erase({ tasks: [task] }, { policy: holds(`callers: ["${number}"]`) })).toEqual({ held: 1 });
    expect(await rows('contacts')).toEqual([1]);
    const lasting = new Story(5, new Date().toISOString());
    const open = lasting.inboundCall('Support', { from: number });
    await arrive(lasting.events);
    expect(await erase({ callers: [digest(number)] })).toEqual({ sessions_erased: 1, sessions_open: 1 });
    expect(await erase({ tasks: [open.sid as TaskSid] })).toEqual({ sessions_open: 1 });
  });

  test('a customer whom the other system has is forgotten there first; what comes meanwhile is a new one', async () => {
    const { story, task } = call(6);
    const second = call(7);
    await arrive([...story.events, ...second.story.events]);
    await followAll();
    await db.query(
      `UPDATE connector_customers SET sent_version = version, remote_id = '17', state = 'sent', remote_names = '{"lists": [3]}',
         claim = gen_random_uuid(), claimed_until = now() + interval '1 minute'`,
    );
    await erase({ tasks: [task] });
    const customers = () =>
      db.query<{
        id: number;
        state: string;
        version: number;
        sent: number;
        remote_id: string | null;
        claim: string | null;
      }>('SELECT id, state, version, sent_version AS sent, remote_id, claim FROM connector_customers');
    const [kept] = await customers();
    expect([kept?.state, (kept?.version ?? 0) > (kept?.sent ?? 0)]).toEqual(['waiting', true]);
    await erase({ tasks: [second.task] });
    expect(await customers()).toMatchObject([{ state: 'forget', claim: null, remote_id: '17' }]);
    expect(await rows('connector_interactions', 'connector_effects')).toEqual([0, 0]);
    // A claim that was under way may still send: its end comes first.
    expect(await claimForgetting(db, 'brevo', 10, 60_000)).toEqual([]);
    await db.query('UPDATE connector_customers SET due_at = now(), claimed_until = now()');
    const [forgetting, ...others] = await claimForgetting(db, 'brevo', 10, 60_000);
    expect(others).toEqual([]);
    expect(forgetting).toMatchObject({
      remoteId: '17',
      remoteNames: { lists: [3] },
      identifiers: { phone: number },
    });
    const third = call(8);
    await arrive(third.story.events);
    await followAll();
    expect(await customers()).toMatchObject([{ state: 'forget' }]);
    await forgotten(db, forgetting!.id);
    expect(await customers()).toMatchObject([{ state: 'waiting', remote_id: null, sent: 0 }]);
    await erase({ tasks: [third.task] });
    expect(await customers()).toEqual([]);
  });
});

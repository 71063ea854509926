import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AccountSid, ConversationSid, WorkspaceSid } from '@flex-custody/core';
import type { Connection } from '../../packages/twilio/src/connection.ts';
import { conversationsOf, customersOf } from '../../packages/twilio/src/conversations.ts';
import { createAdjustablePace } from '../../packages/twilio/src/pace.ts';
import { taskEvents } from '../../packages/twilio/src/task-events.ts';
import { taskQueues } from '../../packages/twilio/src/task-queues.ts';
import { taskWorkers } from '../../packages/twilio/src/task-workers.ts';
import {
  addMessages,
  closeConversation,
  joinConversation,
  messageMark,
  openConversation,
  type TextChannel,
} from '../../sandbox/src/conversations.ts';
import { type Sandbox, startSandbox } from '../../sandbox/src/index.ts';
import { createCatalog } from '../../server/src/catalog/create-catalog.ts';
import { syncHistory } from '../../server/src/connectors/history/sync.ts';
import type { Db } from '../../server/src/db/db.ts';
import { migrate } from '../../server/src/db/migrate.ts';
import { onEachEngine, type TestDatabase } from '../../server/src/db/testing/on-each-engine.ts';
import { createInbox } from '../../server/src/events/create-inbox.ts';
import { followBatch } from '../../server/src/recorder/sessions/kept/follow-inbox.ts';
import { createRuns, type Json } from '../../server/src/runs/runs.ts';
import { recordingClient } from './recording-client.ts';

const day = 24 * 3_600_000;
const customer = '+34600111222';

let dataDir: string;
let sandbox: Sandbox;
let connection: Connection;
const pace = createAdjustablePace(100, { windowMs: 10, longestMs: 60_000, mostBound: 100 });

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'sandbox-conversations-'));
  sandbox = await startSandbox({
    port: 0,
    dataDir,
    functionsBaseUrl: 'https://flex-custody-4200-dev.twil.io',
    functionsOrigin: 'http://127.0.0.1:9',
    publicHostUrl: 'http://127.0.0.1:4100',
  });
  const client = await recordingClient(sandbox);
  const { accountSid, workspaceSid } = sandbox.account;
  connection = {
    accountSid: accountSid as AccountSid,
    workspaceSid: workspaceSid as WorkspaceSid,
    conversations: async () => client.conversations.v1,
    workspace: async () => client.taskrouter.v1.workspaces(workspaceSid),
  } as Connection;
});
afterAll(async () => {
  await sandbox.close();
  await rm(dataDir, { recursive: true });
});
beforeEach(() => sandbox.twilio.world.conversations.clear());

/** A conversation that was closed, unless it is to last. */
function conversation(channel: TextChannel, at: Date, { messages = 0, lasts = false } = {}) {
  const address = channel === 'webchat' ? 'visitor-7' : customer;
  const one = openConversation(sandbox.twilio.world, { channel, address, at });
  joinConversation(one, 'ada', at);
  addMessages(one, { count: messages, from: at, to: new Date(at.getTime() + 60_000) });
  if (!lasts) closeConversation(one, new Date(at.getTime() + 3_600_000));
  return one;
}

test.each(['sms', 'whatsapp', 'webchat'] as const)(
  'messages of %s are counted over several pages, and nothing of them comes along',
  async (channel) => {
    const one = conversation(channel, new Date(Date.now() - day), { messages: 231 });
    const twilio = conversationsOf(connection, pace);
    const sid = one.sid as ConversationSid;
    const counted = await twilio.messageCount(sid);
    expect(counted).toMatchObject({ messages: 231, byCustomer: 116, byAgent: 115 });
    expect(JSON.stringify(counted)).not.toContain(messageMark);
    const customers = customersOf((await twilio.conversationParticipants(sid)) ?? []);
    expect(customers.map(({ binding, identity }) => binding?.address ?? identity)).toEqual([
      { sms: customer, whatsapp: `whatsapp:${customer}`, webchat: 'visitor-7' }[channel],
    ]);
  },
);

test('workers and queues of the workspace can be read', async () => {
  const found = await taskWorkers(connection, pace).workersPage();
  expect(found?.workers.length).toBeGreaterThan(0);
  expect(found?.next).toBeUndefined();
  expect((await taskQueues(connection, pace).taskQueues())?.length).toBeGreaterThan(0);
});

onEachEngine('an import from the double', (open) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await open();
    await migrate(database.db);
  });
  afterAll(() => database.drop());

  async function sync(db: Db, options: Json) {
    const { accountSid, workspaceSid } = connection;
    const deps = {
      db,
      twilio: {
        ...conversationsOf(connection, pace),
        ...taskEvents(connection, pace),
        account: async () => undefined,
      },
      inbox: createInbox({ db, accounts: [accountSid], log: { warn: () => undefined } }),
      catalog: createCatalog(db, accountSid),
      config: { accountSid, workspaceSid },
      log: { warn: () => undefined },
      now: async () => Date.now() + 120_000,
    };
    const { counts } = await createRuns(db).run('connector-sync', { connector: 'brevo', ...options }, (run) =>
      syncHistory(deps, run),
    );
    const follow = { db, options: async () => ({}), apply: async () => undefined, log: deps.log };
    while (!(await followBatch(follow)).isEnd);
    return counts;
  }

  test('closed conversations of more than one page become contacts, once, and no message is kept', async () => {
    const { db } = database;
    const at = Date.now() - 3 * day;
    for (let n = 0; n < 105; n += 1)
      conversation('sms', new Date(at + n * 1_000), { messages: 2, lasts: n % 35 !== 0 });
    conversation('whatsapp', new Date(at - 200 * day), { messages: 1 });
    const options = {
      type: 'full',
      resources: ['conversations'],
      since: new Date(at - 201 * day).toISOString(),
    };
    expect(await sync(db, options)).toMatchObject({
      ...{ conversations: 106, conversations_open: 102, conversations_missing: 4 },
    });
    const contacts = () =>
      db.query<{ kind: string; seconds: number }>(
        'SELECT kind, extract(epoch FROM closed_at - opened_at)::int AS seconds FROM contacts',
      );
    expect(await contacts()).toEqual(Array(4).fill({ kind: 'text', seconds: 3_601 }));
    expect(await sync(db, options)).toMatchObject({ conversations_missing: 0 });
    expect(await contacts()).toHaveLength(4);
    const stored = JSON.stringify(await db.query('SELECT data FROM agent_events'));
    expect(stored).toContain(`whatsapp:${customer}`);
    expect(stored).not.toContain(messageMark);
  });
});

import { randomUUID } from 'node:crypto';
import type { TaskSid } from '@flex-custody/core';
import { createAudit } from '../access/audit.ts';
import { migrate } from '../db/migrate.ts';
import { onEachEngine, type TestDatabase } from '../db/testing/on-each-engine.ts';
import type { Mapping } from './brevo/mapping.ts';
import { firstTotals, previewOf } from './brevo/preview.ts';
import type { Interaction } from './interaction.ts';
import { type ConnectorApi, type ConnectorApiDeps, createConnectorApi } from './operating.ts';

const task = `WT${'1'.repeat(32)}` as TaskSid;
const hour = 3_600_000;
const openedAt = Date.UTC(2026, 10, 29, 10);
const phone = '+34600123456';

const interaction = (custodyId: string, change: Partial<Interaction> = {}): Interaction => ({
  ...{ custodyId, kind: 'voice', channel: 'voice', direction: 'inbound', outcome: 'resolved' },
  ...{ openedAt, acceptedAt: openedAt + 5_000, closedAt: openedAt + 60_000 },
  ...{ tasks: [task], queueName: 'Sales', waitSeconds: 5, talkSeconds: 50, holdSeconds: 0, wrapUpSeconds: 5 },
  ...{ recordings: [], customer: { address: phone, attributes: { email: 'ada@example.com' } } },
  ...change,
});

/** Sends the phone number, one attribute, and the events of opening and completion. */
const mapping: Mapping = {
  customer: ({ customer }) =>
    customer.address === undefined
      ? { why: 'nothing identifies the customer' }
      : { key: 'phone', identifiers: { phone: customer.address } },
  contact: (one, totals) => ({
    identifiers: { phone: one.customer.address ?? '' },
    attributes: { FIRSTNAME: 'Ada', TOTAL_CONVERSATIONS: totals.conversations },
    listIds: [3],
  }),
  event: (one, trigger) =>
    trigger === 'task.created' || trigger === 'task.completed'
      ? {
          name: trigger.toUpperCase().replace('.', '_'),
          at: new Date(one.openedAt),
          properties: { channel: one.channel },
        }
      : undefined,
  needsBefore: false,
  attributes: [],
  explain: () => [
    {
      rule: 'field_mapping.identity',
      target: 'SMS',
      source: 'address of the customer',
      why: 'it is a phone number',
    },
  ],
};

onEachEngine('what operators do with a connector', (open) => {
  let database: TestDatabase;
  let api: ConnectorApi;
  const deps = (): ConnectorApiDeps => ({
    ...{ db: database.db, audit: createAudit(database.db), connector: 'brevo' },
    preview: (values) => async (one) => previewOf(mapping, one, firstTotals(one), values),
  });
  beforeAll(async () => {
    database = await open();
    await migrate(database.db);
    api = createConnectorApi(deps());
  });
  afterAll(() => database.drop());
  beforeEach(() =>
    database.db.query(
      `DELETE FROM connector_interactions; DELETE FROM connector_customers; DELETE FROM connector_effects;
       DELETE FROM connector_notes; DELETE FROM connector_agent_days; DELETE FROM marks WHERE name = 'connectors';
       DELETE FROM audit; DELETE FROM contact_keys; DELETE FROM connector_changes`,
    ),
  );

  async function keep(one: Interaction, customer?: number): Promise<void> {
    await database.db.query(
      `INSERT INTO connector_interactions (custody_id, connector, contact, customer, interaction, opened_at, channel, sids)
       VALUES ($1::uuid, 'brevo', $2, $3, $4::jsonb, $5, $6, $7)`,
      [
        ...[one.custodyId, 1, customer ?? null, JSON.stringify(one), new Date(one.openedAt), one.channel],
        [...one.tasks],
      ],
    );
  }

  async function effect(custodyId: string, trigger: string, state: string, error?: object, sentAt?: Date) {
    const [row] = await database.db.query<{ id: number }>(
      `INSERT INTO connector_effects (connector, custody_id, trigger, state, happened_at, due_at, error, sent_at, event_name)
       VALUES ('brevo', $1::uuid, $2, $3, now(), now() - interval '1 hour', $4::jsonb, $5, 'NAME') RETURNING id`,
      [custodyId, trigger, state, error ? JSON.stringify(error) : null, sentAt ?? null],
    );
    return row?.id ?? 0;
  }

  async function customer(): Promise<number> {
    const [row] = await database.db.query<{ id: number }>(
      `INSERT INTO connector_customers (connector, digest, version, sent_version, state)
       VALUES ('brevo', 'd', 2, 2, 'sent') RETURNING id`,
    );
    return row?.id ?? 0;
  }

  test('the status of a connector that is off, and of one at work', async () => {
    expect(await api.connectorStatus()).toMatchObject({
      ...{ connector: 'brevo', connected: false, lastSync: null, conversationsTracked: 0, pending: 0 },
      rate: { eventsLastMinute: 0 },
    });
    await database.db.query(`INSERT INTO marks (account_sid, name, mark) VALUES ('AC1', 'connectors', '{}')`);
    const [one, two] = [randomUUID(), randomUUID()];
    await keep(interaction(one), await customer());
    await effect(one, 'task.created', 'sent', undefined, new Date());
    await effect(one, 'task.completed', 'waiting');
    await effect(two, 'task.created', 'failed', { code: 'invalid_parameter' });
    await effect(two, 'task.completed', 'uncertain');
    await database.db.query(
      `INSERT INTO connector_agent_days VALUES (current_date, 'WK1', 'handled', 2), (current_date - 90, 'WK2', 'handled', 1)`,
    );
    const status = await api.connectorStatus();
    expect(status).toMatchObject({
      ...{ connected: true, conversationsTracked: 1, customersLinked: 1, agentsMonitored: 1 },
      ...{ pending: 1, failed: 1, uncertain: 1, rate: { eventsLastMinute: 1 } },
    });
    expect(Date.now() - Date.parse(status.lastSync ?? '')).toBeLessThan(hour);
    expect(status.behindSeconds).toBeGreaterThanOrEqual(3_600);
    await database.db.query(
      `INSERT INTO connector_notes (connector, name, note) VALUES ('brevo', 'paused', '{"reason": "key", "since": 0}')`,
    );
    expect(await api.connectorStatus()).toMatchObject({ connected: false, paused: { reason: 'key' } });
  });

  test('dead letters are listed in pages, with their task and the reason', async () => {
    const id = randomUUID();
    await keep(interaction(id));
    const first = await effect(id, 'task.created', 'failed', { code: 'invalid_parameter', message: 'no' });
    const second = await effect(randomUUID(), 'task.created', 'failed');
    await effect(id, 'task.completed', 'sent');
    expect(await api.failedEffects({ limit: 1 })).toMatchObject([
      { id: first, sids: [task], code: 'invalid_parameter', message: 'no', eventName: 'NAME' },
    ]);
    expect(await api.failedEffects({ limit: 5, after: first })).toMatchObject([{ id: second, sids: [] }]);
    // The second one's interaction is gone.
    expect(await api.retryEffects('all')).toEqual({ retried: 1 });
    expect(await api.failedEffects({ limit: 5 })).toMatchObject([{ id: second }]);
  });

  test("agents' days are those of the period, both ends included", async () => {
    await database.db.query(
      `INSERT INTO connector_agent_days VALUES ('2026-11-27', 'WK1', 'handled', 1), ('2026-11-28', 'WK1', 'handled', 2),
         ('2026-11-29', 'WK1', 'handled', 3), ('2026-11-30', 'WK1', 'handled', 4)`,
    );
    expect(await api.agentDays({ from: '2026-11-28', to: '2026-11-29' })).toEqual([
      { day: '2026-11-28', worker: 'WK1', activities: {}, handled: 2, transferred: 0, wrapUpSeconds: 0 },
      { day: '2026-11-29', worker: 'WK1', activities: {}, handled: 3, transferred: 0, wrapUpSeconds: 0 },
    ]);
  });

  test('a task is explained without the values of its customer', async () => {
    const id = randomUUID();
    await keep(interaction(id), await customer());
    await effect(id, 'task.created', 'sent', undefined, new Date());
    const found = await api.explainTask({ task, values: false });
    expect(found).toMatchObject({
      custodyId: id,
      interaction: { channel: 'voice', queueName: 'Sales' },
      contact: {
        ...{ state: 'sent', isSent: true, lists: [3] },
        identifiers: { phone: '(text of 12)' },
        attributes: { FIRSTNAME: '(text of 3)', TOTAL_CONVERSATIONS: '(number)' },
      },
      rules: [{ target: 'SMS' }],
      events: [
        { trigger: 'task.created', name: 'NAME', state: 'sent', properties: { channel: 'voice' } },
        { trigger: 'task.completed', name: 'TASK_COMPLETED', state: 'none' },
      ],
    });
    expect(found.why).toBeUndefined();
    expect(JSON.stringify(found)).not.toMatch(/34600123456|ada@example/);
    expect(await database.db.query('SELECT 1 FROM audit')).toEqual([]);
  });

  test('the values of a customer leave an entry in the audit log', async () => {
    await keep(interaction(randomUUID()));
    const found = await api.explainTask({ task, values: true });
    expect(found.contact?.identifiers).toEqual({ phone });
    expect(await database.db.query('SELECT action, recording_sid AS sid, viewer FROM audit')).toEqual([
      { action: 'connector.values', sid: task, viewer: 'operator' },
    ]);
  });

  test('why nothing of a task is sent', async () => {
    const why = async () => (await api.explainTask({ task, values: false })).why;
    expect(await why()).toContain('its events have not come');
    await database.db.query('INSERT INTO contact_keys VALUES ($1, -7)', [task]);
    expect(await why()).toContain('the recorder has it');
    await database.db.query('INSERT INTO connector_changes (contact) VALUES (7)');
    expect(await why()).toContain('run this again');
    const id = randomUUID();
    await keep(interaction(id, { customer: { attributes: {} } }));
    const found = await api.explainTask({ task, values: false });
    expect(found.why).toBe('nothing identifies the customer');
    expect(found.events).toEqual([]);
    await database.db.query('UPDATE connector_interactions SET interaction = NULL');
    await effect(id, 'task.created', 'sent');
    expect(await api.explainTask({ task, values: false })).toMatchObject({
      why: expect.stringContaining('erased'),
      events: [{ state: 'sent' }],
    });
    const off = createConnectorApi({ ...deps(), preview: () => undefined });
    await expect(off.explainTask({ task, values: true })).rejects.toMatchObject({
      code: 'connector_off',
      status: 409,
    });
    expect(await database.db.query('SELECT 1 FROM audit')).toEqual([]);
  });
});

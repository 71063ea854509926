import { isDeepStrictEqual } from 'node:util';
import { until } from '../../../test/support/until.ts';
import type { Db } from '../db/db.ts';
import { buildIndexes } from '../db/indexes.ts';
import { migrate } from '../db/migrate.ts';
import { onEachEngine, type TestDatabase } from '../db/testing/on-each-engine.ts';
import { retryFailed } from './outbox-counts.ts';
import { outboxRig, type Rig } from './testing/outbox-rig.ts';

onEachEngine('delivery', (open) => {
  let opened: TestDatabase;
  let db: Db;
  let rig: Rig;
  const running: { stop(): Promise<void> }[] = [];
  const start = (...over: Parameters<Rig['start']>) => {
    const one = rig.start(...over);
    running.push(one);
    return one;
  };
  beforeAll(async () => {
    opened = await open();
    db = opened.db;
    await migrate(db);
    await buildIndexes(db);
  });
  beforeEach(async () => {
    await db.query(
      'TRUNCATE connector_customers, connector_interactions, connector_effects, connector_notes',
    );
    rig = outboxRig(db);
  });
  afterEach(async () => {
    for (const one of running.splice(0)) await one.stop();
  });
  afterAll(() => opened.drop());

  const reaches = (states: Record<string, number>) =>
    until(async () => isDeepStrictEqual(await rig.states(), states));
  const one = async (over?: Parameters<Rig['effect']>[3]) => {
    const customer = await rig.customer();
    const interaction = await rig.interaction(customer);
    await rig.effect(customer, interaction, 'task.created', over);
    return { customer, interaction };
  };
  const named = (name: string) => rig.brevo.calls.filter((call) => call.name === name);
  /** What was begun of customers is written. */
  const ended = () =>
    until(
      async () => (await db.query('SELECT 1 FROM connector_customers WHERE claim IS NOT NULL')).length === 0,
    );
  /** Claims of a process that is no more have ended. */
  const endClaims = () =>
    db.query(`UPDATE connector_customers SET claimed_until = now() - interval '1 second';
      UPDATE connector_effects SET due_at = now() WHERE state = 'waiting';
      UPDATE connector_effects SET try_until = now() - interval '1 second' WHERE state = 'sending'`);

  test('the contact is sent first, then its events in their order; what has not changed is sent once', async () => {
    const { customer, interaction } = await one();
    await rig.effect(customer, interaction, 'task.completed');
    start();
    await reaches({ sent: 2 });
    expect(rig.brevo.calls.map(({ name }) => name)).toEqual([
      'attributes',
      'putContact',
      'sendEvent',
      'sendEvent',
    ]);
    expect(rig.brevo.received).toEqual([
      {
        contact: 1,
        event: expect.objectContaining({ name: 'SUPPORT_REQUESTED', identifiers: { contactId: 1 } }),
      },
      { contact: 1, event: expect.objectContaining({ name: 'SUPPORT_RESOLVED' }) },
    ]);
    expect(rig.brevo.contacts.get(1)).toEqual({
      identifiers: { phone: '+34600000001' },
      attributes: { FIRSTNAME: 'Ana', TOTAL: 1 },
      listIds: [7],
    });
    await ended();
    const [row] = await db.query('SELECT state, remote_id, remote_names, claim FROM connector_customers');
    expect(row).toEqual({
      ...{ state: 'sent', remote_id: '1', claim: null },
      remote_names: { attributes: ['FIRSTNAME', 'SMS', 'TOTAL'], lists: [7] },
    });
    // A change that makes the same contact asks nothing of Brevo.
    await db.query(`UPDATE connector_customers SET version = version + 1, state = 'waiting', due_at = now()`);
    const more = await rig.interaction(customer, {
      openedAt: Date.UTC(2026, 5, 2),
      customer: interaction.customer,
    });
    await rig.effect(customer, more, 'task.completed');
    await reaches({ sent: 3 });
    expect(named('putContact')).toHaveLength(2);
    expect(rig.brevo.contacts.get(1)?.attributes).toEqual({ FIRSTNAME: 'Ana', TOTAL: 2 });
  });

  test('what is not due yet waits', async () => {
    await one({ dueInMs: 60_000 });
    start();
    await until(() => named('putContact').length === 1);
    await until(
      async () => (await db.query(`SELECT FROM connector_customers WHERE state = 'sent'`)).length === 1,
    );
    expect(await rig.states()).toEqual({ waiting: 1 });
  });

  test('what was not taken is sent later, and what comes behind it waits', async () => {
    const { customer, interaction } = await one();
    await rig.effect(customer, interaction, 'task.completed');
    rig.brevo.next('putContact', { kind: 'later', status: 503 });
    rig.brevo.next('sendEvent', { kind: 'later', status: 429, afterMs: 100 }, { kind: 'later' });
    start();
    await reaches({ sent: 2 });
    expect(rig.brevo.received.map(({ event }) => event.name)).toEqual([
      'SUPPORT_REQUESTED',
      'SUPPORT_RESOLVED',
    ]);
    expect(named('putContact')).toHaveLength(2);
    const [first] = await db.query(`SELECT attempts, error FROM connector_effects ORDER BY id LIMIT 1`);
    expect(first).toEqual({ attempts: 3, error: null });
  });

  test('a refused event is a dead letter, and is sent again when it is asked for', async () => {
    await one();
    const refused = {
      kind: 'refused',
      status: 400,
      code: 'invalid_parameter',
      message: 'event_date',
    } as const;
    rig.brevo.next('sendEvent', refused);
    start();
    await reaches({ failed: 1 });
    expect(await db.query('SELECT error FROM connector_effects')).toEqual([
      { error: { code: 'invalid_parameter', message: 'event_date', status: 400 } },
    ]);
    expect(await retryFailed(db, 'brevo', 'all')).toBe(1);
    await reaches({ sent: 1 });
    expect(rig.brevo.received).toHaveLength(1);
  });

  test('a refused contact fails its events, is not asked for again until it changes, and can be retried', async () => {
    const { customer, interaction } = await one();
    rig.brevo.always('putContact', {
      kind: 'refused',
      status: 400,
      code: 'invalid_parameter',
      message: 'SMS',
    });
    start();
    await reaches({ failed: 1 });
    await rig.effect(customer, interaction, 'task.completed');
    await reaches({ failed: 2 });
    expect(named('putContact')).toHaveLength(1);
    rig.brevo.always('putContact');
    const [, second] = await db.query<{ id: number }>('SELECT id FROM connector_effects ORDER BY id');
    expect(await retryFailed(db, 'brevo', [second?.id ?? 0])).toBe(1);
    await reaches({ failed: 1, sent: 1 });
    expect(await retryFailed(db, 'brevo', 'all')).toBe(1);
    await reaches({ sent: 2 });
  });

  test('an event whose request was cut off is looked up: one that Brevo has is not sent again', async () => {
    await one();
    rig.brevo.next('sendEvent', { kind: 'takenButUnknown' });
    start();
    await reaches({ sent: 1 });
    expect(named('sendEvent')).toHaveLength(1);
    expect(named('events').length).toBeGreaterThan(0);
    expect(rig.brevo.received).toHaveLength(1);
  });

  test('one that Brevo has not is sent again after three looks and the time for it, not before', async () => {
    await one();
    rig.brevo.next('sendEvent', { kind: 'unknown' });
    const since = Date.now();
    start();
    await reaches({ sent: 1 });
    expect(Date.now() - since).toBeGreaterThanOrEqual(2_000);
    expect(named('sendEvent')).toHaveLength(2);
    expect(named('events').length).toBeGreaterThanOrEqual(3);
    expect(rig.brevo.received).toHaveLength(1);
  });

  test('a look that Brevo could not answer, or not in full, decides nothing', async () => {
    await one();
    rig.brevo.next('sendEvent', { kind: 'takenButUnknown' });
    const cut = { kind: 'done', value: { events: [], isWhole: false } } as const;
    rig.brevo.next('events', { kind: 'later', status: 429 }, cut as never, cut as never);
    rig.brevo.always('sendEvent', { kind: 'refused', status: 400, code: 'sent_twice', message: '' });
    start();
    await until(async () => {
      await db.query(
        `UPDATE connector_effects SET due_at = now(), try_until = now() - interval '1 hour' WHERE state = 'uncertain'`,
      );
      return isDeepStrictEqual(await rig.states(), { sent: 1 });
    });
    expect(named('sendEvent')).toHaveLength(1);
  });

  test('after a kill between the note and the request, or behind it, each event is there once', async () => {
    const taken = await one();
    const { customer, interaction } = await one();
    await db.query(
      `UPDATE connector_effects SET state = 'sending', try = gen_random_uuid(), try_until = now() - interval '10 s',
         event_name = 'SUPPORT_REQUESTED', event_at = happened_at`,
    );
    await db.query(
      `UPDATE connector_customers SET claim = gen_random_uuid(), claimed_until = now() + interval '1 h'`,
    );
    const at = new Date(taken.interaction.openedAt);
    const properties = { custody_id: taken.interaction.custodyId };
    rig.brevo.received.push({
      contact: 1,
      event: { name: 'SUPPORT_REQUESTED', at, identifiers: {}, properties },
    });
    await endClaims();
    start();
    await reaches({ sent: 2 });
    const ids = rig.brevo.received.map(({ event }) => event.properties['custody_id']);
    expect(ids.sort()).toEqual([taken.interaction.custodyId, interaction.custodyId].sort());
    expect(customer).toBeGreaterThan(0);
  });

  test('with ten uncertain events no new event is sent, and contacts are', async () => {
    for (let n = 0; n < 11; n += 1) await one();
    await db.query(
      `UPDATE connector_effects SET state = 'uncertain', due_at = now() + interval '1 hour', try_until = now(),
         event_name = 'SUPPORT_REQUESTED', event_at = happened_at
       WHERE id IN (SELECT id FROM connector_effects ORDER BY id LIMIT 10)`,
    );
    start();
    await until(
      async () => (await db.query(`SELECT FROM connector_customers WHERE state = 'sent'`)).length === 11,
    );
    expect(named('sendEvent')).toEqual([]);
    await db.query(`UPDATE connector_effects SET state = 'sent' WHERE state = 'uncertain'`);
    await reaches({ sent: 11 });
    expect(named('sendEvent')).toHaveLength(1);
  });

  test.each(['sendEvent', 'putContact'] as const)(
    'a key that Brevo refuses at %s pauses everything with an alarm; a probe that succeeds resumes it, and nothing is lost',
    async (request) => {
      for (let n = 0; n < 5; n += 1) await one();
      const pause = { kind: 'pause', reason: 'key', status: 401, code: 'unauthorized' } as const;
      rig.brevo.always(request, pause);
      rig.brevo.always('account', pause);
      start();
      await until(() => rig.alarms.has('brevo_paused'));
      expect(rig.alarms.get('brevo_paused')).toMatch(/^key \(401\): .*CUSTODY_BREVO_API_KEY/);
      const asked = () => named(request).length;
      const probeNow = () => db.query('UPDATE connector_notes SET at = now()');
      await until(async () => {
        await probeNow();
        return named('account').length >= 2;
      });
      const before = asked();
      await probeNow();
      await until(() => named('account').length >= 3);
      expect(asked()).toBe(before);
      // The account answers, but the requests are refused still: one is tried, and the pause stays.
      rig.brevo.always('account');
      await until(async () => {
        await probeNow();
        return asked() > before;
      });
      expect(rig.alarms.has('brevo_paused')).toBe(true);
      rig.brevo.always(request);
      await until(async () => {
        await probeNow();
        return !rig.alarms.has('brevo_paused');
      });
      await reaches({ sent: 5 });
      expect(rig.brevo.received).toHaveLength(5);
      expect(await db.query('SELECT FROM connector_notes')).toEqual([]);
    },
  );

  test('events of the past are sent in batches, and one that Brevo refuses in a batch fails alone', async () => {
    for (let n = 0; n < 20; n += 1) {
      const { customer, interaction } = await one({ isHistory: true });
      if (n === 3) await rig.effect(customer, interaction, 'task.canceled', { isHistory: true });
    }
    start();
    await reaches({ failed: 1, sent: 20 });
    expect(named('sendEvents').length).toBeGreaterThan(0);
    expect(rig.brevo.calls.filter(({ name }) => name.startsWith('sendEvent')).length).toBeLessThan(20);
    expect(new Set(rig.brevo.received.map(({ event }) => event.properties['custody_id'])).size).toBe(20);
    expect(rig.brevo.received).toHaveLength(20);
  });

  test('several processes at once send each event once', async () => {
    for (let n = 0; n < 60; n += 1) await one();
    for (let n = 0; n < 3; n += 1) start({ atOnce: 8 });
    await reaches({ sent: 60 });
    expect(rig.brevo.received).toHaveLength(60);
    expect(new Set(rig.brevo.received.map(({ event }) => event.properties['custody_id'])).size).toBe(60);
  });

  test('a process that ends finishes its requests and begins none', async () => {
    for (let n = 0; n < 40; n += 1) await one();
    let give: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      give = resolve;
    });
    rig.brevo.before = (name) => (name === 'sendEvent' ? held : undefined);
    const process = start();
    await until(() => named('sendEvent').length === 10);
    const stopped = process.stop();
    give();
    await stopped;
    const states = await rig.states();
    expect(Object.keys(states).sort()).toEqual(['sent', 'waiting']);
    expect(rig.brevo.received).toHaveLength(states['sent'] ?? 0);
    expect(await db.query('SELECT FROM connector_customers WHERE claim IS NOT NULL')).toEqual([]);
    start();
    await reaches({ sent: 40 });
    expect(rig.brevo.received).toHaveLength(40);
  });

  test('what was erased, or has no rule, is dropped', async () => {
    const { customer, interaction } = await one();
    await rig.effect(customer, interaction, 'task.accepted');
    const other = await rig.interaction(customer);
    await rig.effect(customer, other, 'task.created');
    await db.query('UPDATE connector_interactions SET interaction = NULL WHERE custody_id = $1', [
      other.custodyId,
    ]);
    start();
    await reaches({ dropped: 2, sent: 1 });
    expect(await db.query(`SELECT error FROM connector_effects WHERE state = 'dropped' ORDER BY id`)).toEqual(
      [{ error: { code: 'no_rule' } }, { error: { code: 'erased' } }],
    );
  });
});

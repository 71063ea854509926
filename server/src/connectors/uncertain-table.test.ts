import type { Db } from '../db/db.ts';
import { buildIndexes } from '../db/indexes.ts';
import { migrate } from '../db/migrate.ts';
import { onEachEngine, type TestDatabase } from '../db/testing/on-each-engine.ts';
import { claimForgetting } from './customers-table.ts';
import { claimDue } from './outbox-table.ts';
import { outboxRig, type Rig } from './testing/outbox-rig.ts';
import { beginBatch, mostUncertain, mostUncertainHistory, uncertainRoom } from './uncertain-table.ts';

onEachEngine('room for uncertain effects, and claims', (open) => {
  let opened: TestDatabase;
  let db: Db;
  let rig: Rig;
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
  afterAll(() => opened.drop());

  const add = async (isHistory: boolean, dueInMs = 0) => {
    const customer = await rig.customer();
    const interaction = await rig.interaction(customer);
    const id = await rig.effect(customer, interaction, 'task.created', { isHistory, dueInMs });
    return { customer, id, custodyId: interaction.custodyId };
  };
  const become = (ids: readonly number[], state: string) =>
    db.query('UPDATE connector_effects SET state = $2 WHERE id = ANY($1::bigint[])', [ids, state]);
  const tryOf = ({ id, custodyId }: { id: number; custodyId: string }) => ({
    ...{ id, custodyId, eventName: 'SUPPORT_REQUESTED', eventAt: new Date(0) },
  });
  const attempt = '00000000-0000-4000-8000-000000000001';

  test('events of the past take no room of live ones, and the other way round', async () => {
    expect(await uncertainRoom(db, 'brevo')).toEqual({ live: mostUncertain, history: mostUncertainHistory });
    const live = [await add(false), await add(false), await add(false)];
    const past = [await add(true), await add(true)];
    await become([live[0]?.id ?? 0, live[1]?.id ?? 0], 'uncertain');
    await become([live[2]?.id ?? 0], 'sending');
    await become([past[0]?.id ?? 0], 'uncertain');
    await become([past[1]?.id ?? 0], 'sending');
    expect(await uncertainRoom(db, 'brevo')).toEqual({
      live: mostUncertain - 2,
      history: mostUncertainHistory - 2,
    });
    expect(await uncertainRoom(db, 'other')).toEqual({ live: mostUncertain, history: mostUncertainHistory });
  });

  test('a batch begins as many as there is room for, whichever process began the others', async () => {
    const before = await add(true);
    await become([before.id], 'uncertain');
    await db.query(
      `INSERT INTO connector_effects (connector, custody_id, trigger, state, is_history, happened_at, due_at)
       SELECT 'brevo', gen_random_uuid(), 'task.created', 'sending', true, now(), now() FROM generate_series(1, $1)`,
      [mostUncertainHistory - 3],
    );
    const all = [await add(true), await add(true), await add(true)];
    const first = await beginBatch(db, 'brevo', all.map(tryOf), attempt);
    expect(first).toEqual({ ids: new Set(all.slice(0, 2).map(({ id }) => id)), room: 2 });
    expect(await beginBatch(db, 'brevo', all.slice(2).map(tryOf), attempt)).toEqual({
      ids: new Set(),
      room: 0,
    });
    expect((await rig.states())['waiting']).toBe(1);
  });

  test('two processes at once do not exceed the room', async () => {
    const all = await Promise.all([add(true), add(true), add(true), add(true)]);
    await db.query(
      `INSERT INTO connector_effects (connector, custody_id, trigger, state, is_history, happened_at, due_at)
       SELECT 'brevo', gen_random_uuid(), 'task.created', 'uncertain', true, now(), now() FROM generate_series(1, $1)`,
      [mostUncertainHistory - 2],
    );
    const begun = await Promise.all(all.map((one) => beginBatch(db, 'brevo', [tryOf(one)], attempt)));
    expect(begun.flatMap(({ ids }) => [...ids])).toHaveLength(2);
  });

  test('a claim takes live effects before those of the past, however long these have been due', async () => {
    for (let n = 0; n < 5; n += 1) await add(true, -3_600_000);
    const { customer } = await add(false);
    await db.query(`UPDATE connector_customers SET state = 'sent', sent_version = version`);
    const [first, ...others] = await claimDue(db, 'brevo', 1);
    expect([first?.id, others]).toEqual([customer, []]);
    expect(first?.effects).toHaveLength(1);
  });

  test.each([
    [{ live: true, history: false }, [false]],
    [{ live: false, history: true }, [true]],
    [{ live: false, history: false }, []],
  ])('a claim of %j has these effects of its customer', async (take, expected) => {
    const { customer } = await add(false);
    const past = await rig.interaction(customer);
    await rig.effect(customer, past, 'task.created', { isHistory: true });
    const [claimed] = await claimDue(db, 'brevo', 10, take);
    expect(claimed?.effects.map(({ isHistory }) => isHistory)).toEqual(expected);
  });

  test('a customer whose contact is being sent is not forgotten before its claim ends', async () => {
    const { customer } = await add(false);
    await claimDue(db, 'brevo', 1);
    await db.query(`UPDATE connector_customers SET state = 'forget', due_at = now()`);
    expect(await claimForgetting(db, 'brevo', 10, 1_000)).toEqual([]);
    await db.query(`UPDATE connector_customers SET claimed_until = now() - interval '1 second'`);
    expect(await claimForgetting(db, 'brevo', 10, 1_000)).toMatchObject([{ id: customer }]);
  });
});

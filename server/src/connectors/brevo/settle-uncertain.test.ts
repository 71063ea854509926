import type { Db } from '../../db/db.ts';
import { migrate } from '../../db/migrate.ts';
import { onEachEngine, type TestDatabase } from '../../db/testing/on-each-engine.ts';
import { outboxRig, type Rig } from '../testing/outbox-rig.ts';
import type { UncertainEffect } from '../uncertain-table.ts';
import type { BrevoFound, BrevoOutcome } from './brevo-api.ts';
import { groupsOf, partsOf, settleUncertain } from './settle-uncertain.ts';

const hourMs = 3_600_000;
const uncertain = (eventName: string, hours: number, isHistory = false): UncertainEffect => ({
  ...{ id: hours, custodyId: String(hours), eventName, eventAt: new Date(hours * hourMs), isHistory },
  ...{ looks: 0, sinceMs: 0 },
});
const ids = (groups: readonly (readonly UncertainEffect[])[]) => groups.map((one) => one.map(({ id }) => id));

test('one look for each name; those of the past have their own', () => {
  const all = [uncertain('A', 5), uncertain('B', 2), uncertain('A', 900, true), uncertain('A', 1)];
  expect(ids(groupsOf(all))).toEqual([[1, 5], [2], [900]]);
});

test('a group whose answer is cut is divided where most time is between its events', () => {
  const of = (...hours: number[]) => hours.map((hour) => uncertain('A', hour, true));
  expect(ids(partsOf(of(1, 2, 3, 900)))).toEqual([[1, 2, 3], [900]]);
  expect(ids(partsOf(of(1, 600, 900)))).toEqual([[1], [600, 900]]);
  expect(ids(partsOf(of(7, 7, 7, 7)))).toEqual([
    [7, 7],
    [7, 7],
  ]);
});

onEachEngine('settling uncertain events', (open) => {
  let opened: TestDatabase;
  let db: Db;
  let rig: Rig;
  beforeAll(async () => {
    opened = await open();
    db = opened.db;
    await migrate(db);
  });
  beforeEach(async () => {
    await db.query(
      'TRUNCATE connector_customers, connector_interactions, connector_effects, connector_notes',
    );
    rig = outboxRig(db);
  });
  afterAll(() => opened.drop());

  const month = Date.UTC(2026, 0, 1);
  /** A batch that was cut off: events of two names, hours apart. */
  const cutOff = async (count: number) => {
    const customer = await rig.customer();
    for (let n = 0; n < count; n += 1) {
      const openedAt = month + n * hourMs;
      const interaction = await rig.interaction(customer, { openedAt, closedAt: openedAt + 60_000 });
      await rig.effect(customer, interaction, n % 2 === 0 ? 'task.created' : 'task.completed', {
        isHistory: true,
      });
    }
    await db.query(
      `UPDATE connector_effects SET state = 'uncertain', try = gen_random_uuid(), try_until = now(), event_at = happened_at,
         event_name = CASE trigger WHEN 'task.created' THEN 'SUPPORT_REQUESTED' ELSE 'SUPPORT_RESOLVED' END`,
    );
    return db.query<{ name: string; at: Date; id: string }>(
      'SELECT event_name AS name, event_at AS at, custody_id AS id FROM connector_effects ORDER BY id',
    );
  };
  const signal = new AbortController().signal;
  const settle = async (
    answer: (of: {
      from: Date;
      to: Date;
      name?: string;
    }) => BrevoOutcome<{ events: BrevoFound[]; isWhole: boolean }>,
  ) => {
    const asked: string[] = [];
    await settleUncertain(
      {
        ...{ db, connector: 'brevo', resendAfterMs: hourMs, chance: () => 0, onPause: async () => undefined },
        brevo: {
          async events(of) {
            asked.push(of.name ?? '');
            return answer({ from: of.from, to: of.to, ...(of.name !== undefined && { name: of.name }) });
          },
        },
      },
      signal,
    );
    return asked;
  };

  test('a whole batch is settled by one look for each name', async () => {
    const all = await cutOff(200);
    const events = all.map(({ name, at, id }) => ({ name, at, properties: { custody_id: id } }));
    const asked = await settle(({ name }) => ({
      kind: 'done',
      value: { events: events.filter((one) => one.name === name), isWhole: true },
    }));
    expect(asked.sort()).toEqual(['SUPPORT_REQUESTED', 'SUPPORT_RESOLVED']);
    expect(await rig.states()).toEqual({ sent: 200 });
  });

  test('an answer that is cut divides the period until each is known', async () => {
    const all = await cutOff(8);
    const most = 2;
    const asked = await settle(({ from, name, to }) => {
      const found = all
        .filter((one) => one.name === name && one.at >= from && one.at <= to)
        .map(({ at, id, name: of }) => ({ at, name: of, properties: { custody_id: id } }));
      return { kind: 'done', value: { events: found.slice(-most), isWhole: found.length <= most } };
    });
    expect(await rig.states()).toEqual({ sent: 8 });
    expect(asked.length).toBeLessThan(8);
  });

  test('one that was not found is looked for again later, and is sent again after three looks and its time', async () => {
    await cutOff(1);
    const missing = (): BrevoOutcome<{ events: BrevoFound[]; isWhole: boolean }> => ({
      kind: 'done',
      value: { events: [], isWhole: true },
    });
    for (const looks of [1, 2]) {
      await settle(missing);
      const [row] = await db.query('SELECT state, looked_up, due_at > now() AS later FROM connector_effects');
      expect(row).toEqual({ state: 'uncertain', looked_up: looks, later: true });
      expect(await settle(missing)).toEqual([]);
      await db.query(`UPDATE connector_effects SET due_at = now()`);
    }
    await db.query(`UPDATE connector_effects SET try_until = now() - interval '61 minutes'`);
    await settle(missing);
    expect(await rig.states()).toEqual({ waiting: 1 });
  });

  test.each([
    ['Brevo could not answer', { kind: 'later', status: 503 } as const],
    ['the key is refused', { kind: 'pause', reason: 'key', status: 401 } as const],
  ])('where %s, a look does not count', async (_what, outcome) => {
    await cutOff(1);
    await settle(() => outcome);
    const [row] = await db.query('SELECT state, looked_up, due_at > now() AS later FROM connector_effects');
    expect(row).toEqual({ state: 'uncertain', looked_up: 0, later: true });
  });
});

import type { Db } from '../db/db.ts';
import { migrate } from '../db/migrate.ts';
import { onEachEngine, type TestDatabase } from '../db/testing/on-each-engine.ts';
import { countOutbox, retryFailed } from './outbox-counts.ts';
import { pauseNotes } from './pause-note.ts';
import { outboxRig, type Rig } from './testing/outbox-rig.ts';
import { watchOutbox } from './watch-outbox.ts';

onEachEngine('watching the outbox', (open) => {
  let opened: TestDatabase;
  let db: Db;
  let rig: Rig;
  const alarms = new Map<string, string>();
  beforeAll(async () => {
    opened = await open();
    db = opened.db;
    await migrate(db);
  });
  beforeEach(async () => {
    await db.query(
      'TRUNCATE connector_customers, connector_interactions, connector_effects, connector_notes',
    );
    alarms.clear();
    rig = outboxRig(db);
  });
  afterAll(() => opened.drop());

  const notes = () => pauseNotes(db, 'brevo');
  const watch = async () => {
    await watchOutbox({
      ...{ db, connector: 'brevo', notes: notes() },
      alarms: {
        raise: async (code, _subject, detail) => void alarms.set(code, detail),
        resolve: async (codes) => {
          for (const code of codes) alarms.delete(code);
        },
      },
    });
    return Object.fromEntries(alarms);
  };
  const add = async (set: string, over?: Parameters<Rig['effect']>[3]) => {
    const customer = await rig.customer();
    await rig.effect(customer, await rig.interaction(customer), 'task.created', over);
    await db.query(`UPDATE connector_effects SET ${set} WHERE customer = $1`, [customer]);
    return customer;
  };
  const refuseContact = (customer: number) =>
    db.query(`UPDATE connector_customers SET state = 'failed', error = '{"code":"x"}' WHERE id = $1`, [
      customer,
    ]);

  test('nothing is wrong', async () => {
    await add(`state = 'sent'`);
    await add(`state = 'waiting'`);
    expect(await watch()).toEqual({});
  });

  test('dead letters and refused contacts are one alarm, until none is left', async () => {
    await add(`state = 'failed'`);
    expect(await watch()).toEqual({ brevo_failed: '1 dead letters' });
    await refuseContact(await add(`state = 'sent'`));
    expect(await watch()).toEqual({ brevo_failed: '1 dead letters, 1 refused contacts' });
    expect(await retryFailed(db, 'brevo', 'all')).toBe(2);
    expect(await watch()).toEqual({});
    expect(await db.query(`SELECT error FROM connector_customers WHERE error IS NOT NULL`)).toEqual([]);
  });

  test('a refused contact without an event is an alarm of its own, and is sent again when that is asked for', async () => {
    await refuseContact(await rig.customer());
    expect(await watch()).toEqual({ brevo_failed: '1 refused contacts' });
    expect(await retryFailed(db, 'brevo', [1])).toBe(0);
    expect(await countOutbox(db, 'brevo')).toMatchObject({ failedContacts: 1 });
    expect(await retryFailed(db, 'brevo', 'all')).toBe(1);
    expect(await countOutbox(db, 'brevo')).toMatchObject({ failedContacts: 0 });
  });

  test('an event that has been uncertain for a day is an alarm, a later one is not', async () => {
    await add(`state = 'uncertain', try_until = now() - interval '23 hours'`);
    expect(await watch()).toEqual({});
    await add(`state = 'uncertain', try_until = now() - interval '25 hours'`);
    expect(await watch()).toEqual({ brevo_uncertain: '2 are uncertain' });
    await db.query(`UPDATE connector_effects SET state = 'sent'`);
    expect(await watch()).toEqual({});
  });

  test.each([false, true])(
    'what has been due for over an hour is an alarm (of the past: %s)',
    async (isHistory) => {
      await add(`due_at = now() - interval '59 minutes'`, { isHistory });
      expect(await watch()).toEqual({});
      await add(`due_at = now() - interval '61 minutes'`, { isHistory });
      expect(await watch()).toEqual({ brevo_behind: '61 minutes' });
      await db.query(`UPDATE connector_effects SET state = 'sent'`);
      expect(await watch()).toEqual({});
    },
  );

  test('during a pause being behind is no alarm, and one of before stays', async () => {
    await add(`due_at = now() - interval '2 hours'`);
    await notes().pause({ reason: 'key', status: 401 });
    expect(await watch()).toEqual({});
    await notes().resume();
    expect(await watch()).toEqual({ brevo_behind: '120 minutes' });
    await notes().pause({ reason: 'key', status: 401 });
    expect(await watch()).toEqual({ brevo_behind: '120 minutes' });
  });
});

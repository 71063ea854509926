import { removeSessions } from '../catalog/erasure-sessions.ts';
import type { Db } from '../db/db.ts';
import { buildIndexes } from '../db/indexes.ts';
import { migrate } from '../db/migrate.ts';
import { onEachEngine, type TestDatabase } from '../db/testing/on-each-engine.ts';
import type { AgentEvent } from '../events/agent-event.ts';
import { inbound, stories } from '../recorder/sessions/testing/stories.ts';
import { Story } from '../recorder/sessions/testing/story.ts';
import { switchOff, switchOn } from './changes.ts';
import { customerDigests } from './customers-table.ts';
import { type FollowDeps, follow, followBatch } from './follow.ts';
import { askForContacts, wantHistory } from './history/wanted-history.ts';
import type { Interaction } from './interaction.ts';
import { noteMessages, takeDueMessages } from './messages.ts';
import { account, arrive, clearAll, effects, followDeps, plainMapping } from './testing/followed.ts';

jest.setTimeout(120_000);

onEachEngine('following contacts', (open) => {
  let database: TestDatabase;
  let db: Db;
  const run = (more: Partial<FollowDeps> = {}) => follow(followDeps(db, more), new AbortController().signal);
  const states = async () => (await effects(db)).map(({ trigger, state }) => `${trigger} ${state}`);
  const interactions = () =>
    db.query<{
      custody: string;
      contact: number | null;
      customer: number | null;
      interaction: Interaction;
      merged: string | null;
    }>(
      `SELECT custody_id AS custody, contact, customer, interaction, merged_into AS merged FROM connector_interactions ORDER BY opened_at`,
    );
  const customers = () =>
    db.query<{ id: number; digest: string; wanted: object; version: number; state: string }>(
      'SELECT id, digest, wanted, version, state FROM connector_customers ORDER BY id',
    );
  const set = (sql: string, ...values: unknown[]) => db.query(sql, values);
  const now = () => new Date().toISOString();
  /** A call of a customer that begins now. */
  const call = (seed: number, attributes: object = {}) => {
    const story = new Story(seed, now());
    return { story, task: story.inboundCall('Support', { from: '+34600000001', ...attributes }) };
  };
  const answered = (seed: number, attributes: object = {}) => {
    const { story, task } = call(seed, attributes);
    story.wait(5);
    task.offer('anna').accept().wrapUp().complete();
    task.complete();
    return { story, task };
  };

  beforeAll(async () => {
    database = await open();
    db = database.db;
    await migrate(db);
    await buildIndexes(db);
  }, 120_000);
  afterAll(() => database.drop());
  beforeEach(async () => {
    await clearAll(db);
    await switchOn(db, account);
  });

  test('a call becomes an interaction of its customer, and has one effect for each thing that happened', async () => {
    const { story, task } = call(1);
    await arrive(db, story.events);
    expect(await run()).toBe(1);
    expect(await states()).toEqual(['task.created waiting']);
    const before = story.events.length;
    story.wait(5);
    task.offer('anna').accept().wrapUp().complete();
    task.complete();
    await arrive(db, story.events.slice(before));
    await run();
    expect(await states()).toEqual(['task.created waiting', 'task.completed waiting']);
    const [one, ...others] = await interactions();
    expect(others).toEqual([]);
    expect(one?.interaction).toMatchObject({
      custodyId: one?.custody,
      outcome: 'resolved',
      tasks: [task.sid],
    });
    const [customer] = await customers();
    expect(customer).toMatchObject({
      ...{ id: one?.customer, digest: 'digest of phone +34600000001', state: 'waiting', version: 2 },
      wanted: { identifiers: { phone: '+34600000001' } },
    });
    expect(await run()).toBe(0);
  });

  test('events in any order, in any batches, plan the same', async () => {
    const all = Object.values(stories).map((tell, index) => tell(100 + index).story.events);
    await set(`UPDATE marks SET mark = '{"since": "2026-01-01"}'`);
    const mixed = all.flat().toSorted((a, b) => (a.id.slice(-5) < b.id.slice(-5) ? -1 : 1));
    const anyone = { ...plainMapping, customer: () => ({ key: 'one', identifiers: {} }) };
    for (let from = 0; from < mixed.length; from += 40) {
      await arrive(db, mixed.slice(from, from + 40));
      await run({ mapping: anyone });
    }
    const piecemeal = await db.query(
      `SELECT trigger, i.interaction->'tasks' AS tasks, happened_at, is_history FROM connector_effects e JOIN connector_interactions i USING (custody_id)
       WHERE state = 'waiting' ORDER BY happened_at, trigger, i.interaction->'tasks'`,
    );
    await clearAll(db);
    await switchOn(db, account);
    await set(`UPDATE marks SET mark = '{"since": "2026-01-01"}'`);
    await arrive(db, all.flat());
    await run({ mapping: anyone });
    expect(piecemeal.length).toBeGreaterThan(20);
    const at = await db.query(
      `SELECT trigger, i.interaction->'tasks' AS tasks, happened_at, is_history FROM connector_effects e JOIN connector_interactions i USING (custody_id)
       WHERE state = 'waiting' ORDER BY happened_at, trigger, i.interaction->'tasks'`,
    );
    expect(piecemeal).toEqual(at);
  });

  test('an effect waits for late events: at most ten times as long, and a try that failed keeps its time', async () => {
    const { story, task } = call(2);
    await arrive(db, story.events);
    await run();
    expect((await effects(db))[0]?.due).toBeGreaterThanOrEqual(58);
    const change = async () => {
      const before = story.events.length;
      story.wait(1);
      task.event('task.updated');
      task.offer('bert').reject();
      await arrive(db, story.events.slice(before));
      await run();
      return (await effects(db))[0]?.due ?? 0;
    };
    await set(
      `UPDATE connector_effects SET planned_at = now() - interval '30 seconds', due_at = now() + interval '30 seconds'`,
    );
    expect(await change()).toBeGreaterThanOrEqual(58);
    await set(
      `UPDATE connector_effects SET planned_at = now() - interval '590 seconds', due_at = now() - interval '1 second'`,
    );
    const last = await change();
    expect([last >= 5, last <= 11]).toEqual([true, true]);
    await set(
      `UPDATE connector_effects SET attempts = 3, planned_at = now(), due_at = now() + interval '900 seconds'`,
    );
    expect(await change()).toBeGreaterThan(890);
    await set(`UPDATE connector_effects SET attempts = 3, due_at = now() + interval '5 seconds'`);
    expect(await change()).toBeLessThanOrEqual(5);
  });

  test('an abandoned contact that continues is no longer abandoned, unless that was sent', async () => {
    const conversations = { conversation_id: `WT${'9'.repeat(32)}` };
    const { story, task } = call(3, { conversations });
    story.wait(20);
    task.cancel('hangup');
    await arrive(db, story.events);
    await run();
    expect(await states()).toEqual(['task.created waiting', 'task.canceled waiting']);
    const before = story.events.length;
    story.moreTask('voice', 'Support', { conversations, from: '+34600000001' });
    await arrive(db, story.events.slice(before));
    await run();
    expect(await states()).toEqual(['task.created waiting', 'task.canceled dropped']);
    expect(await interactions()).toHaveLength(1);
  });

  test('what was sent is sent once, whatever changes', async () => {
    const { story } = answered(4);
    await arrive(db, story.events);
    await run();
    await set(`UPDATE connector_effects SET state = 'sent'`);
    const before = story.events.length;
    story.moreTask('voice', 'Support', {
      conversations: { conversation_id: (await interactions())[0]?.interaction.tasks[0] },
    });
    await arrive(db, story.events.slice(before));
    await run();
    expect(await states()).toEqual(['task.created sent', 'task.completed sent']);
    expect((await interactions())[0]?.interaction.outcome).toBe('open');
  });

  test('two contacts that become one: the smaller stays, and what was sent of either is sent', async () => {
    const first = answered(5);
    const second = answered(6);
    await arrive(db, [...first.story.events, ...second.story.events]);
    await run();
    expect(await states()).toHaveLength(4);
    const [kept, other] = (await interactions()).toSorted((a, b) => (a.contact ?? 0) - (b.contact ?? 0));
    await set(
      `UPDATE connector_effects SET state = CASE trigger WHEN 'task.created' THEN 'sent' ELSE 'uncertain' END WHERE custody_id = $1`,
      other?.custody,
    );
    const before = first.story.events.length;
    first.task.attributes = { ...first.task.attributes, parentTaskSid: second.task.sid };
    first.task.event('task.updated');
    await arrive(db, first.story.events.slice(before));
    await run();
    const all = (await interactions()).toSorted((a) => (a.merged ? 1 : -1));
    expect(all.map(({ merged, contact }) => [merged, contact === null])).toEqual([
      [null, false],
      [kept?.custody, true],
    ]);
    expect(all[0]?.interaction.tasks).toHaveLength(2);
    const found = (await effects(db)).map(({ custody, trigger, state }) => [
      custody === kept?.custody,
      `${trigger} ${state}`,
    ]);
    expect(found.toSorted()).toEqual(
      [
        [true, 'task.created dropped'],
        [true, 'task.completed dropped'],
        [false, 'task.created sent'],
        [false, 'task.completed uncertain'],
      ].toSorted(),
    );
    await arrive(db, []);
    await set('INSERT INTO connector_changes (contact) SELECT number FROM contacts');
    await run();
    expect((await effects(db)).filter(({ state }) => state === 'waiting')).toEqual([]);
  });

  test('a contact that is formed again under another number keeps its interaction and what was sent', async () => {
    const { story, task } = answered(7);
    await arrive(db, story.events);
    await run();
    await set(`UPDATE connector_effects SET state = 'sent'`);
    const [before] = await interactions();
    await db.transaction((inner) => removeSessions(inner, [task.sid]));
    await run();
    expect((await interactions())[0]?.contact).toBeNull();
    await arrive(db, []);
    await run();
    const [after, ...others] = await interactions();
    expect(others).toEqual([]);
    expect(after?.custody).toBe(before?.custody);
    expect(after?.contact).not.toBe(before?.contact);
    expect(await states()).toEqual(['task.created sent', 'task.completed sent']);
  });

  test('an interaction outlasts its contact and its events', async () => {
    const { story } = answered(8);
    await arrive(db, story.events);
    await run();
    await set('DELETE FROM agent_events');
    await set('INSERT INTO connector_changes (contact) SELECT number FROM contacts');
    const before = await interactions();
    await run();
    expect(await interactions()).toEqual(before);
    await set('DELETE FROM contacts');
    await set('DELETE FROM contact_keys');
    await run();
    expect(await interactions()).toEqual(before.map((one) => ({ ...one, contact: null })));
  });

  test('a customer who is identified later takes the interaction along; the one who was never sent goes', async () => {
    const { story, task } = call(9);
    await arrive(db, story.events);
    await run();
    const [first] = await customers();
    const before = story.events.length;
    task.attributes = { ...task.attributes, email: 'ada@example.com' };
    task.event('task.updated');
    await arrive(db, story.events.slice(before));
    await run();
    expect((await customers()).map(({ digest }) => digest)).toEqual(['digest of email ada@example.com']);
    const [effect] = await effects(db);
    expect(effect?.customer).toBe((await customers())[0]?.id);
    expect(effect?.customer).not.toBe(first?.id);
  });

  test('nothing identifies the customer: an interaction without effects, until something does', async () => {
    const { story, task } = call(10, { from: 'Anonymous' });
    await arrive(db, story.events);
    await run();
    expect([await states(), (await interactions()).length, await customers()]).toEqual([[], 1, []]);
    const before = story.events.length;
    task.attributes = { ...task.attributes, email: 'ada@example.com' };
    task.event('task.updated');
    await arrive(db, story.events.slice(before));
    await run();
    expect(await states()).toEqual(['task.created waiting']);
  });

  test('a call that turns out to be one between agents is no interaction', async () => {
    const { story, task } = call(11);
    await arrive(db, story.events);
    await run();
    const before = story.events.length;
    task.attributes = { ...task.attributes, client_call: true };
    task.event('task.updated');
    await arrive(db, story.events.slice(before));
    await run();
    expect([await interactions(), await states(), await customers()]).toEqual([[], [], []]);
  });

  test('contacts of before are not sent, but for those that close later and those that an import asks for', async () => {
    const told = (seed: number, start: string): AgentEvent[] => {
      const story = new Story(seed, start);
      const task = story.inboundCall('Support', { from: `+3460000000${seed % 10}` });
      story.wait(9);
      task.offer('anna').accept().wrapUp().complete();
      task.complete();
      return story.events;
    };
    await arrive(db, told(12, '2026-06-01T09:00:00.000Z'));
    await run();
    expect(await interactions()).toEqual([]);
    const open = new Story(13, new Date(Date.now() - 60_000).toISOString());
    const task = open.inboundCall('Support', { from: '+34600000003' });
    await arrive(db, open.events);
    await run();
    expect(await interactions()).toEqual([]);
    const before = open.events.length;
    open.wait(3_600);
    task.offer('anna').accept().wrapUp().complete();
    task.complete();
    await arrive(db, open.events.slice(before));
    await run();
    expect(await interactions()).toHaveLength(1);
    const since = Date.parse('2026-05-01');
    await wantHistory(db, 'brevo', since);
    await askForContacts(db, { since, until: Date.now() }, undefined);
    await run();
    expect(await interactions()).toHaveLength(2);
    expect((await effects(db)).map(({ history }) => history)).toEqual([true, true, false, false]);
  });

  test('nothing is noted while connectors are off', async () => {
    await switchOff(db, account);
    await arrive(db, inbound(14).story.events);
    expect(await set('SELECT * FROM connector_changes')).toEqual([]);
    expect(await run()).toBe(0);
    await switchOn(db, account);
    await set('UPDATE contacts SET contact = contact || $1', JSON.stringify({ language: 'de' }));
    expect(await set('SELECT * FROM connector_changes')).toHaveLength(1);
    await switchOff(db, account);
    expect(await set('SELECT * FROM connector_changes')).toEqual([]);
  });

  test('a batch that fails leaves all as it was', async () => {
    const { story } = answered(15);
    await arrive(db, story.events);
    const broken = {
      ...plainMapping,
      event: () => {
        throw new Error('no rule');
      },
    };
    await expect(followBatch(followDeps(db, { mapping: broken }))).rejects.toThrow('no rule');
    expect([await interactions(), await customers()]).toEqual([[], []]);
    await run();
    expect(await states()).toHaveLength(2);
  });

  /** A survey that the customer has answered after the call, by a task of its own. */
  const survey = ({ story, task }: ReturnType<typeof answered>, score: number) => {
    const conversations = { conversation_id: task.sid, kind: 'Survey', virtual: 'Yes' };
    story.wait(20);
    const asked = story.moreTask('voice', 'Survey', { isSurveyTask: true, conversations });
    story.wait(10);
    asked.attributes = {
      isSurveyTask: true,
      conversations: { ...conversations, conversation_measure_3: score },
    };
    asked.event('task.updated');
    asked.cancel('CSAT saved');
  };

  test('an answer that comes later is one more effect', async () => {
    const call = answered(16);
    await arrive(db, call.story.events);
    await run();
    expect(await states()).toEqual(['task.created waiting', 'task.completed waiting']);
    const before = call.story.events.length;
    survey(call, 5);
    await arrive(db, call.story.events.slice(before));
    await run();
    expect(await states()).toEqual([
      'task.created waiting',
      'task.completed waiting',
      'survey.completed waiting',
    ]);
    expect((await interactions()).map(({ interaction }) => interaction.csatScore)).toEqual([5]);
  });

  test('a contact of before whose customer answers a survey later is sent, and one who answered before is not', async () => {
    const calls = [18, 19].map((seed) => answered(seed, { from: `+346000000${seed}` }));
    const [early, late] = calls;
    if (!early || !late) throw new Error('no calls');
    survey(early, 3);
    await arrive(db, [...early.story.events, ...late.story.events]);
    await set(`UPDATE marks SET mark = jsonb_build_object('since', now() + interval '1 minute')`);
    expect([await run(), await states()]).toEqual([2, []]);
    const before = late.story.events.length;
    late.story.wait(3_600);
    survey(late, 4);
    await arrive(db, late.story.events.slice(before));
    await set('INSERT INTO connector_changes (contact) SELECT number FROM contacts ON CONFLICT DO NOTHING');
    const { csat: _, ...without } = followDeps(db);
    await follow(without, new AbortController().signal);
    expect(await states()).toEqual([]);
    await set('INSERT INTO connector_changes (contact) SELECT number FROM contacts');
    await run();
    expect(await states()).toEqual([
      'task.created waiting',
      'task.completed waiting',
      'survey.completed waiting',
    ]);
    expect((await interactions()).map(({ interaction }) => interaction.csatScore)).toEqual([4]);
  });

  test('messages of a closed conversation are asked for once, and again after it was closed again', async () => {
    const story = new Story(17, now());
    const task = story.conversation('Chat', { customerAddress: 'visitor-1' });
    story.wait(5);
    task.offer('anna').accept().wrapUp().complete();
    task.complete();
    await arrive(db, story.events);
    await run();
    const take = () => takeDueMessages(db, 'brevo', 10, 60_000);
    expect(await take()).toEqual([]);
    const close = async () => {
      const before = story.events.length;
      story.wait(5);
      task.close('active');
      story.wait(5);
      task.close();
      await arrive(db, story.events.slice(before));
      await run();
    };
    await close();
    const [due, ...others] = await take();
    expect([due?.conversationSid, others]).toEqual([task.conversation, []]);
    expect(await take()).toEqual([]);
    await noteMessages(db, [{ custodyId: due!.custodyId, messages: 12 }]);
    expect((await interactions())[0]?.interaction.messages).toBe(12);
    await set('INSERT INTO connector_changes (contact) SELECT number FROM contacts');
    await run();
    expect([(await interactions())[0]?.interaction.messages, await take()]).toEqual([12, []]);
    await close();
    expect(await take()).toHaveLength(1);
    await noteMessages(db, [{ custodyId: due!.custodyId, messages: undefined }]);
    expect((await interactions())[0]?.interaction.messages).toBe(12);
  });

  test('many contacts in few statements', async () => {
    const many = Number(process.env['TEST_CONTACTS'] ?? 100);
    const all: AgentEvent[] = [];
    for (let seed = 0; seed < many; seed += 1)
      all.push(...answered(1_000 + seed, { from: `+346${String(seed).padStart(8, '0')}` }).story.events);
    await arrive(db, all);
    let statements = 0;
    const counted: Db = {
      ...db,
      transaction: (work, limit) =>
        db.transaction(
          (inner) =>
            work({
              ...inner,
              query: (sql, values) => {
                statements += 1;
                return inner.query(sql, values);
              },
            }),
          limit,
        ),
    };
    expect(await run({ db: counted })).toBeGreaterThanOrEqual(many);
    expect(await states()).toHaveLength(2 * many);
    expect(statements).toBeLessThanOrEqual(30 * Math.ceil(many / 100) + 10);
  });
});

test('digests are of the key and the secret', () => {
  const of = customerDigests({
    callerSecret: Buffer.from('a'.repeat(32)).toString('base64'),
    mediaSecret: new Uint8Array(32),
  });
  const other = customerDigests({ mediaSecret: new Uint8Array(32) });
  expect(of('phone +34600000001')).toMatch(/^[\w-]{43}$/);
  expect(new Set([of('a'), of('b'), other('a'), other('b')]).size).toBe(4);
});

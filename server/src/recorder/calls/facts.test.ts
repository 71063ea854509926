import { asRecordingSid, type CallSid, type ConferenceSid } from '@flex-custody/core';
import { createCatalog } from '../../catalog/create-catalog.ts';
import { migrate } from '../../db/migrate.ts';
import { onEachEngine, type TestDatabase } from '../../db/testing/on-each-engine.ts';
import { callsRoom, conferenceSid, customer, digest } from '../testing/calls-world.ts';
import { down, sids } from '../testing/live-call.ts';
import { findFacts } from './facts.ts';
import { pollCalls } from './poll.ts';

const RE = asRecordingSid(`RE${'1'.repeat(32)}`)!;
const CF = conferenceSid(1);
const start = new Date('2026-11-20T10:00:00Z');
const at = (seconds: number) => new Date(start.getTime() + seconds * 1_000);

onEachEngine('whose call a recording is of', (open) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await open();
    await migrate(database.db);
  });
  afterAll(() => database.drop());
  beforeEach(() => database.db.query('DELETE FROM live_calls; DELETE FROM recordings; DELETE FROM alarms'));

  const catalog = () => createCatalog(database.db, sids.account);
  const row = async () => (await catalog().find(RE))!;
  /** A recording of a worker's leg, linked to its task, of 60 seconds. */
  async function recorded(
    of: { callSid?: CallSid; conferenceSid?: ConferenceSid } = { callSid: sids.call(2) },
  ) {
    const set = callsRoom(database.db);
    await catalog().register({
      recordingSid: RE,
      accountSid: sids.account,
      ...of,
      channels: 2,
      durationSeconds: 60,
      startedAt: start,
      hints: {},
      source: 'callback',
    });
    await catalog().linked(RE, { taskSid: sids.task, queue: 'Sales', hintedCallers: ['hint'] });
    set.world.call(2, { from: customer, to: 'client:ada' });
    return set;
  }
  const inboundCall = (set: Awaited<ReturnType<typeof recorded>>, change: object = {}) =>
    set.world.call(1, {
      direction: 'inbound',
      from: customer,
      startedAt: at(-30),
      endedAt: at(60),
      ...change,
    });
  const made = (set: Awaited<ReturnType<typeof recorded>>, attributes: object, byWorker = false) =>
    set.world.made.set(sids.task, {
      attributes: JSON.stringify(attributes),
      byWorker,
      createdAt: at(-30),
    });

  test('is what the host saw while it lasted, and nothing else is asked', async () => {
    const set = await recorded();
    set.world.open(CF, sids.task, at(-1), inboundCall(set), sids.call(2));
    set.world.call(3, { to: '+4930123456' });
    set.world.join(CF, sids.call(3));
    await pollCalls(set.deps);
    set.world.asked.length = 0;
    await findFacts(set.deps, RE);
    expect(await row()).toMatchObject({ direction: 'inbound', caller: digest(customer), queue: 'Sales' });
    expect([...(await row()).hintedCallers].sort()).toEqual(['hint', digest('+4930123456')].sort());
    expect(set.world.asked).toEqual([]);
  });

  test('of a leg that joined after the host looked is that of the conference of its proven task', async () => {
    const set = await recorded({ callSid: sids.call(7) });
    set.world.open(CF, sids.task, at(-1), inboundCall(set));
    await pollCalls(set.deps);
    await findFacts(set.deps, RE);
    expect(await row()).toMatchObject({ direction: 'inbound', caller: digest(customer) });
  });

  test('is not that of another call of the task at another time', async () => {
    const set = await recorded({ callSid: sids.call(7) });
    set.world.open(CF, sids.task, at(3_600), inboundCall(set));
    await pollCalls(set.deps);
    await findFacts(set.deps, RE);
    expect(await row()).not.toHaveProperty('caller');
  });

  test('arrives late where the recording was linked first', async () => {
    const set = await recorded();
    await findFacts(set.deps, RE);
    expect(await row()).not.toHaveProperty('direction');
    set.world.open(CF, sids.task, at(-1), inboundCall(set), sids.call(2));
    await pollCalls(set.deps);
    expect(set.facts()).toEqual([RE]);
    await findFacts(set.deps, RE);
    expect(await row()).toMatchObject({ direction: 'inbound', caller: digest(customer) });
  });

  test('of a conference that is over is what Twilio still lists of it', async () => {
    const set = await recorded({ conferenceSid: CF });
    set.world.open(CF, sids.task, at(-1), inboundCall(set), sids.call(2));
    set.world.end(CF);
    await findFacts(set.deps, RE);
    expect(await row()).toMatchObject({ direction: 'inbound', caller: digest(customer) });
    expect(set.world.asked).not.toContain('taskCreated');
  });

  test("of the customer's own leg is that call's", async () => {
    const set = await recorded({ callSid: sids.call(5) });
    set.world.call(5, { to: '+4930123456' });
    await findFacts(set.deps, RE);
    expect(await row()).toMatchObject({ direction: 'outbound', caller: digest('+4930123456') });
  });

  describe('after the call', () => {
    test('is the inbound call that the task was made of', async () => {
      const set = await recorded();
      made(set, { direction: 'inbound', call_sid: inboundCall(set), from: '+19990000000' });
      await findFacts(set.deps, RE);
      expect(await row()).toMatchObject({ direction: 'inbound', caller: digest(customer) });
    });

    test('is what the task was made with, where that names no call', async () => {
      const set = await recorded();
      made(set, { direction: 'inbound', from: customer });
      await findFacts(set.deps, RE);
      expect(await row()).toMatchObject({ direction: 'inbound', caller: digest(customer) });
    });

    test.each([
      ['made by a worker', { direction: 'inbound', from: customer }, true, {}],
      ['an outbound one', { direction: 'outbound', outbound_to: customer, from: customer }, false, {}],
      ['an internal one', { direction: 'internal', from: customer }, false, {}],
      ['of an unknown call', { direction: 'inbound', call_sid: sids.call(9), from: customer }, false, {}],
      ['of a call SID that is none', { direction: 'inbound', call_sid: 'CA1', from: customer }, false, {}],
      ['of a call that we made', { call_sid: sids.call(1) }, false, { direction: 'outbound-api' }],
      ['of a call before', { call_sid: sids.call(1) }, false, { startedAt: at(-600), endedAt: at(-60) }],
      ['of a call after', { call_sid: sids.call(1) }, false, { startedAt: at(600), endedAt: at(700) }],
    ])('a task %s proves nothing', async (_what, attributes, byWorker, call) => {
      const set = await recorded();
      inboundCall(set, call);
      made(set, attributes, byWorker);
      await findFacts(set.deps, RE);
      expect(await row()).not.toHaveProperty('direction');
      expect(await row()).not.toHaveProperty('caller');
    });

    test('a task that was made later proves nothing, and attributes that are no JSON neither', async () => {
      const set = await recorded();
      made(set, { direction: 'inbound', from: customer });
      set.world.made.get(sids.task)!.createdAt = at(120);
      await findFacts(set.deps, RE);
      set.world.made.set(sids.task, { attributes: '[', byWorker: false, createdAt: at(-30) });
      await findFacts(set.deps, RE);
      expect(await row()).not.toHaveProperty('direction');
    });

    test('a call that is inbound by its creation is not internal because only workers were seen in it', async () => {
      const set = await recorded();
      set.world.open(CF, sids.task, at(-1), sids.call(2), set.world.call(3, { to: 'client:bob' }));
      await pollCalls(set.deps);
      set.world.end(CF);
      await pollCalls(set.deps);
      made(set, { direction: 'inbound', call_sid: inboundCall(set) });
      await findFacts(set.deps, RE);
      expect(await row()).toMatchObject({ direction: 'inbound', caller: digest(customer) });
    });

    test('a call among workers is internal, and its caller nobody', async () => {
      const set = await recorded();
      set.world.open(CF, sids.task, at(-1), sids.call(2), set.world.call(3, { to: 'client:bob' }));
      await pollCalls(set.deps);
      set.world.end(CF);
      await pollCalls(set.deps);
      expect(set.facts()).toEqual([RE]);
      await findFacts(set.deps, RE);
      expect(await row()).toMatchObject({ direction: 'internal' });
      expect(await row()).not.toHaveProperty('caller');
    });
  });

  test('that is proven is not changed, and not asked for', async () => {
    const set = await recorded();
    const proven = digest('+4930123456');
    await catalog().calledBy(RE, { direction: 'outbound', caller: proven, others: [] });
    expect(
      await catalog().calledBy(RE, { direction: 'inbound', caller: digest(customer), others: [] }),
    ).toBeUndefined();
    made(set, { direction: 'inbound', from: customer });
    await findFacts(set.deps, RE);
    expect(await row()).toMatchObject({ direction: 'outbound', caller: proven });
    expect(set.world.asked).toEqual([]);
  });

  test('that was noted under another caller secret is asked for again', async () => {
    const set = await recorded();
    await catalog().calledBy(RE, { direction: 'inbound', caller: 'k00000000:digest', others: [] });
    made(set, { direction: 'inbound', from: customer });
    await findFacts(set.deps, RE);
    expect(await row()).toMatchObject({ direction: 'inbound', caller: digest(customer) });
  });

  test('that is proven in part is completed, and the part stays', async () => {
    await recorded();
    await catalog().calledBy(RE, { caller: 'proven', others: [] });
    await catalog().calledBy(RE, { direction: 'inbound', caller: 'other', others: [] });
    expect(await row()).toMatchObject({ direction: 'inbound', caller: 'proven' });
    await database.db.query('UPDATE recordings SET caller = NULL');
    await catalog().calledBy(RE, { direction: 'internal', caller: 'other', others: [] });
    expect(await row()).toMatchObject({ direction: 'inbound', caller: 'other' });
  });

  test('that was never proven is replaced by what is', async () => {
    const set = await recorded();
    await database.db.query(
      `UPDATE recordings SET direction = 'internal', caller = 'forged', unproven = '{owner,caller,direction}'`,
    );
    set.world.open(CF, 'other', at(-1), inboundCall(set), sids.call(2));
    await pollCalls(set.deps);
    await findFacts(set.deps, RE);
    expect(await row()).toMatchObject({
      direction: 'inbound',
      caller: digest(customer),
      unproven: ['owner'],
    });
  });

  test('does not rest on a task or a start that nobody has proven', async () => {
    for (const fact of ['owner', 'start']) {
      await database.db.query('DELETE FROM recordings');
      const set = await recorded();
      made(set, { direction: 'inbound', from: customer });
      await database.db.query('UPDATE recordings SET unproven = ARRAY[$1::text]', [fact]);
      await findFacts(set.deps, RE);
      expect(await row()).not.toHaveProperty('caller');
    }
  });

  test('is asked again where Twilio is away, and noted in the sidecar of what is verified', async () => {
    const set = await recorded();
    set.world.failing = down;
    await expect(findFacts(set.deps, RE)).rejects.toMatchObject({ code: 'twilio_unavailable' });
    await set.alarms.raise('facts_failed', RE, 'twilio_unavailable');
    set.world.failing = undefined;
    made(set, { direction: 'inbound', from: customer });
    await database.db.query(`UPDATE recordings SET state = 'verified', object = '{"key":"k"}'`);
    await findFacts(set.deps, RE);
    expect(set.sent).toEqual([{ name: 'describe', data: { recordingSid: RE } }]);
    expect(await set.open()).toEqual([]);
  });

  test('is nothing of one that is erased, and what was seen of its call goes with it', async () => {
    const set = await recorded();
    set.world.open(CF, sids.task, at(-1), inboundCall(set), sids.call(2));
    await pollCalls(set.deps);
    await database.db.query(`UPDATE recordings SET state = 'sealed', object = '{"key":"k"}'`);
    await catalog().erasing(RE);
    await catalog().erased(RE, '0b5f2c36-5b3b-4c57-9a51-0f2f3c1f9d11');
    expect(await database.db.query('SELECT 1 FROM live_calls')).toEqual([]);
    set.world.asked.length = 0;
    await findFacts(set.deps, RE);
    expect(set.world.asked).toEqual([]);
    expect(await row()).not.toHaveProperty('caller');
    expect((await row()).hintedCallers).toEqual([]);
  });
});

import type { TaskSid } from '@flex-custody/core';
import { createLiveCalls } from '../../catalog/live-calls.ts';
import { migrate } from '../../db/migrate.ts';
import { onEachEngine, type TestDatabase } from '../../db/testing/on-each-engine.ts';
import { receive } from '../reports/receive.ts';
import { callsRoom, conferenceSid, customer, digest, inboundRoom } from '../testing/calls-world.ts';
import { down, sids } from '../testing/live-call.ts';
import { minute, other } from '../testing/room.ts';
import { lookAtCall } from './look.ts';
import { pollCalls } from './poll.ts';
import { createCallsWatch } from './schedule.ts';

const CF = conferenceSid(1);
const ago = (ms: number) => new Date(Date.now() - ms);

onEachEngine('live calls', (open) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await open();
    await migrate(database.db);
  });
  afterAll(() => database.drop());
  beforeEach(() =>
    database.db.query(
      'DELETE FROM live_calls; DELETE FROM reports; DELETE FROM alarms; DELETE FROM recordings',
    ),
  );

  const calls = () => createLiveCalls(database.db, sids.account);
  const inbound = (createdAt?: Date) => inboundRoom(database.db, createdAt);
  /** As if the host had seen the worker so long ago. */
  const aged = (ms: number) =>
    database.db.query('UPDATE live_calls SET agent_at = $1, read_at = $1, first_seen_at = $1', [ago(ms)]);

  describe('are read', () => {
    test('by the poll alone, and of numbers only digests stay', async () => {
      const { world, deps, leg, agent } = inbound();
      await pollCalls(deps);
      expect(await calls().find(CF)).toMatchObject({
        taskSid: sids.task,
        legs: expect.arrayContaining([leg, agent]),
        customerCallSid: leg,
        direction: 'inbound',
        caller: digest(customer),
        agentAt: expect.any(Date),
      });
      const [row] = await database.db.query('SELECT live_calls::text AS text FROM live_calls');
      expect(JSON.stringify(row)).not.toContain('4155550');
      expect(world.asked.filter((what) => what === 'callFacts')).toHaveLength(2);
    });

    test('when a browser says that it joined, whatever else it says', async () => {
      const { deps, sent, leg } = inbound();
      const eve = { by: 'browser', viewer: { identity: 'eve', roles: ['agent'] } } as const;
      await receive(deps, other('joined', { conferenceSid: CF }), eve, 'r');
      expect(sent).toEqual([
        { name: 'call', data: { taskSid: sids.task, conferenceSid: CF }, options: { once: CF } },
      ]);
      expect(await database.db.query('SELECT id FROM reports')).toEqual([]);
      // A task that is not the conference's is no fact.
      await lookAtCall(deps, { taskSid: sids.otherTask, conferenceSid: CF });
      expect(await calls().find(CF)).toMatchObject({ taskSid: sids.task, customerCallSid: leg });
    });

    test("by the task's name where the browser knows no conference", async () => {
      const { deps } = inbound();
      await lookAtCall(deps, { taskSid: sids.task });
      expect(await calls().find(CF)).toMatchObject({ direction: 'inbound' });
    });

    test('at most once in ten seconds, however many ask', async () => {
      const { world, deps } = inbound();
      const ask = () => lookAtCall(deps, { taskSid: sids.task, conferenceSid: CF });
      await ask();
      world.asked.length = 0;
      await Promise.all([ask(), ask(), ask()]);
      expect(world.asked).toEqual([]);
      await aged(10_000);
      await Promise.all([ask(), ask(), ask()]);
      expect(world.asked).toEqual(['participants']);
    });

    test('not where Twilio knows no such conference', async () => {
      const { deps } = inbound();
      await lookAtCall(deps, { taskSid: sids.task, conferenceSid: conferenceSid(9) });
      expect(await calls().open()).toEqual([]);
    });

    test('again until the customer whom a worker calls has joined', async () => {
      const { world, deps } = callsRoom(database.db);
      const agent = world.call(1, { to: 'client:ada' });
      world.open(CF, sids.task, ago(1_000), agent);
      await pollCalls(deps);
      expect(await calls().find(CF)).not.toHaveProperty('direction');
      world.join(CF, world.call(2, { to: '+4930123456' }));
      await aged(minute);
      await pollCalls(deps);
      expect(await calls().find(CF)).toMatchObject({ direction: 'outbound', caller: digest('+4930123456') });
      expect(world.asked.filter((what) => what === 'callFacts')).toHaveLength(2);
    });

    test('whoever joins later does not take the place of the customer', async () => {
      const { world, deps, leg } = inbound();
      await pollCalls(deps);
      world.join(CF, world.call(3, { direction: 'inbound', from: '+4930123456' }));
      await aged(minute);
      await lookAtCall(deps, { taskSid: sids.task, conferenceSid: CF });
      expect(await calls().find(CF)).toMatchObject({
        customerCallSid: leg,
        caller: digest(customer),
        others: [digest('+4930123456')],
      });
    });

    test('a call among workers is internal once it is over, and one leg alone is nothing', async () => {
      const { world, deps } = callsRoom(database.db);
      world.open(
        CF,
        sids.task,
        ago(1_000),
        world.call(1, { to: 'client:ada' }),
        world.call(2, { to: 'client:bob' }),
      );
      world.open(conferenceSid(2), sids.otherTask, ago(1_000), world.call(3, { to: 'client:ada' }));
      await pollCalls(deps);
      expect(await calls().find(CF)).not.toHaveProperty('direction');
      world.end(CF);
      world.end(conferenceSid(2));
      await pollCalls(deps);
      expect(await calls().find(CF)).toMatchObject({ direction: 'internal', endedAt: expect.any(Date) });
      expect(await calls().find(conferenceSid(2))).not.toHaveProperty('direction');
    });

    test('a call that ended before it could be read is read from what Twilio still lists', async () => {
      const { world, deps } = inbound();
      const callFacts = world.callFacts;
      world.callFacts = async () => {
        throw down;
      };
      await pollCalls(deps);
      expect(await calls().find(CF)).toMatchObject({ legs: [] });
      world.callFacts = callFacts;
      world.end(CF);
      await pollCalls(deps);
      expect(await calls().find(CF)).toMatchObject({ direction: 'inbound', caller: digest(customer) });
    });
  });

  test('one call that Twilio cannot tell of does not keep the others from being watched', async () => {
    const { world, deps, open: raised } = inbound();
    world.open(conferenceSid(2), 'WT' as TaskSid, ago(minute), sids.call(9));
    const { callFacts } = world;
    world.callFacts = async (sid) => {
      if (sid === sids.call(9)) throw new Error('unreadable');
      return callFacts(sid);
    };
    await expect(pollCalls(deps)).rejects.toThrow('unreadable');
    expect(await calls().find(CF)).toMatchObject({ direction: 'inbound' });
    await aged(minute);
    await expect(pollCalls(deps)).rejects.toThrow('unreadable');
    expect(await raised()).toHaveLength(1);
  });

  test('what ended weeks ago is forgotten', async () => {
    const { world, deps } = inbound();
    await pollCalls(deps);
    world.end(CF);
    await pollCalls(deps);
    expect(await calls().find(CF)).toBeDefined();
    await database.db.query(`UPDATE live_calls SET ended_at = now() - interval '31 days'`);
    await pollCalls(deps);
    expect(await calls().find(CF)).toBeUndefined();
  });

  test('an outage is left to the next minute, and told of when it lasts', async () => {
    const { world, deps, open: raised } = inbound();
    const watch = createCallsWatch(deps);
    world.failing = down;
    for (let times = 0; times < 4; times += 1) await watch();
    expect(await raised()).toEqual([]);
    await watch();
    expect(await raised()).toEqual([['calls_failed', 'twilio_unavailable']]);
    world.failing = undefined;
    await watch();
    expect(await raised()).toEqual([]);
  });

  test('nobody looks where the setting is off', async () => {
    const { world, deps } = inbound();
    await createCallsWatch({ ...deps, watchCalls: false })();
    expect(world.asked).toEqual([]);
  });

  test("another account's calls are not ours", async () => {
    const { deps } = inbound();
    await pollCalls(deps);
    const others = createLiveCalls(database.db, `AC${'9'.repeat(32)}` as typeof sids.account);
    expect([await others.find(CF), await others.open()]).toEqual([undefined, []]);
  });
});

import { createLiveCalls } from '../../catalog/live-calls.ts';
import { migrate } from '../../db/migrate.ts';
import { onEachEngine, type TestDatabase } from '../../db/testing/on-each-engine.ts';
import { receive } from '../reports/receive.ts';
import { callsRoom, conferenceSid, customer, inboundRoom, reservation } from '../testing/calls-world.ts';
import { sids } from '../testing/live-call.ts';
import { minute, other } from '../testing/room.ts';
import { pollCalls } from './poll.ts';

const CF = conferenceSid(1);
const ago = (ms: number) => new Date(Date.now() - ms);

onEachEngine('the watch over live calls', (open) => {
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

  test('in the steady state a poll asks one question, and two while a call is not recorded', async () => {
    const { world, deps, agent } = inbound();
    world.recorded.push({ callSid: agent, status: 'processing' });
    await pollCalls(deps);
    world.asked.length = 0;
    await aged(minute);
    await pollCalls(deps);
    expect(world.asked).toEqual(['liveConferencesAll']);
    world.open(
      conferenceSid(2),
      sids.otherTask,
      ago(0),
      world.call(3, { direction: 'inbound', from: customer }),
      world.call(4, { to: 'client:bob' }),
    );
    await pollCalls(deps);
    await database.db.query('UPDATE live_calls SET alarmed_at = now(), read_at = now()');
    world.asked.length = 0;
    await pollCalls(deps);
    expect(world.asked).toEqual(['liveConferencesAll', 'recordingsSince']);
  });

  describe('that nothing records', () => {
    const detail = `nothing records the live call ${CF}`;
    /** Polled once, and so long ago that a recording should be there. */
    const overdue = async (createdAt?: Date) => {
      const set = inbound(createdAt);
      await pollCalls(set.deps);
      await aged(minute);
      return set;
    };
    const notRecorded = (reason: 'rule' | 'on-demand' | 'internal-call', workerSid = sids.worker) =>
      [
        other('not-recorded', { reason }),
        { by: 'browser', viewer: { identity: 'ada', workerSid, roles: ['agent'] } },
        'r',
      ] as const;

    test('are warned of once, without a word of any plugin, and no sooner than after 30 seconds', async () => {
      const { deps, open: raised, alarms } = inbound();
      await pollCalls(deps);
      await aged(29_000);
      await pollCalls(deps);
      expect(await raised()).toEqual([]);
      await aged(31_000);
      await pollCalls(deps);
      await pollCalls(deps);
      expect(await raised()).toEqual([['not_recorded', detail]]);
      expect(await alarms.list()).toMatchObject([{ times: 1 }]);
    });

    test('two hosts warn once', async () => {
      const { deps, alarms } = await overdue();
      await Promise.all([pollCalls(deps), pollCalls(deps)]);
      expect(await alarms.list()).toMatchObject([{ times: 1 }]);
    });

    test.each([
      ['of a leg', () => ({ callSid: sids.call(2) })],
      ['of the conference', () => ({ conferenceSid: CF })],
    ])('are none where a recording %s is there', async (_what, place) => {
      const { world, deps, open: raised } = await overdue();
      world.recorded.push({ ...place(), status: 'processing' });
      await pollCalls(deps);
      expect(await raised()).toEqual([]);
      expect(await calls().find(CF)).toMatchObject({ recordedAt: expect.any(Date) });
    });

    test('are none where only the list of all lags', async () => {
      const { world, deps, open: raised } = await overdue();
      world.listLags = true;
      world.recorded.push({ callSid: sids.call(2), status: 'processing' });
      await pollCalls(deps);
      expect(await raised()).toEqual([]);
    });

    test.each(['absent', 'deleted', 'failed'] as const)('a recording that is %s is none', async (status) => {
      const { world, deps, open: raised } = await overdue();
      world.recorded.push({ callSid: sids.call(2), status });
      await pollCalls(deps);
      expect(await raised()).toHaveLength(1);
    });

    test('the alarm ends with the recording that arrives, unless another call has none', async () => {
      const { world, deps, open: raised } = await overdue();
      await pollCalls(deps);
      world.open(conferenceSid(2), sids.otherTask, ago(minute), world.call(4, { to: 'client:bob' }));
      await pollCalls(deps);
      await aged(minute);
      await pollCalls(deps);
      world.recorded.push({ conferenceSid: CF, status: 'processing' });
      await pollCalls(deps);
      expect(await raised()).toHaveLength(1);
      world.recorded.push({ conferenceSid: conferenceSid(2), status: 'processing' });
      await pollCalls(deps);
      expect(await raised()).toEqual([]);
    });

    test('the alarm that somebody else raised since does not end with it', async () => {
      const { world, deps, open: raised, alarms } = await overdue();
      await pollCalls(deps);
      await alarms.raise('not_recorded', undefined, 'start-failed');
      world.recorded.push({ conferenceSid: CF, status: 'processing' });
      await pollCalls(deps);
      expect(await raised()).toEqual([['not_recorded', 'start-failed']]);
    });

    test.each([
      ['rule', { rules: [{ queue: 'Private', verdict: 'never' }] }],
      ['rule', { default: 'never' }],
      ['on-demand', { default: 'on-demand' }],
    ] as const)('by a %s of the site are as it wants, and not asked of again', async (reason, recording) => {
      const { world, deps, open: raised } = await overdue();
      world.settings = { recording };
      world.reserved.push(reservation(1, sids.task, sids.worker));
      await receive(deps, ...notRecorded(reason));
      await pollCalls(deps);
      expect(await raised()).toEqual([]);
      world.asked.length = 0;
      await pollCalls(deps);
      expect(world.asked).toEqual(['liveConferencesAll']);
    });

    test.each([
      ['a rule that the settings do not have', 'rule', {}, sids.worker],
      ['an on-demand that the settings do not have', 'on-demand', { default: 'never' }, sids.worker],
      ['a rule, by somebody who has no part in the task', 'rule', { default: 'never' }, 'WK9'],
      ['a call among workers, with a customer on the line', 'internal-call', {}, sids.worker],
    ] as const)('%s does not silence the alarm', async (_what, reason, recording, worker) => {
      const { world, deps, open: raised } = await overdue();
      world.settings = { recording };
      world.reserved.push(reservation(1, sids.task, sids.worker));
      // From an outsider the host does not even take it.
      await receive(deps, ...notRecorded(reason, worker as typeof sids.worker)).catch((error: unknown) =>
        expect(error).toMatchObject({ code: 'task_unknown', status: 403 }),
      );
      await pollCalls(deps);
      expect(await raised()).toHaveLength(1);
    });

    test('are looked for among the recordings since the call began, not since the host saw it', async () => {
      const { world, deps } = inbound(ago(120 * minute));
      const since: Date[] = [];
      const { recordingsSince } = world;
      world.recordingsSince = async (from) => {
        since.push(from);
        return recordingsSince(from);
      };
      await pollCalls(deps);
      expect(since[0]!.getTime()).toBeLessThan(Date.now() - 120 * minute);
    });

    test('are no calls of Flex where the conference is named after no task', async () => {
      const { world, deps, open: raised } = callsRoom(database.db);
      world.open(CF, 'weekly meeting', ago(minute), world.call(1, { to: 'client:ada' }));
      await pollCalls(deps);
      await aged(minute);
      await pollCalls(deps);
      expect(await raised()).toEqual([]);
      expect(world.asked).not.toContain('recordingsSince');
    });
  });
});

import type { Failure } from '../api/call-control';
import { callStates } from '../state/call-states';
import { call, keyValues } from '../testing';
import { lookAfterMs, retryDelaysMs } from './confirm';
import { fails, leg, otherLeg, outbound, setup, started, startedAnswer } from './testing';

describe('which leg is asked for when it has joined', () => {
  test('inbound, accepted here: what Twilio has is asked some seconds later, and nothing counts before', async () => {
    const { made, wishes, slept, status } = setup();
    made.accepted(call());
    const joined = made.joined(call());
    expect(status(call())).toEqual({ kind: 'starting' });
    await joined;
    expect(slept).toEqual([lookAfterMs]);
    expect(wishes).toEqual([{ want: 'leg', expected: true, paused: false }]);
    expect(status(call())).toEqual({ kind: 'recording' });
  });

  test('inbound, accepted without our options: asked for at once, as nothing that was asked for before', async () => {
    const { made, wishes, slept } = setup();
    await made.joined(call());
    expect(slept).toEqual([]);
    expect(wishes).toEqual([{ want: 'leg', expected: false, paused: false }]);
  });

  test("theirs: the conference's is asked for, and is no less recorded where the leg's had to stand in", async () => {
    for (const kind of ['conference', 'leg'] as const) {
      const { made, answers, wishes, slept, status } = setup({ mode: 'theirs' }, keyValues(), true);
      answers.start = [startedAnswer({ of: kind })];
      await made.joined(call());
      expect(slept).toEqual([lookAfterMs]);
      expect(wishes).toEqual([{ want: 'conference', expected: true, paused: false }]);
      expect(status(call())).toEqual({ kind: 'recording' });
    }
  });

  test('both: the leg', async () => {
    const { made, wishes } = setup({ mode: 'both' }, keyValues(), true);
    made.accepted(call());
    await made.joined(call());
    expect(wishes).toMatchObject([{ want: 'leg', expected: true }]);
  });

  test('the host hears of each leg once, whatever becomes of its recording', async () => {
    const { made, joins, storage } = setup({ default: 'never' });
    await made.joined(call());
    await setup({ default: 'never' }, storage).made.joined(call());
    expect(joins).toMatchObject([
      { kind: 'joined', taskSid: call().taskSid, conferenceSid: call().conferenceSid, callSid: leg },
    ]);
    await made.joined(call({ leg: otherLeg }));
    expect(joins).toHaveLength(2);
  });

  test('outbound: started once the leg has joined', async () => {
    const { made, asked, status } = setup();
    made.accepted(call(outbound));
    expect(status(call(outbound))).toEqual({ kind: 'starting' });
    await made.joined(call(outbound));
    expect(asked).toEqual(['start']);
    expect(status(call(outbound))).toEqual({ kind: 'recording' });
  });

  test('outbound, recorded already: the Function says so and it is recorded once', async () => {
    const { made, answers, asked, status } = setup();
    answers.start = [startedAnswer({ started: false })];
    await made.joined(call(outbound));
    expect(asked).toEqual(['start']);
    expect(status(call(outbound))).toEqual({ kind: 'recording' });
  });

  test('internal: 0 by default, 1 where they are recorded, the caller’s', async () => {
    const caller = call({ direction: 'internal', caller: true });
    const callee = call({ direction: 'internal' });
    const none = setup();
    await none.made.joined(caller);
    await none.made.joined(callee);
    expect(none.asked).toEqual([]);
    expect(none.status(caller)).toEqual({ kind: 'not-recorded', reason: 'internal-call' });
    const one = setup({ internal: true });
    await one.made.joined(caller);
    await setup({ internal: true }).made.joined(callee);
    expect(one.asked).toEqual(['start']);
    // The called one is told the truth: the call is recorded.
    expect(setup({ internal: true }).status(callee)).toEqual({ kind: 'recording' });
  });

  test.each([
    ['never', { default: 'never' }],
    ['on demand', { default: 'on-demand' }],
    ['theirs', { mode: 'theirs' }],
  ])('%s: nothing', async (_what, recording) => {
    const { made, asked } = setup(recording);
    await made.joined(call());
    await made.joined(call(outbound));
    expect(asked).toEqual([]);
  });

  test.each([
    ['inbound', {}],
    ['outbound', outbound],
  ])('%s, a refresh asks again at once, as for what is there already', async (_what, more) => {
    const before = setup();
    before.made.accepted(call(more));
    await before.made.joined(call(more));
    const after = setup({}, before.storage);
    expect(after.status(call(more))).toEqual({ kind: 'starting' });
    await after.made.joined(call(more));
    expect(after.slept).toEqual([]);
    expect(after.wishes).toEqual([{ want: 'leg', expected: true, paused: false }]);
    expect(after.status(call(more))).toEqual({ kind: 'recording' });
  });

  test('a refresh during the start takes it up again', async () => {
    const storage = keyValues();
    callStates(storage).set(call().reservationSid, { leg });
    const { made, asked } = setup({}, storage);
    await made.joined(call(outbound));
    expect(asked).toEqual(['start']);
  });

  test('a refresh asks for what was started on demand, though the task could not be marked', async () => {
    const before = setup({ default: 'on-demand' });
    await before.made.start(call());
    const after = setup({ default: 'on-demand' }, before.storage);
    await after.made.joined(call());
    expect([after.asked, after.status(call())]).toEqual([['start'], { kind: 'recording' }]);
  });

  test('who joined again has another leg, with a recording of its own', async () => {
    const { made, asked, wishes, status } = setup();
    made.accepted(call());
    await made.joined(call());
    await made.joined(call({ leg: otherLeg }));
    expect(asked).toEqual(['start', 'start']);
    expect(wishes[1]).toMatchObject({ expected: false });
    expect(status(call({ leg: otherLeg }))).toEqual({ kind: 'recording' });
  });

  test('and if it cannot be, the recording of the first leg hides nothing', async () => {
    const { made, answers, status } = setup();
    await made.joined(call(outbound));
    answers.start = [fails('token_refused')];
    await made.joined(call({ ...outbound, leg: otherLeg }));
    expect(status(call(outbound))).toEqual({ kind: 'not-recorded', reason: 'start-failed' });
  });

  test('a leg whose SID Flex learns late is no other leg', async () => {
    const { made, joins, wishes } = setup();
    made.accepted(call());
    const { leg: _unknown, ...unnamed } = call();
    await made.joined(unnamed);
    await made.joined(call());
    expect(wishes.map(({ expected }) => expected)).toEqual([true, true]);
    expect(joins).toHaveLength(1);
  });

  test('an acceptance that could not carry the recording is made good once the leg has joined', async () => {
    const { made, asked, status } = setup();
    made.notRecorded(call(), 'accept-failed');
    expect(status(call())).toEqual({ kind: 'not-recorded', reason: 'accept-failed' });
    await made.joined(call());
    expect(asked).toEqual(['start']);
    expect(status(call())).toEqual({ kind: 'recording' });
  });
});

describe('a start that fails', () => {
  test.each<[Failure, string, number]>([
    ['unexpected', 'start-failed', 4],
    ['twilio_unavailable', 'start-failed', 4],
    ['timeout', 'host-unreachable', 4],
    ['offline', 'host-unreachable', 4],
    ['token_refused', 'start-failed', 1],
    ['config_invalid', 'start-failed', 1],
  ])('%s: %s after %i attempts, shown, told and remembered', async (failure, reason, attempts) => {
    const { made, answers, asked, reports, alerts, slept, status, storage } = setup();
    answers.start = [fails(failure)];
    await made.joined(call(outbound));
    expect(asked).toHaveLength(attempts);
    expect(slept).toEqual(retryDelaysMs.slice(0, attempts - 1));
    expect(status(call(outbound))).toEqual({ kind: 'not-recorded', reason });
    expect(reports).toMatchObject([{ kind: 'not-recorded', reason, reservationSid: call().reservationSid }]);
    expect(alerts).toEqual([`start ${failure}`]);
    const after = setup({}, storage);
    expect(after.status(call(outbound))).toEqual({ kind: 'not-recorded', reason });
    // And asked for again: Twilio may have it by now. The host knows of it already.
    after.answers.start = [fails(failure)];
    await after.made.joined(call(outbound));
    expect(after.status(call(outbound))).toEqual({ kind: 'not-recorded', reason });
    expect(after.reports).toEqual([]);
  });

  test('what was asked for with the acceptance and is not there: shown, and reported', async () => {
    const { made, answers, alerts, reports, status } = setup();
    made.accepted(call());
    answers.start = [fails('twilio_refused')];
    await made.joined(call());
    expect(status(call())).toEqual({ kind: 'not-recorded', reason: 'start-failed' });
    expect(reports).toMatchObject([{ kind: 'not-recorded', reason: 'start-failed' }]);
    expect(alerts).toEqual(['start twilio_refused']);
  });

  test('an attempt after one without an answer looks for what that may have started', async () => {
    const { made, answers, wishes } = setup();
    answers.start = [fails('timeout'), started];
    await made.joined(call(outbound));
    expect(wishes.map(({ expected }) => expected)).toEqual([false, true]);
  });

  test.each([
    ['before Twilio was asked', 0, []],
    ['while Twilio was asked', 1, ['start']],
  ])('a call that ended %s is no alarm', async (_what, asks, expected) => {
    const { made, answers, asked, alerts, reports, now } = setup();
    made.accepted(call());
    answers.start = [fails('call_not_live')];
    const ended = call({ live: false });
    now.look = () => (asked.length >= asks ? ended : undefined);
    await made.joined(call());
    expect([asked, alerts, reports]).toEqual([expected, [], []]);
  });

  test('what is unexpected is shown too', async () => {
    const { made, answers, reports, status } = setup();
    answers.start = [Promise.reject(new Error('boom')) as never];
    await made.joined(call());
    expect(status(call())).toMatchObject({ kind: 'not-recorded' });
    expect(reports).toHaveLength(1);
  });

  test('an attempt that succeeds ends it', async () => {
    const { made, answers, asked, alerts, reports, status } = setup();
    answers.start = [fails('call_not_live'), fails('timeout'), started];
    await made.joined(call(outbound));
    expect(asked).toEqual(['start', 'start', 'start']);
    expect(status(call(outbound))).toEqual({ kind: 'recording' });
    expect([alerts, reports]).toEqual([[], []]);
  });

  test('a call that has ended meanwhile is asked for no longer', async () => {
    const { made, answers, asked, alerts, now } = setup();
    answers.start = [fails('call_not_live')];
    now.call = call({ ...outbound, live: false });
    await made.joined(call(outbound));
    expect([asked, alerts]).toEqual([['start'], []]);
  });

  test('the agent tries again, and it is recorded', async () => {
    const { made, answers, reports, status } = setup();
    answers.start = [fails('token_refused'), started];
    await made.joined(call(outbound));
    await made.start(call(outbound));
    expect(status(call(outbound))).toEqual({ kind: 'recording' });
    expect(reports).toHaveLength(1);
  });
});

import type { CallSid, PauseAnswer, Report, StartRecordingAnswer } from '@flex-custody/core';
import type { Answer, Failure, StartWish } from '../api/call-control';
import type { Call } from '../state/call';
import { callStates } from '../state/call-states';
import { pausePolicy } from '../state/pause-settings';
import { statusOf } from '../state/status';
import { call, keyValues, settings, sid } from '../testing';
import { lookAfterMs, retryDelaysMs } from './confirm';
import { planFor } from './plan';
import { recorder } from './recorder';

const recordingSid = sid('RE') as StartRecordingAnswer['recordingSid'];
const leg = sid('CA', '9') as CallSid;
const otherLeg = sid('CA', '8') as CallSid;
const startedAnswer = (more: Partial<StartRecordingAnswer> = {}): Answer<StartRecordingAnswer> => ({
  ok: true,
  value: { recordingSid, callSid: leg, started: true, of: 'leg', ...more },
});
const started = startedAnswer();
const paused = (more: Partial<PauseAnswer> = {}): Answer<PauseAnswer> => ({
  ok: true,
  value: {
    state: 'paused',
    since: 500,
    recordings: [{ recordingSid, of: 'leg' }],
    reported: true,
    marked: true,
    ...more,
  },
});
const fails = (failure: Failure) => ({ ok: false, failure }) as const;
const pausedBefore = { flex_custody: { paused: { since: 400, by: sid('WK', '2') } } };
const outbound: Partial<Call> = { direction: 'outbound' };

/** A desk at which the Functions answer as told, one after the other, the last one again and again. */
function desk(recording: object = {}, storage = keyValues(), flexRecords = false) {
  const asked: string[] = [];
  const wishes: StartWish[] = [];
  const reports: Report[] = [];
  const joins: Report[] = [];
  const alerts: string[] = [];
  const slept: number[] = [];
  const answers = {
    start: [started] as Answer<StartRecordingAnswer>[],
    pause: [paused()] as Answer<PauseAnswer>[],
    resume: [paused({ state: 'recording' })] as Answer<PauseAnswer>[],
  };
  const next = <T>(of: Answer<T>[], what: string): Promise<Answer<T>> => {
    asked.push(what);
    return Promise.resolve(of.length > 1 ? of.shift()! : of[0]!);
  };
  const states = callStates(storage);
  const policy = pausePolicy(
    async () => undefined,
    () => 0,
  );
  const now: { call: Call | undefined; look?: () => Call | undefined } = { call: undefined };
  const plan = (seen: Call) => planFor(settings({ ...recording }), flexRecords, seen);
  const made = recorder({
    control: {
      start: (_call, wish) => {
        wishes.push(wish);
        return next(answers.start, 'start');
      },
      pause: () => next(answers.pause, 'pause'),
      resume: () => next(answers.resume, 'resume'),
    },
    states,
    policy,
    reports: {
      add: (report) => (report.kind === 'joined' ? joins : reports).push(report),
      flush: async () => undefined,
    },
    plan,
    again: (seen) => now.look?.() ?? now.call ?? seen,
    stamp: { id: () => 'an-id', now: () => 1000 },
    sleep: async (ms) => void slept.push(ms),
    alert: (what, failure) => alerts.push(`${what} ${failure}`),
    log: () => undefined,
  });
  const status = (seen: Call) => statusOf(plan(seen), seen, states.get(seen.reservationSid), 1000, 0);
  return {
    made,
    answers,
    asked,
    wishes,
    joins,
    reports,
    alerts,
    slept,
    states,
    policy,
    now,
    status,
    storage,
  };
}

describe('which leg is asked for when it has joined', () => {
  test('inbound, accepted here: what Twilio has is asked some seconds later, and nothing counts before', async () => {
    const { made, wishes, slept, status } = desk();
    made.accepted(call());
    const joined = made.joined(call());
    expect(status(call())).toEqual({ kind: 'starting' });
    await joined;
    expect(slept).toEqual([lookAfterMs]);
    expect(wishes).toEqual([{ want: 'leg', expected: true, paused: false }]);
    expect(status(call())).toEqual({ kind: 'recording' });
  });

  test('inbound, accepted without our options: asked for at once, as nothing that was asked for before', async () => {
    const { made, wishes, slept } = desk();
    await made.joined(call());
    expect(slept).toEqual([]);
    expect(wishes).toEqual([{ want: 'leg', expected: false, paused: false }]);
  });

  test("theirs: the conference's is asked for, and is no less recorded where the leg's had to stand in", async () => {
    for (const kind of ['conference', 'leg'] as const) {
      const { made, answers, wishes, slept, status } = desk({ mode: 'theirs' }, keyValues(), true);
      answers.start = [startedAnswer({ of: kind })];
      await made.joined(call());
      expect(slept).toEqual([lookAfterMs]);
      expect(wishes).toEqual([{ want: 'conference', expected: true, paused: false }]);
      expect(status(call())).toEqual({ kind: 'recording' });
    }
  });

  test('both: the leg', async () => {
    const { made, wishes } = desk({ mode: 'both' }, keyValues(), true);
    made.accepted(call());
    await made.joined(call());
    expect(wishes).toMatchObject([{ want: 'leg', expected: true }]);
  });

  test('the host hears of each leg once, whatever becomes of its recording', async () => {
    const { made, joins, storage } = desk({ default: 'never' });
    await made.joined(call());
    await desk({ default: 'never' }, storage).made.joined(call());
    expect(joins).toMatchObject([
      { kind: 'joined', taskSid: call().taskSid, conferenceSid: call().conferenceSid, callSid: leg },
    ]);
    await made.joined(call({ leg: otherLeg }));
    expect(joins).toHaveLength(2);
  });

  test('outbound: started once the leg has joined', async () => {
    const { made, asked, status } = desk();
    made.accepted(call(outbound));
    expect(status(call(outbound))).toEqual({ kind: 'starting' });
    await made.joined(call(outbound));
    expect(asked).toEqual(['start']);
    expect(status(call(outbound))).toEqual({ kind: 'recording' });
  });

  test('outbound, recorded already: the Function says so and it is recorded once', async () => {
    const { made, answers, asked, status } = desk();
    answers.start = [startedAnswer({ started: false })];
    await made.joined(call(outbound));
    expect(asked).toEqual(['start']);
    expect(status(call(outbound))).toEqual({ kind: 'recording' });
  });

  test('internal: 0 by default, 1 where they are recorded, the caller’s', async () => {
    const caller = call({ direction: 'internal', caller: true });
    const callee = call({ direction: 'internal' });
    const none = desk();
    await none.made.joined(caller);
    await none.made.joined(callee);
    expect(none.asked).toEqual([]);
    expect(none.status(caller)).toEqual({ kind: 'not-recorded', reason: 'internal-call' });
    const one = desk({ internal: true });
    await one.made.joined(caller);
    await desk({ internal: true }).made.joined(callee);
    expect(one.asked).toEqual(['start']);
    // The called one is told the truth: the call is recorded.
    expect(desk({ internal: true }).status(callee)).toEqual({ kind: 'recording' });
  });

  test.each([
    ['never', { default: 'never' }],
    ['on demand', { default: 'on-demand' }],
    ['theirs', { mode: 'theirs' }],
  ])('%s: nothing', async (_what, recording) => {
    const { made, asked } = desk(recording);
    await made.joined(call());
    await made.joined(call(outbound));
    expect(asked).toEqual([]);
  });

  test.each([
    ['inbound', {}],
    ['outbound', outbound],
  ])('%s, a refresh asks again at once, as for what is there already', async (_what, more) => {
    const before = desk();
    before.made.accepted(call(more));
    await before.made.joined(call(more));
    const after = desk({}, before.storage);
    expect(after.status(call(more))).toEqual({ kind: 'starting' });
    await after.made.joined(call(more));
    expect(after.slept).toEqual([]);
    expect(after.wishes).toEqual([{ want: 'leg', expected: true, paused: false }]);
    expect(after.status(call(more))).toEqual({ kind: 'recording' });
  });

  test('a refresh during the start takes it up again', async () => {
    const storage = keyValues();
    callStates(storage).set(call().reservationSid, { leg });
    const { made, asked } = desk({}, storage);
    await made.joined(call(outbound));
    expect(asked).toEqual(['start']);
  });

  test('a refresh asks for what was started on demand, though the task could not be marked', async () => {
    const before = desk({ default: 'on-demand' });
    await before.made.start(call());
    const after = desk({ default: 'on-demand' }, before.storage);
    await after.made.joined(call());
    expect([after.asked, after.status(call())]).toEqual([['start'], { kind: 'recording' }]);
  });

  test('who joined again has another leg, with a recording of its own', async () => {
    const { made, asked, wishes, status } = desk();
    made.accepted(call());
    await made.joined(call());
    await made.joined(call({ leg: otherLeg }));
    expect(asked).toEqual(['start', 'start']);
    expect(wishes[1]).toMatchObject({ expected: false });
    expect(status(call({ leg: otherLeg }))).toEqual({ kind: 'recording' });
  });

  test('and if it cannot be, the recording of the first leg hides nothing', async () => {
    const { made, answers, status } = desk();
    await made.joined(call(outbound));
    answers.start = [fails('token_refused')];
    await made.joined(call({ ...outbound, leg: otherLeg }));
    expect(status(call(outbound))).toEqual({ kind: 'not-recorded', reason: 'start-failed' });
  });

  test('a leg whose SID Flex learns late is no other leg', async () => {
    const { made, joins, wishes } = desk();
    made.accepted(call());
    const { leg: _unknown, ...unnamed } = call();
    await made.joined(unnamed);
    await made.joined(call());
    expect(wishes.map(({ expected }) => expected)).toEqual([true, true]);
    expect(joins).toHaveLength(1);
  });

  test('an acceptance that could not carry the recording is made good once the leg has joined', async () => {
    const { made, asked, status } = desk();
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
    const { made, answers, asked, reports, alerts, slept, status, storage } = desk();
    answers.start = [fails(failure)];
    await made.joined(call(outbound));
    expect(asked).toHaveLength(attempts);
    expect(slept).toEqual(retryDelaysMs.slice(0, attempts - 1));
    expect(status(call(outbound))).toEqual({ kind: 'not-recorded', reason });
    expect(reports).toMatchObject([{ kind: 'not-recorded', reason, reservationSid: call().reservationSid }]);
    expect(alerts).toEqual([`start ${failure}`]);
    const after = desk({}, storage);
    expect(after.status(call(outbound))).toEqual({ kind: 'not-recorded', reason });
    // And asked for again: Twilio may have it by now. The host knows of it already.
    after.answers.start = [fails(failure)];
    await after.made.joined(call(outbound));
    expect(after.status(call(outbound))).toEqual({ kind: 'not-recorded', reason });
    expect(after.reports).toEqual([]);
  });

  test('what was asked for with the acceptance and is not there: shown, and reported', async () => {
    const { made, answers, alerts, reports, status } = desk();
    made.accepted(call());
    answers.start = [fails('twilio_refused')];
    await made.joined(call());
    expect(status(call())).toEqual({ kind: 'not-recorded', reason: 'start-failed' });
    expect(reports).toMatchObject([{ kind: 'not-recorded', reason: 'start-failed' }]);
    expect(alerts).toEqual(['start twilio_refused']);
  });

  test('an attempt after one without an answer looks for what that may have started', async () => {
    const { made, answers, wishes } = desk();
    answers.start = [fails('timeout'), started];
    await made.joined(call(outbound));
    expect(wishes.map(({ expected }) => expected)).toEqual([false, true]);
  });

  test.each([
    ['before Twilio was asked', 0, []],
    ['while Twilio was asked', 1, ['start']],
  ])('a call that ended %s is no alarm', async (_what, asks, expected) => {
    const { made, answers, asked, alerts, reports, now } = desk();
    made.accepted(call());
    answers.start = [fails('call_not_live')];
    const ended = call({ live: false });
    now.look = () => (asked.length >= asks ? ended : undefined);
    await made.joined(call());
    expect([asked, alerts, reports]).toEqual([expected, [], []]);
  });

  test('what is unexpected is shown too', async () => {
    const { made, answers, reports, status } = desk();
    answers.start = [Promise.reject(new Error('boom')) as never];
    await made.joined(call());
    expect(status(call())).toMatchObject({ kind: 'not-recorded' });
    expect(reports).toHaveLength(1);
  });

  test('an attempt that succeeds ends it', async () => {
    const { made, answers, asked, alerts, reports, status } = desk();
    answers.start = [fails('call_not_live'), fails('timeout'), started];
    await made.joined(call(outbound));
    expect(asked).toEqual(['start', 'start', 'start']);
    expect(status(call(outbound))).toEqual({ kind: 'recording' });
    expect([alerts, reports]).toEqual([[], []]);
  });

  test('a call that has ended meanwhile is asked for no longer', async () => {
    const { made, answers, asked, alerts, now } = desk();
    answers.start = [fails('call_not_live')];
    now.call = call({ ...outbound, live: false });
    await made.joined(call(outbound));
    expect([asked, alerts]).toEqual([['start'], []]);
  });

  test('the agent tries again, and it is recorded', async () => {
    const { made, answers, reports, status } = desk();
    answers.start = [fails('token_refused'), started];
    await made.joined(call(outbound));
    await made.start(call(outbound));
    expect(status(call(outbound))).toEqual({ kind: 'recording' });
    expect(reports).toHaveLength(1);
  });
});

describe('on demand', () => {
  test('starts when the agent asks', async () => {
    const { made, asked, status } = desk({ default: 'on-demand' });
    await made.joined(call());
    expect(status(call())).toEqual({ kind: 'not-recorded', reason: 'on-demand' });
    await made.start(call());
    expect(asked).toEqual(['start']);
    expect(status(call())).toEqual({ kind: 'recording' });
  });

  test('in vain: said beside the button, asked once', async () => {
    const { made, answers, asked, alerts, states } = desk({ default: 'on-demand' });
    answers.start = [fails('twilio_refused')];
    await made.start(call());
    expect(asked).toEqual(['start']);
    expect(states.get(call().reservationSid)).toMatchObject({
      error: { asked: 'start', failure: 'twilio_refused' },
    });
    expect(alerts).toEqual([]);
  });

  test('clicked twice, asked once', async () => {
    const { made, asked } = desk({ default: 'on-demand' });
    await Promise.all([made.start(call()), made.start(call())]);
    expect(asked).toEqual(['start']);
  });
});

describe('pause and resume', () => {
  test('pauses, shows it at once, and resumes', async () => {
    const { made, status } = desk();
    await made.joined(call());
    await made.pause(call());
    expect(status(call())).toEqual({ kind: 'paused', since: 500 });
    await made.resume(call());
    expect(status(call())).toEqual({ kind: 'recording' });
  });

  test('a pause that the task could not be marked with survives a refresh', async () => {
    const { made, answers, storage } = desk();
    made.accepted(call());
    answers.pause = [paused({ marked: false })];
    await made.pause(call());
    expect(desk({}, storage).status(call())).toEqual({ kind: 'paused', since: 500 });
  });

  test('what the host has not heard of is reported', async () => {
    const { made, answers, reports } = desk();
    answers.pause = [paused({ reported: false })];
    answers.resume = [paused({ state: 'recording', reported: false })];
    await made.pause(call());
    await made.resume(call());
    expect(reports).toMatchObject([
      { kind: 'paused', at: 500, conferenceSid: call().conferenceSid, recordings: [recordingSid] },
      { kind: 'resumed', conferenceSid: call().conferenceSid },
    ]);
  });

  test('what the host has heard of is not reported again', async () => {
    const { made, reports } = desk();
    await made.pause(call());
    expect(reports).toEqual([]);
  });

  test.each<Failure>(['unexpected', 'timeout', 'offline', 'call_not_live'])(
    '%s: still recording, and said why',
    async (failure) => {
      const { made, answers, status, states, asked } = desk();
      await made.joined(call());
      answers.pause = [fails(failure)];
      await made.pause(call());
      expect(asked).toEqual(['start', 'pause']);
      expect(status(call())).toEqual({ kind: 'recording' });
      expect(states.get(call().reservationSid).error).toEqual({ asked: 'pause', failure });
    },
  );

  test('nothing is recorded, whatever was shown: reported, started in silence, and paused', async () => {
    const { made, answers, asked, wishes, reports, status, states } = desk();
    await made.joined(call());
    answers.pause = [fails('nothing_recorded'), paused()];
    const seen: unknown[] = [];
    states.subscribe(() => seen.push(status(call())?.kind));
    await made.pause(call());
    expect(asked).toEqual(['start', 'pause', 'start', 'pause']);
    expect(wishes[1]).toEqual({ want: 'leg', expected: false, paused: true });
    expect(reports).toMatchObject([{ kind: 'not-recorded', reason: 'start-failed' }]);
    expect(seen).toContain('not-recorded');
    expect(status(call())).toEqual({ kind: 'paused', since: 500 });
    await made.resume(call());
    await made.joined(call({ leg: otherLeg }));
    expect(wishes[2]).toMatchObject({ paused: false });
  });

  test.each([
    ['and cannot be', [fails('twilio_refused')], ['pause', 'start', 'start', 'start', 'start']],
    ['and it stays so', [started], ['pause', 'start', 'pause', 'pause', 'pause', 'pause']],
  ])('nothing is recorded, %s: not recorded, and no error that says otherwise', async (_what, start, all) => {
    const { made, answers, asked, reports, status, states } = desk();
    answers.start = start;
    answers.pause = [fails('nothing_recorded')];
    await made.pause(call());
    expect(asked).toEqual(all);
    expect(status(call())).toEqual({ kind: 'not-recorded', reason: 'start-failed' });
    expect(states.get(call().reservationSid).error).toBeUndefined();
    expect(reports).toHaveLength(1);
  });

  test('while the recording is being looked for, a pause waits for it, and no second start is asked for', async () => {
    const { made, answers, asked, reports, status } = desk();
    made.accepted(call());
    answers.pause = [fails('nothing_recorded'), paused()];
    await Promise.all([made.joined(call()), made.pause(call())]);
    expect(asked).toEqual(['pause', 'start', 'pause']);
    expect(reports).toEqual([]);
    expect(status(call())).toEqual({ kind: 'paused', since: 500 });
  });

  test('the next attempt takes the error away', async () => {
    const { made, answers, states } = desk();
    answers.pause = [fails('timeout'), paused()];
    await made.pause(call());
    await made.pause(call());
    expect(states.get(call().reservationSid).error).toBeUndefined();
  });

  test('pausing is off: said so, and offered no longer', async () => {
    const { made, answers, policy, states } = desk();
    answers.pause = [fails('pause_disabled')];
    await made.pause(call());
    expect(policy.current.enabled).toBe(false);
    expect(states.get(call().reservationSid).error?.failure).toBe('pause_disabled');
  });
});

describe('a pause follows a transfer', () => {
  const transferred = call({ transferred: true, attributes: pausedBefore });

  test('the leg of who takes over is paused too', async () => {
    const { made, asked, status } = desk();
    made.accepted(transferred);
    await made.joined(transferred);
    expect(asked).toEqual(['pause', 'start']);
    expect(status(transferred)).toMatchObject({ kind: 'paused' });
  });

  test('after its recording was started, where the acceptance did not', async () => {
    const { made, asked } = desk();
    await made.joined(transferred);
    expect(asked).toEqual(['start', 'pause']);
  });

  test('not again after a refresh', async () => {
    const { made, storage } = desk();
    made.accepted(transferred);
    await made.joined(transferred);
    const after = desk({}, storage);
    await after.made.joined(transferred);
    expect(after.asked).toEqual(['start']);
  });

  test('Twilio may not know the leg yet: asked again; in vain, it is shown', async () => {
    const good = desk();
    good.made.accepted(transferred);
    good.answers.pause = [fails('nothing_recorded'), paused()];
    await good.made.joined(transferred);
    expect([good.asked, good.alerts]).toEqual([['pause', 'start', 'pause'], []]);
    const bad = desk();
    bad.made.accepted(transferred);
    bad.answers.pause = [fails('pause_disabled')];
    await bad.made.joined(transferred);
    expect(bad.alerts).toEqual(['follow pause_disabled']);
  });

  test('a call that is not paused stays so', async () => {
    const { made, asked } = desk();
    made.accepted(call({ transferred: true }));
    await made.joined(call({ transferred: true }));
    expect(asked).toEqual(['start']);
  });
});

test('what nobody expected ends in the log, and the buttons work again', async () => {
  const { made, answers, states, asked } = desk();
  answers.pause = [Promise.reject(new Error('boom')) as never, paused()];
  await expect(made.pause(call())).resolves.toBeUndefined();
  expect(states.get(call().reservationSid).busy).toBeUndefined();
  await made.pause(call());
  expect(asked).toEqual(['pause', 'pause']);
});

test('the same reason is told once for a call, another one again', () => {
  const { made, reports } = desk();
  made.notRecorded(call(), 'rule');
  made.notRecorded(call(), 'rule');
  made.notRecorded(call(), 'start-failed');
  expect(reports.map((report) => report.kind === 'not-recorded' && report.reason)).toEqual([
    'rule',
    'start-failed',
  ]);
});

test('a double recording is told', () => {
  const { made, reports } = desk();
  made.doubled(call());
  expect(reports).toMatchObject([{ kind: 'double-recording', taskSid: call().taskSid }]);
});

import type { CallSid, PauseAnswer, Report, StartRecordingAnswer } from '@flex-custody/core';
import type { Answer, Failure } from '../api/call-control';
import type { Call } from '../state/call';
import { callStates } from '../state/call-states';
import { pausePolicy } from '../state/pause-settings';
import { statusOf } from '../state/status';
import { call, keyValues, settings, sid } from '../testing';
import { planFor } from './plan';
import { recorder, retryDelaysMs } from './recorder';

const recordingSid = sid('RE') as StartRecordingAnswer['recordingSid'];
const leg = sid('CA', '9') as CallSid;
const otherLeg = sid('CA', '8') as CallSid;
const started: Answer<StartRecordingAnswer> = {
  ok: true,
  value: { recordingSid, callSid: leg, started: true },
};
const paused = (more: Partial<PauseAnswer> = {}): Answer<PauseAnswer> => ({
  ok: true,
  value: {
    state: 'paused',
    since: 500,
    recordings: { legs: 1, conference: 0 },
    reported: true,
    marked: true,
    ...more,
  },
});
const fails = (failure: Failure) => ({ ok: false, failure }) as const;
const pausedBefore = { flex_custody: { paused: { since: 400, by: sid('WK', '2') } } };
const outbound: Partial<Call> = { direction: 'outbound' };

/** A desk at which the Functions answer as told, one after the other, the last one again and again. */
function desk(recording: object = {}, storage = keyValues()) {
  const asked: string[] = [];
  const reports: Report[] = [];
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
  const now: { call: Call | undefined } = { call: undefined };
  const plan = (seen: Call) => planFor(settings({ ...recording }), false, seen);
  const made = recorder({
    control: {
      start: () => next(answers.start, 'start'),
      pause: () => next(answers.pause, 'pause'),
      resume: () => next(answers.resume, 'resume'),
    },
    states,
    policy,
    reports: { add: (report) => reports.push(report), flush: async () => undefined },
    plan,
    again: (seen) => now.call ?? seen,
    stamp: { id: () => 'an-id', now: () => 1000 },
    sleep: async (ms) => void slept.push(ms),
    alert: (what, failure) => alerts.push(`${what} ${failure}`),
    log: () => undefined,
  });
  const status = (seen: Call) => statusOf(plan(seen), seen, states.get(seen.reservationSid), 1000, 0);
  return { made, answers, asked, reports, alerts, slept, states, policy, now, status, storage };
}

describe('which leg is asked for when it has joined', () => {
  test('inbound, accepted here: nothing, the acceptance did it', async () => {
    const { made, asked, status } = desk();
    made.accepted(call());
    await made.joined(call());
    expect(asked).toEqual([]);
    expect(status(call())).toEqual({ kind: 'recording' });
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
    answers.start = [{ ok: true, value: { ...started.value, started: false } } as typeof started];
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

  test('a refresh restarts nothing', async () => {
    const before = desk();
    before.made.accepted(call());
    await before.made.joined(call());
    const after = desk({}, before.storage);
    await after.made.joined(call());
    expect(after.asked).toEqual([]);
    expect(after.status(call())).toEqual({ kind: 'recording' });
  });

  test('a refresh restarts nothing outbound either', async () => {
    const before = desk();
    await before.made.joined(call(outbound));
    const after = desk({}, before.storage);
    await after.made.joined(call(outbound));
    expect(after.asked).toEqual([]);
    expect(after.status(call(outbound))).toEqual({ kind: 'recording' });
  });

  test('a refresh amid the start takes it up again', async () => {
    const storage = keyValues();
    callStates(storage).set(call().reservationSid, { leg });
    const { made, asked } = desk({}, storage);
    await made.joined(call(outbound));
    expect(asked).toEqual(['start']);
  });

  test('who joined again has another leg, which is recorded anew', async () => {
    const { made, asked, status } = desk();
    made.accepted(call());
    await made.joined(call());
    await made.joined(call({ leg: otherLeg }));
    expect(asked).toEqual(['start']);
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
    const { made, asked } = desk();
    made.accepted(call());
    const { leg: _unknown, ...unnamed } = call();
    await made.joined(unnamed);
    await made.joined(call());
    expect(asked).toEqual([]);
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
    await after.made.joined(call(outbound));
    expect(after.status(call(outbound))).toEqual({ kind: 'not-recorded', reason });
    expect(after.asked).toEqual([]);
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
    made.accepted(call());
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
      { kind: 'paused', at: 500, conferenceSid: call().conferenceSid },
      { kind: 'resumed', conferenceSid: call().conferenceSid },
    ]);
  });

  test('what the host has heard of is not reported again', async () => {
    const { made, reports } = desk();
    await made.pause(call());
    expect(reports).toEqual([]);
  });

  test.each<Failure>(['unexpected', 'timeout', 'offline', 'call_not_live', 'nothing_recorded'])(
    '%s: still recording, and said why',
    async (failure) => {
      const { made, answers, status, states, asked } = desk();
      made.accepted(call());
      answers.pause = [fails(failure)];
      await made.pause(call());
      expect(asked).toEqual(['pause']);
      expect(status(call())).toEqual({ kind: 'recording' });
      expect(states.get(call().reservationSid).error).toEqual({ asked: 'pause', failure });
    },
  );

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
    expect(asked).toEqual(['pause']);
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
    expect(after.asked).toEqual([]);
  });

  test('Twilio may not know the leg yet: asked again; in vain, it is shown', async () => {
    const good = desk();
    good.made.accepted(transferred);
    good.answers.pause = [fails('nothing_recorded'), paused()];
    await good.made.joined(transferred);
    expect([good.asked, good.alerts]).toEqual([['pause', 'pause'], []]);
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
    expect(asked).toEqual([]);
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

import type { Failure } from '../api/call-control';
import { call } from '../testing';
import { fails, otherLeg, paused, pausedBefore, setup, started } from './testing';

describe('on demand', () => {
  test('starts when the agent asks', async () => {
    const { made, asked, status } = setup({ default: 'on-demand' });
    await made.joined(call());
    expect(status(call())).toEqual({ kind: 'not-recorded', reason: 'on-demand' });
    await made.start(call());
    expect(asked).toEqual(['start']);
    expect(status(call())).toEqual({ kind: 'recording' });
  });

  test('in vain: said beside the button, asked once', async () => {
    const { made, answers, asked, alerts, states } = setup({ default: 'on-demand' });
    answers.start = [fails('twilio_refused')];
    await made.start(call());
    expect(asked).toEqual(['start']);
    expect(states.get(call().reservationSid)).toMatchObject({
      error: { asked: 'start', failure: 'twilio_refused' },
    });
    expect(alerts).toEqual([]);
  });

  test('clicked twice, asked once', async () => {
    const { made, asked } = setup({ default: 'on-demand' });
    await Promise.all([made.start(call()), made.start(call())]);
    expect(asked).toEqual(['start']);
  });
});

describe('pause and resume', () => {
  test('pauses, shows it at once, and resumes', async () => {
    const { made, status } = setup();
    await made.joined(call());
    await made.pause(call());
    expect(status(call())).toEqual({ kind: 'paused', since: 500 });
    await made.resume(call());
    expect(status(call())).toEqual({ kind: 'recording' });
  });

  test('a pause that the task could not be marked with survives a refresh', async () => {
    const { made, answers, storage } = setup();
    made.accepted(call());
    answers.pause = [paused({ marked: false })];
    await made.pause(call());
    expect(setup({}, storage).status(call())).toEqual({ kind: 'paused', since: 500 });
  });

  test('what the host has not heard of is reported', async () => {
    const { made, answers, reports } = setup();
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
    const { made, reports } = setup();
    await made.pause(call());
    expect(reports).toEqual([]);
  });

  test.each<Failure>(['unexpected', 'timeout', 'offline', 'call_not_live'])(
    '%s: still recording, and said why',
    async (failure) => {
      const { made, answers, status, states, asked } = setup();
      await made.joined(call());
      answers.pause = [fails(failure)];
      await made.pause(call());
      expect(asked).toEqual(['start', 'pause']);
      expect(status(call())).toEqual({ kind: 'recording' });
      expect(states.get(call().reservationSid).error).toEqual({ asked: 'pause', failure });
    },
  );

  test('nothing is recorded, whatever was shown: reported, started in silence, and paused', async () => {
    const { made, answers, asked, wishes, reports, status, states } = setup();
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
    const { made, answers, asked, reports, status, states } = setup();
    answers.start = start;
    answers.pause = [fails('nothing_recorded')];
    await made.pause(call());
    expect(asked).toEqual(all);
    expect(status(call())).toEqual({ kind: 'not-recorded', reason: 'start-failed' });
    expect(states.get(call().reservationSid).error).toBeUndefined();
    expect(reports).toHaveLength(1);
  });

  test('while the recording is being looked for, a pause waits for it, and no second start is asked for', async () => {
    const { made, answers, asked, reports, status } = setup();
    made.accepted(call());
    answers.pause = [fails('nothing_recorded'), paused()];
    await Promise.all([made.joined(call()), made.pause(call())]);
    expect(asked).toEqual(['pause', 'start', 'pause']);
    expect(reports).toEqual([]);
    expect(status(call())).toEqual({ kind: 'paused', since: 500 });
  });

  test('the next attempt takes the error away', async () => {
    const { made, answers, states } = setup();
    answers.pause = [fails('timeout'), paused()];
    await made.pause(call());
    await made.pause(call());
    expect(states.get(call().reservationSid).error).toBeUndefined();
  });

  test('pausing is off: said so, and offered no longer', async () => {
    const { made, answers, policy, states } = setup();
    answers.pause = [fails('pause_disabled')];
    await made.pause(call());
    expect(policy.current.enabled).toBe(false);
    expect(states.get(call().reservationSid).error?.failure).toBe('pause_disabled');
  });
});

describe('a pause follows a transfer', () => {
  const transferred = call({ transferred: true, attributes: pausedBefore });

  test('the leg of who takes over is paused too', async () => {
    const { made, asked, status } = setup();
    made.accepted(transferred);
    await made.joined(transferred);
    expect(asked).toEqual(['pause', 'start']);
    expect(status(transferred)).toMatchObject({ kind: 'paused' });
  });

  test('after its recording was started, where the acceptance did not', async () => {
    const { made, asked } = setup();
    await made.joined(transferred);
    expect(asked).toEqual(['start', 'pause']);
  });

  test('not again after a refresh', async () => {
    const { made, storage } = setup();
    made.accepted(transferred);
    await made.joined(transferred);
    const after = setup({}, storage);
    await after.made.joined(transferred);
    expect(after.asked).toEqual(['start']);
  });

  test('Twilio may not know the leg yet: asked again; in vain, it is shown', async () => {
    const good = setup();
    good.made.accepted(transferred);
    good.answers.pause = [fails('nothing_recorded'), paused()];
    await good.made.joined(transferred);
    expect([good.asked, good.alerts]).toEqual([['pause', 'start', 'pause'], []]);
    const bad = setup();
    bad.made.accepted(transferred);
    bad.answers.pause = [fails('pause_disabled')];
    await bad.made.joined(transferred);
    expect(bad.alerts).toEqual(['follow pause_disabled']);
  });

  test('a call that is not paused stays so', async () => {
    const { made, asked } = setup();
    made.accepted(call({ transferred: true }));
    await made.joined(call({ transferred: true }));
    expect(asked).toEqual(['start']);
  });
});

test('what nobody expected ends in the log, and the buttons work again', async () => {
  const { made, answers, states, asked } = setup();
  answers.pause = [Promise.reject(new Error('boom')) as never, paused()];
  await expect(made.pause(call())).resolves.toBeUndefined();
  expect(states.get(call().reservationSid).busy).toBeUndefined();
  await made.pause(call());
  expect(asked).toEqual(['pause', 'pause']);
});

test('the same reason is told once for a call, another one again', () => {
  const { made, reports } = setup();
  made.notRecorded(call(), 'rule');
  made.notRecorded(call(), 'rule');
  made.notRecorded(call(), 'start-failed');
  expect(reports.map((report) => report.kind === 'not-recorded' && report.reason)).toEqual([
    'rule',
    'start-failed',
  ]);
});

test('a double recording is told', () => {
  const { made, reports } = setup();
  made.doubled(call());
  expect(reports).toMatchObject([{ kind: 'double-recording', taskSid: call().taskSid }]);
});

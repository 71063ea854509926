import type { CallSid, PauseAnswer, Report, StartOptions, StartRecordingAnswer } from '@flex-custody/core';
import type { Answer, Failure } from '../api/call-control';
import type { Call } from '../state/call';
import { callStates } from '../state/call-states';
import { pausePolicy } from '../state/pause-settings';
import { statusOf } from '../state/status';
import { keyValues, settings, sid } from '../testing';
import { planFor } from './plan';
import { recorder } from './recorder';

export const recordingSid = sid('RE') as StartRecordingAnswer['recordingSid'];
export const leg = sid('CA', '9') as CallSid;
export const otherLeg = sid('CA', '8') as CallSid;
export const startedAnswer = (more: Partial<StartRecordingAnswer> = {}): Answer<StartRecordingAnswer> => ({
  ok: true,
  value: { recordingSid, callSid: leg, started: true, of: 'leg', ...more },
});
export const started = startedAnswer();
export const paused = (more: Partial<PauseAnswer> = {}): Answer<PauseAnswer> => ({
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
export const fails = (failure: Failure) => ({ ok: false, failure }) as const;
export const pausedBefore = { flex_custody: { paused: { since: 400, by: sid('WK', '2') } } };
export const outbound: Partial<Call> = { direction: 'outbound' };

/** A recorder whose Functions give the answers of these lists in order, and the last one for ever. */
export function setup(recording: object = {}, storage = keyValues(), flexRecords = false) {
  const asked: string[] = [];
  const wishes: StartOptions[] = [];
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
    const answer = of.length > 1 ? of.shift() : of[0];
    return answer ? Promise.resolve(answer) : Promise.reject(new Error('no answer is prepared'));
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

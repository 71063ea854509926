import { type NotRecordedReason, readTaskMark } from '@flex-custody/core';
import type { Plan } from '../actions/plan';
import type { Call } from './call';
import type { CallState } from './call-states';
import { pauseOf } from './pause';

/** What the indicator says of a call. */
export type Status =
  | { kind: 'starting' }
  | { kind: 'recording' }
  /** `since` in epoch ms. */
  | { kind: 'paused'; since: number }
  | { kind: 'not-recorded'; reason: NotRecordedReason };

/** The status of a live call; undefined before it is accepted and after it has ended. */
export function statusOf(
  plan: Plan,
  call: Call,
  state: CallState,
  now: number,
  resumeAfterSeconds: number,
): Status | undefined {
  if (!call.live) return undefined;
  if (state.failure && !state.started) {
    return state.busy === 'start' ? { kind: 'starting' } : { kind: 'not-recorded', reason: state.failure };
  }
  if (!plan.record && !state.started) {
    return state.busy === 'start' ? { kind: 'starting' } : { kind: 'not-recorded', reason: plan.reason };
  }
  const mark = readTaskMark(call.attributes);
  const pause = pauseOf(mark, state.pause, now, resumeAfterSeconds);
  if (pause) return { kind: 'paused', since: pause.since };
  return state.busy === 'start' || isStarting(plan, call, state, mark.started !== undefined)
    ? { kind: 'starting' }
    : { kind: 'recording' };
}

/** A supervisor sees the task alone, which says of a start only what it changed: there the plan counts as carried out. */
function isStarting(plan: Plan, call: Call, state: CallState, marked: boolean): boolean {
  if (!call.own || state.started) return false;
  return !call.joined || (plan.record && plan.leg && plan.start === 'join' && !marked);
}

/** What the agent can do about it. Pausing is offered while the recording runs or is about to. */
export function controlsOf(
  status: Status | undefined,
  call: Call,
  pauseEnabled: boolean,
): { start: boolean; pause: boolean; resume: boolean } {
  const mine = call.own && call.live && call.joined;
  const reason = status?.kind === 'not-recorded' ? status.reason : undefined;
  return {
    start: mine && (reason === 'on-demand' || reason === 'start-failed' || reason === 'host-unreachable'),
    pause: mine && pauseEnabled && status?.kind === 'recording',
    // Whatever the settings say meanwhile: who paused must be able to end it.
    resume: mine && status?.kind === 'paused',
  };
}

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
  const unrecorded = reasonOf(plan, state);
  if (unrecorded)
    return state.busy === 'start' ? { kind: 'starting' } : { kind: 'not-recorded', reason: unrecorded };
  const mark = readTaskMark(call.attributes);
  const pause = pauseOf(mark, state.pause, now, resumeAfterSeconds);
  if (pause) return { kind: 'paused', since: pause.since };
  return state.busy !== 'start' && isRecorded(plan, call, state)
    ? { kind: 'recording' }
    : { kind: 'starting' };
}

function reasonOf(plan: Plan, state: CallState): NotRecordedReason | undefined {
  if (state.confirmed) return undefined;
  if (state.failure) return state.failure;
  return plan.record || state.started ? undefined : plan.reason;
}

/**
 * By what a Function answered. A supervisor sees the task alone, and of a call between agents the called one's desktop asks
 * nothing: there the plan counts as carried out.
 */
function isRecorded(plan: Plan, call: Call, { confirmed }: CallState): boolean {
  if (!call.own || confirmed) return true;
  return call.joined && plan.record && !plan.leg && !plan.conference;
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
    pause: mine && pauseEnabled && (status?.kind === 'recording' || status?.kind === 'starting'),
    // Whatever the settings say meanwhile: who paused must be able to end it.
    resume: mine && status?.kind === 'paused',
  };
}

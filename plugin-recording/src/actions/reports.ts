import {
  type CallSid,
  type NotRecordedReason,
  type PauseAnswer,
  type Report,
  reportKindOf,
} from '@flex-custody/core';
import type { Call } from '../state/call';

/** What makes one report different from another. */
export interface Stamp {
  id(): string;
  /** Epoch ms. */
  now(): number;
}

const common = (stamp: Stamp, call: Call, at = stamp.now()) => ({
  id: stamp.id(),
  at,
  taskSid: call.taskSid,
  reservationSid: call.reservationSid,
});

export const notRecordedReport = (stamp: Stamp, call: Call, reason: NotRecordedReason): Report => ({
  ...common(stamp, call),
  kind: 'not-recorded',
  reason,
});

export const doubleReport = (stamp: Stamp, call: Call): Report => ({
  ...common(stamp, call),
  kind: 'double-recording',
});

export const joinedReport = (stamp: Stamp, call: Call): Report => ({
  ...common(stamp, call),
  kind: 'joined',
  ...(call.conferenceSid ? { conferenceSid: call.conferenceSid } : {}),
  ...(call.leg ? { callSid: call.leg } : {}),
});

/** @param leg absent: the customer's. @returns undefined where Flex does not know the conference */
export function holdReport(
  stamp: Stamp,
  call: Call,
  kind: 'held' | 'unheld',
  leg: CallSid | undefined,
): Report | undefined {
  const { conferenceSid } = call;
  if (!conferenceSid) return undefined;
  return { ...common(stamp, call), kind, conferenceSid, ...(leg ? { callSid: leg } : {}) };
}

/** A pause or resumption that the host did not hear of; undefined where Flex does not know the conference. */
export function pauseReport(stamp: Stamp, call: Call, answer: PauseAnswer): Report | undefined {
  if (!call.conferenceSid) return undefined;
  return {
    ...common(stamp, call, answer.since),
    kind: reportKindOf[answer.state],
    conferenceSid: call.conferenceSid,
  };
}

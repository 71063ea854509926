import { asCallSid, type CallSid, isObject } from '@flex-custody/core';
import type { Log } from '../log';
import type { Call } from '../state/call';
import type { ReportQueue } from '../state/report-queue';
import { holdReport, type Stamp } from './reports';

/**
 * Payload of HoldCall and UnholdCall, which mean the customer unless `participantCallSid` names a leg, and of HoldParticipant and
 * UnholdParticipant, whose `targetSid` is a worker's SID or a participant's.
 */
export interface HoldPayload {
  sid?: unknown;
  task?: unknown;
  participantCallSid?: unknown;
  targetSid?: unknown;
}

export interface HoldDeps {
  /** The call that a payload is about; undefined where it is about none. */
  callOf(payload: HoldPayload): Call | undefined;
  /** Those of the call's conference, as Flex's store has them. */
  participantsOf(call: Call): readonly unknown[];
  /** Undefined without a host. */
  reports: Pick<ReportQueue, 'add'> | undefined;
  stamp: Stamp;
  log: Log;
}

/** Listener after an action of hold succeeded: reports it to the host. */
export function afterHold(deps: HoldDeps, kind: 'held' | 'unheld'): (payload: HoldPayload) => void {
  const { callOf, participantsOf, reports, stamp, log } = deps;
  return (payload) => {
    const call = callOf(payload);
    if (!reports || !call?.own) return;
    const { participantCallSid, targetSid } = payload;
    const leg =
      targetSid === undefined ? asCallSid(participantCallSid) : legOf(participantsOf(call), targetSid);
    // Without its leg the host would take a colleague's hold for the customer's.
    const isKnown = targetSid === undefined || leg !== undefined;
    const report = isKnown ? holdReport(stamp, call, kind, leg) : undefined;
    if (report) reports.add(report);
    else
      log('a hold cannot be reported: its leg or conference is not known', {
        reservation: call.reservationSid,
      });
  };
}

/** The last one that joined: a rejoin leaves the earlier ones behind as left. */
function legOf(participants: readonly unknown[], target: unknown): CallSid | undefined {
  return participants
    .filter(isObject)
    .filter((one) => one['workerSid'] === target || one['participantSid'] === target)
    .map((one) => asCallSid(one['callSid']))
    .filter((sid) => sid !== undefined)
    .at(-1);
}

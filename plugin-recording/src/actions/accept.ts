import {
  type FlexSettings,
  fieldsOf,
  type NotRecordedReason,
  recordingCallbackUrl,
} from '@flex-custody/core';
import type { Log } from '../log';
import type { Call } from '../state/call';
import { acceptOptions, saysRecord } from './accept-options';
import { planFor } from './plan';

/** Payload of AcceptTask: the fields that we read. */
export interface AcceptPayload {
  sid?: unknown;
  task?: unknown;
  conferenceOptions?: unknown;
}

export interface AcceptDeps {
  settings: FlexSettings;
  /** Flex's own switch. */
  flexRecords(): boolean;
  /** The call that a payload is about; undefined where it is about none. */
  callOf(payload: AcceptPayload): Call | undefined;
  /** The leg's recording travels with the acceptance. */
  accepted(call: Call): void;
  notRecorded(call: Call, reason: NotRecordedReason): void;
  /** Two parties record this call, or would have done. */
  doubled(call: Call): void;
  log: Log;
}

/**
 * Listener before AcceptTask: sets the recording's options, and never throws. Trouble with a recording must not keep an
 * agent from a call, so an unexpected error leaves the payload as it was and is reported.
 */
export function beforeAccept(deps: AcceptDeps): (payload: AcceptPayload) => void {
  return (payload) => {
    let call: Call | undefined;
    let reason: NotRecordedReason = 'unexpected';
    try {
      call = deps.callOf(payload);
      if (!call) return;
      const { settings } = deps;
      const options = fieldsOf(payload.conferenceOptions);
      const stated = options['conferenceRecord'];
      const flexRecords = stated === undefined ? deps.flexRecords() : saysRecord(stated);
      const plan = planFor(settings, flexRecords, call);
      const next = acceptOptions(plan, options, recordingCallbackUrl(settings.functionsUrl ?? '', call));
      reason = 'accept-failed';
      // Once and whole: half a set of options would be worse than none.
      if (next) payload.conferenceOptions = next;
      reason = 'unexpected';
      if (!plan.record) return deps.notRecorded(call, plan.reason);
      if (plan.leg) deps.accepted(call);
      const { mode } = settings.recording;
      if (
        (mode === 'ours' && plan.leg && flexRecords) ||
        (mode !== 'both' && saysRecord(options['record']))
      ) {
        deps.doubled(call);
      }
    } catch (error) {
      failed(deps, call, reason, error);
    }
  };
}

/** Listener after AcceptTask: true where the options still said what we set; a later listener may have undone it. */
export function keptOurOptions(payload: AcceptPayload): boolean {
  return saysRecord(fieldsOf(payload.conferenceOptions)['record']);
}

function failed(deps: AcceptDeps, call: Call | undefined, reason: NotRecordedReason, error: unknown): void {
  try {
    deps.log('a call is accepted without recording', { reason, reservation: call?.reservationSid, error });
    if (call) deps.notRecorded(call, reason);
  } catch {
    // Nothing is left that could be reported, and the agent's call matters more.
  }
}

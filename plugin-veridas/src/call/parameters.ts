import {
  asCallSid,
  asConferenceSid,
  type CallSid,
  type ConferenceSid,
  fieldsOf,
  isPaused,
  readTaskMark,
} from '@flex-custody/core';

/** The guide's parameters of `<daspeak-streaming-web-agent-twilio>`. Null: not known yet, and no attribute then. */
export interface ElementParameters {
  securityToken: string;
  callSid: string | null;
  callerId: string | null;
  taskSid: string | null;
  conferenceSid: string | null;
  /** `'true'` or `'false'` */
  callInProgress: string;
}

export interface Leg {
  participantType?: string | undefined;
  callSid?: string | undefined;
  mediaProperties?: { callSid?: string | undefined } | undefined;
}

/** The fields of a task that describe its call: only those that we read. */
export interface CallTask {
  taskSid: string;
  attributes: unknown;
  conference?: { conferenceSid?: string | undefined; participants?: readonly Leg[] | undefined } | undefined;
}

/** The store's own view of the conference, which knows the legs before the task does. */
export interface StoredConference {
  conferenceSid?: string | undefined;
  participants?: readonly Leg[] | undefined;
}

const attributesOf = (task: CallTask): Readonly<Record<string, unknown>> => fieldsOf(task.attributes);
const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';

/**
 * The customer's leg, whose inbound track is the caller's voice: `call_sid` of the task; an outbound task has none, there
 * the conference says.
 */
export function customerLeg(task: CallTask, stored: StoredConference | undefined): CallSid | undefined {
  const known = asCallSid(attributesOf(task)['call_sid']);
  if (known) return known;
  for (const legs of [task.conference?.participants, stored?.participants]) {
    const customer = legs?.find((leg) => leg.participantType === 'customer');
    const sid = asCallSid(customer?.callSid) ?? asCallSid(customer?.mediaProperties?.callSid);
    if (sid) return sid;
  }
  return undefined;
}

export const conferenceOf = (
  task: CallTask,
  stored: StoredConference | undefined,
): ConferenceSid | undefined =>
  asConferenceSid(task.conference?.conferenceSid) ?? asConferenceSid(stored?.conferenceSid);

/** Then the Functions stream nothing of it. */
export const isCallPaused = (task: CallTask): boolean => isPaused(readTaskMark(task.attributes));

/** Whose voice it is: the customer's number, under which the vendor keeps the voice print. Never the centre's own. */
export function callerId(task: CallTask): string | undefined {
  const attributes = attributesOf(task);
  const names = attributes['direction'] === 'outbound' ? ['outbound_to', 'to'] : ['from', 'caller'];
  return names.map((name) => attributes[name]).find(isText);
}

/** Read at each render: the token is refreshed while the agent works, the conference comes after the task. */
export function elementParameters(
  task: CallTask,
  stored: StoredConference | undefined,
  live: boolean,
  token: string,
): ElementParameters {
  return {
    securityToken: token,
    callSid: customerLeg(task, stored) ?? null,
    callerId: callerId(task) ?? null,
    taskSid: task.taskSid,
    conferenceSid: conferenceOf(task, stored) ?? null,
    callInProgress: String(live),
  };
}

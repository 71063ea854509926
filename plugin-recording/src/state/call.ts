import {
  asCallSid,
  asConferenceSid,
  asReservationSid,
  asTaskSid,
  type CallDirection,
  type CallSid,
  type ConferenceSid,
  isObject,
  type ReservationSid,
  type TaskSid,
} from '@flex-custody/core';

/** A voice task as the plugin's rules use it: plain facts, read from Flex each time. */
export interface Call {
  taskSid: TaskSid;
  reservationSid: ReservationSid;
  attributes: Readonly<Record<string, unknown>>;
  direction: CallDirection;
  /** Of a call from agent to agent: this is the leg of the one who called. */
  caller: boolean;
  /** It came from another agent or queue. */
  transferred: boolean;
  queues: readonly string[];
  workers: readonly string[];
  /** Whether the task is this worker's own; false for a supervisor who watches. */
  own: boolean;
  /** The reservation is accepted and not yet in wrap-up. */
  live: boolean;
  /** This worker's leg is in the conference. */
  joined: boolean;
  /** This worker's leg, where Flex knows it. */
  leg?: CallSid;
  conferenceSid?: ConferenceSid;
}

/** What we read of a Flex task: structural, since a payload may hold anything. */
export interface TaskLike {
  sid?: unknown;
  taskSid?: unknown;
  status?: unknown;
  attributes?: unknown;
  queueName?: unknown;
  queueSid?: unknown;
  workerSid?: unknown;
  incomingTransferObject?: unknown;
  conference?: unknown;
}

/** Facts about a task's call that the task itself does not hold. */
export interface CallContext {
  /** Name, identity and SID of the task's worker, as far as they are known here. */
  workers: readonly string[];
  own: boolean;
  /** The browser's own voice call, where one is up: calls between agents have no conference that Flex would show. */
  phone?: { callSid?: unknown };
  /** The conference as Flex's store has it, which may know more than the task does. */
  conference?: unknown;
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';
const isTrue = (value: unknown): boolean => value === true || value === 'true';

/** The call that a task is of; undefined where its SIDs are none. That it is a voice task the asker has seen to. */
export function callOf(task: TaskLike, context: CallContext): Call | undefined {
  const taskSid = asTaskSid(task.taskSid);
  const reservationSid = asReservationSid(task.sid);
  if (!taskSid || !reservationSid) return undefined;
  const attributes = isObject(task.attributes) ? task.attributes : {};
  const outbound = attributes['direction'] === 'outbound';
  const internal = isTrue(attributes['client_call']);
  const live = task.status === 'accepted';
  const conference = [task.conference, context.conference].find(isObject);
  const mine = context.own ? ownParticipant(conference?.['participants']) : undefined;
  const phone = context.own && live ? context.phone : undefined;
  const media = isObject(mine?.['mediaProperties']) ? mine['mediaProperties'] : {};
  // A participant may be there before its call's SID is; then the browser's own call is the leg.
  const leg = [mine?.['callSid'], media['call_sid'], phone?.callSid].map(asCallSid).find(Boolean);
  const stated = isObject(attributes['conference']) ? attributes['conference']['sid'] : undefined;
  const conferenceSid = asConferenceSid(conference?.['conferenceSid']) ?? asConferenceSid(stated);
  return {
    taskSid,
    reservationSid,
    attributes,
    direction: internal ? 'internal' : outbound ? 'outbound' : 'inbound',
    caller: internal && outbound,
    transferred: isObject(task.incomingTransferObject),
    queues: [task.queueName, task.queueSid].filter(isText),
    workers: context.workers,
    own: context.own,
    live,
    joined: live && (mine !== undefined || (phone !== undefined && !conference)),
    ...(leg ? { leg } : {}),
    ...(conferenceSid ? { conferenceSid } : {}),
  };
}

/** The last one that joined: a rejoin leaves the earlier ones behind as left. */
function ownParticipant(list: unknown): Record<string, unknown> | undefined {
  const mine = (Array.isArray(list) ? list : []).filter(
    (one: unknown): one is Record<string, unknown> =>
      // A getter of Flex's class answers these, which spreading would lose.
      isObject(one) && one['isCurrentWorker'] === true && one['status'] === 'joined',
  );
  return mine[mine.length - 1];
}

import {
  asCallSid,
  asConferenceSid,
  asReservationSid,
  asTaskSid,
  type CallDirection,
  type CallSid,
  type ConferenceSid,
  type ReservationSid,
  type TaskSid,
} from '@flex-custody/core';

/** A voice task as the plugin's rules see it: plain facts, read anew from Flex at each look. */
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
  /** On this worker's own desk; false for a supervisor who looks on. */
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

/** Who looks, and at what: facts about the desk that no task holds. */
export interface Desk {
  /** Name, identity and SID of the task's worker, as far as they are known here. */
  workers: readonly string[];
  own: boolean;
  /** The browser's own voice call, where one is up: calls between agents have no conference that Flex would show. */
  phone?: { callSid?: unknown };
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';
const isTrue = (value: unknown): boolean => value === true || value === 'true';

/** The call that a task is of; undefined where its SIDs are none. That it is a voice task the asker has seen to. */
export function callOf(task: TaskLike, desk: Desk): Call | undefined {
  const taskSid = asTaskSid(task.taskSid);
  const reservationSid = asReservationSid(task.sid);
  if (!taskSid || !reservationSid) return undefined;
  const attributes = isObject(task.attributes) ? task.attributes : {};
  const outbound = attributes['direction'] === 'outbound';
  const internal = isTrue(attributes['client_call']);
  const live = task.status === 'accepted';
  const conference = isObject(task.conference) ? task.conference : undefined;
  const mine = desk.own ? ownParticipant(conference?.['participants']) : undefined;
  const phone = desk.own && live && !conference ? desk.phone : undefined;
  const leg = asCallSid(mine?.['callSid'] ?? phone?.callSid);
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
    workers: desk.workers,
    own: desk.own,
    live,
    joined: live && (mine !== undefined || phone !== undefined),
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

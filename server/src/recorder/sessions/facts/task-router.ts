import { asReservationSid, asTaskSid, asWorkerSid } from '@flex-custody/core';
import type { AgentEvent } from '../../../events/agent-event.ts';
import type { Fact, Queue, TaskRouterFact, Transfer } from './fact.ts';
import { keysOf } from './link-key.ts';
import { readAttributes } from './task-traits.ts';
import { asCount, asText, asTime, type Fields, fieldsIn } from './values.ts';

const groups = {
  task: 'task',
  reservation: 'reservation',
  'task-queue': 'queue',
  workflow: 'workflow',
} as const;

/**
 * Reads `com.twilio.taskrouter.<group>.<name>`; nearly every field of its payload may be null.
 * @returns undefined for events of no task, such as a queue that was created
 */
export function readTaskRouter(event: AgentEvent, group: string, name: string): Fact | undefined {
  // Events that the Events API filled in may have their fields without the envelope's `payload`.
  const payload = fieldsIn(event.data['payload'] ?? event.data);
  if (group === 'worker') return readWorker(event, name, payload);
  const kind = Object.entries(groups).find(([known]) => known === group)?.[1];
  if (kind === undefined) return undefined;
  const { traits, keys } = readAttributes(payload('task_attributes'));
  const taskSid = asTaskSid(payload('task_sid'));
  const reservationSid = asReservationSid(payload('reservation_sid'));
  const fact: TaskRouterFact = {
    id: event.id,
    at: event.time.getTime(),
    keys: keysOf(taskSid, reservationSid, ...keys),
    kind,
    name,
    toWorker: /^WK/.test(asText(payload('task_routing_target')) ?? ''),
    traits,
  };
  if (fact.keys.length === 0) return undefined;
  return Object.assign(
    fact,
    present({
      taskSid,
      taskVersion: asCount(payload('task_version')),
      status: asText(payload('task_assignment_status'))?.toLowerCase(),
      channel: asText(payload('task_channel_unique_name'))?.toLowerCase(),
      queue: readQueue(payload),
      queueEnteredAt: asTime(payload('task_queue_entered_date')),
      taskCreatedAt: asTime(payload('task_date_created')),
      reason: reasonOf(kind, payload),
      transfer: readTransfer(payload),
      reservationSid,
      reservationVersion: asCount(payload('reservation_version')),
      workerSid: asWorkerSid(payload('worker_sid')),
      workerUri: clientUri(fieldsIn(payload('worker_attributes'))('contact_uri')),
    }),
  );
}

function readWorker(event: AgentEvent, name: string, payload: Fields): Fact {
  return Object.assign(
    { id: event.id, at: event.time.getTime(), keys: [], kind: 'worker' as const, name },
    present({
      workerSid: asWorkerSid(payload('worker_sid')),
      activity: asText(payload('worker_activity_name')),
    }),
  );
}

/** Of a reservation the field `reason` says why its agent rejected it, and nothing of the task. */
const reasonOf = (kind: TaskRouterFact['kind'], payload: Fields): string | undefined =>
  asText(payload('task_canceled_reason')) ??
  asText(payload('task_completed_reason')) ??
  (kind === 'task' ? asText(payload('reason')) : undefined);

function readQueue(payload: Fields): Queue | undefined {
  const queue = present({ sid: asText(payload('task_queue_sid')), name: asText(payload('task_queue_name')) });
  return queue.sid || queue.name ? queue : undefined;
}

function readTransfer(payload: Fields): Transfer | undefined {
  const mode = asText(payload('transfer_mode'))?.toUpperCase();
  const by = asReservationSid(payload('transfer_initiating_reservation_sid'));
  if (!by && !mode && !asText(payload('task_transfer_sid'))) return undefined;
  return present({ mode: mode === 'WARM' || mode === 'COLD' ? mode : undefined, by });
}

/** An address of Twilio's Voice clients; undefined for a number. */
export function clientUri(value: unknown): string | undefined {
  const text = asText(value);
  return text?.startsWith('client:') ? text : undefined;
}

type Present<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** The fields that have a value. */
export function present<T extends object>(fields: T): Present<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Present<T>;
}

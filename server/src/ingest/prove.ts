import type {
  CallSid,
  ConferenceSid,
  RecordingCallback,
  ReservationSid,
  TaskSid,
  WorkerSid,
} from '@flex-custody/core';
import type { TwilioApi, TwilioTask } from '../twilio/api.ts';
import { isAddressOf } from './identity.ts';

export type Hints = RecordingCallback['hints'];

/** What Twilio says of the recording; one of the two SIDs at least. */
export interface Recorded {
  callSid?: CallSid;
  conferenceSid?: ConferenceSid;
}

/** Whose recording it is, as far as Twilio itself vouches for it. The table of outcomes is in docs/linking.md. */
export type Proof =
  | {
      level: 'reservation';
      taskSid: TaskSid;
      reservationSid: ReservationSid;
      workerSid: WorkerSid;
      /** Never before the acceptance; equal to it as long as the reservation is just accepted. */
      reservationUpdated: Date;
    }
  | { level: 'task'; taskSid: TaskSid }
  /** Nothing contradicts, but there is no task to write to. */
  | { level: 'none'; reason: 'task_gone' | 'task_not_found' | 'task_ambiguous'; taskSid?: TaskSid }
  /** What the browser claimed is not so. */
  | {
      level: 'refused';
      reason:
        | 'reservation_not_of_task'
        | 'leg_not_of_worker'
        | 'call_not_of_task'
        | 'conference_not_of_task'
        | 'nothing_to_prove_by';
    };

const field = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;

/** The SIDs by which the task's attributes name a call or conference. Flex and the browser both write them. */
function named(task: TwilioTask): { conference: unknown; calls: unknown[] } {
  let attributes: unknown;
  try {
    attributes = JSON.parse(task.attributes);
  } catch {
    attributes = undefined;
  }
  const conference = field(attributes, 'conference');
  const participants = field(conference, 'participants');
  return {
    conference: field(conference, 'sid'),
    calls: [
      field(participants, 'worker'),
      field(participants, 'customer'),
      field(attributes, 'call_sid'),
      field(attributes, 'worker_call_sid'),
    ],
  };
}

/** The hinted task, or the single one whose attributes name this conference or leg. SIDs are safe to interpolate. */
async function candidate(
  twilio: TwilioApi,
  recorded: Recorded,
  hints: Hints,
): Promise<{ taskSid: TaskSid } | { reason: 'task_not_found' | 'task_ambiguous' }> {
  if (hints.taskSid) return { taskSid: hints.taskSid };
  const expression = recorded.conferenceSid
    ? `conference.sid == '${recorded.conferenceSid}'`
    : `conference.participants.worker == '${recorded.callSid}'`;
  const [only, ...others] = await twilio.findTasks(expression);
  if (!only) return { reason: 'task_not_found' };
  return others.length === 0 ? { taskSid: only } : { reason: 'task_ambiguous' };
}

async function proveLeg(
  twilio: TwilioApi,
  callSid: CallSid,
  task: TwilioTask,
  reservationSid: ReservationSid | undefined,
): Promise<Proof> {
  const byAttributes = named(task).calls.includes(callSid);
  if (!reservationSid) {
    return byAttributes
      ? { level: 'task', taskSid: task.sid }
      : { level: 'refused', reason: 'call_not_of_task' };
  }
  const reservation = await twilio.reservation(task.sid, reservationSid);
  if (!reservation || reservation.taskSid !== task.sid) {
    return { level: 'refused', reason: 'reservation_not_of_task' };
  }
  const [call, worker] = await Promise.all([twilio.call(callSid), twilio.worker(reservation.workerSid)]);
  if (call && worker && isAddressOf(worker, call.to)) {
    return {
      level: 'reservation',
      taskSid: task.sid,
      reservationSid,
      workerSid: reservation.workerSid,
      reservationUpdated: reservation.dateUpdated,
    };
  }
  // A recording's call is the parent leg: of a leg dialled by the customer's call it is the customer's, which is no
  // worker's address and so proves no reservation, but may be the task's all the same.
  const isAnotherWorkers = call?.to.startsWith('client:') ?? true;
  return byAttributes && !isAnotherWorkers
    ? { level: 'task', taskSid: task.sid }
    : { level: 'refused', reason: 'leg_not_of_worker' };
}

async function proveConference(
  twilio: TwilioApi,
  conferenceSid: ConferenceSid,
  task: TwilioTask,
  reservationSid: ReservationSid | undefined,
): Promise<Proof> {
  if (named(task).conference === conferenceSid) return { level: 'task', taskSid: task.sid };
  const refused: Proof = { level: 'refused', reason: 'conference_not_of_task' };
  if (!reservationSid) return refused;
  const reservation = await twilio.reservation(task.sid, reservationSid);
  if (!reservation || reservation.taskSid !== task.sid) {
    return { level: 'refused', reason: 'reservation_not_of_task' };
  }
  const [worker, legs] = await Promise.all([
    twilio.worker(reservation.workerSid),
    twilio.participants(conferenceSid),
  ]);
  if (!worker) return refused;
  const calls = await Promise.all(legs.map((leg) => twilio.call(leg)));
  return calls.some((call) => call && isAddressOf(worker, call.to))
    ? { level: 'task', taskSid: task.sid }
    : refused;
}

/**
 * Holds the callback's hints, which a browser wrote, against Twilio and TaskRouter.
 * @throws CustodyError as {@link TwilioApi} does: what cannot be asked now is neither proven nor refuted
 */
export async function prove(twilio: TwilioApi, recorded: Recorded, hints: Hints): Promise<Proof> {
  const { callSid, conferenceSid } = recorded;
  if (!callSid && !conferenceSid) return { level: 'refused', reason: 'nothing_to_prove_by' };
  const found = await candidate(twilio, recorded, hints);
  if ('reason' in found) return { level: 'none', reason: found.reason };
  const { taskSid } = found;
  const task = await twilio.task(taskSid);
  if (!task) return { level: 'none', reason: 'task_gone', taskSid };
  if (conferenceSid) return proveConference(twilio, conferenceSid, task, hints.reservationSid);
  if (callSid) return proveLeg(twilio, callSid, task, hints.reservationSid);
  return { level: 'refused', reason: 'nothing_to_prove_by' };
}

import {
  asTaskSid,
  type CallSid,
  type ConferenceSid,
  fieldsOf,
  type RecordingCallback,
  type ReservationSid,
  type TaskSid,
  type WorkerSid,
} from '@flex-custody/core';
import type { TwilioApi, TwilioCall, TwilioReservation, TwilioTask } from '@flex-custody/twilio';
import type { IsAddressOf } from './identity.ts';

export type Hints = RecordingCallback['hints'];

/** The sources of a proof: Twilio, and the check of a worker's address. */
export interface Means {
  twilio: TwilioApi;
  isAddressOf: IsAddressOf;
}

/** Twilio's facts about the recording; at least one of the two SIDs is set. */
export interface Recorded {
  callSid?: CallSid;
  conferenceSid?: ConferenceSid;
}

/** Whose recording it is, by Twilio's own facts. docs/linking.md has the table of outcomes. */
export type Proof =
  | {
      level: 'reservation';
      taskSid: TaskSid;
      reservationSid: ReservationSid;
      workerSid: WorkerSid;
      /** Never before the acceptance; equal to it while the reservation's status is `accepted`. */
      reservationUpdated: Date;
      task: TwilioTask;
    }
  | { level: 'task'; taskSid: TaskSid; task: TwilioTask }
  /** Nothing contradicts the hints, but there is no task to write to. */
  | { level: 'none'; reason: 'task_gone' | 'task_not_found' | 'task_ambiguous'; taskSid?: TaskSid }
  /** Twilio's facts contradict the browser's hints. */
  | {
      level: 'refused';
      reason:
        | 'reservation_not_of_task'
        | 'leg_not_of_worker'
        | 'call_not_of_task'
        | 'conference_not_of_task'
        | 'nothing_to_prove_by';
    };

const field = (value: unknown, name: string): unknown => fieldsOf(value)[name];

/** The SIDs in the task's attributes of a call or conference. Flex and the browser both write them. */
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

/** The hinted task, the task after which Flex named the conference, or the only task whose attributes name this recording. */
async function candidate(
  twilio: TwilioApi,
  recorded: Recorded,
  known: TaskSid | undefined,
): Promise<{ taskSid: TaskSid } | { reason: 'task_not_found' | 'task_ambiguous' }> {
  if (known) return { taskSid: known };
  // Interpolation is safe: a SID has only letters and digits.
  const expression = recorded.conferenceSid
    ? `conference.sid == '${recorded.conferenceSid}'`
    : `conference.participants.worker == '${recorded.callSid}'`;
  const [only, ...others] = await twilio.findTasks(expression);
  if (!only) return { reason: 'task_not_found' };
  return others.length === 0 ? { taskSid: only } : { reason: 'task_ambiguous' };
}

const isWorkers = (call: TwilioCall | undefined): boolean => call?.to.startsWith('client:') ?? false;

/** True if one of these calls was dialled to a worker who had a reservation of the task. */
async function reachedWorkerOf(
  { twilio, isAddressOf }: Means,
  taskSid: TaskSid,
  calls: readonly (TwilioCall | undefined)[],
): Promise<boolean> {
  const reservations = await twilio.reservations(taskSid);
  const workerSids = new Set(reservations.map((reservation) => reservation.workerSid));
  const workers = await Promise.all([...workerSids].map((sid) => twilio.worker(sid)));
  const pairs = workers.flatMap((worker) => (worker ? calls.map((call) => [worker, call] as const) : []));
  const answers = pairs.map(async ([worker, call]) => call !== undefined && isAddressOf(worker, call.to));
  return (await Promise.all(answers)).includes(true);
}

async function proveLeg(
  means: Means,
  callSid: CallSid,
  task: TwilioTask,
  reservation: TwilioReservation | undefined,
): Promise<Proof> {
  const { twilio, isAddressOf } = means;
  const [call, worker] = await Promise.all([
    twilio.call(callSid),
    reservation && twilio.worker(reservation.workerSid),
  ]);
  if (reservation && call && worker && (await isAddressOf(worker, call.to))) {
    return {
      level: 'reservation',
      taskSid: task.sid,
      reservationSid: reservation.sid,
      workerSid: reservation.workerSid,
      reservationUpdated: reservation.dateUpdated,
      task,
    };
  }
  // A recording's call is the parent leg: for a leg that the customer's call dialled, it is the customer's. Twilio does
  // not state the task of that call, so only in this case the attributes decide.
  const ofTask = isWorkers(call)
    ? !reservation && (await reachedWorkerOf(means, task.sid, [call]))
    : call !== undefined && named(task).calls.includes(callSid);
  if (ofTask) return { level: 'task', taskSid: task.sid, task };
  return { level: 'refused', reason: reservation ? 'leg_not_of_worker' : 'call_not_of_task' };
}

async function proveConference(
  means: Means,
  conferenceSid: ConferenceSid,
  task: TwilioTask,
  namedAfter: TaskSid | undefined,
): Promise<Proof> {
  const proven: Proof = { level: 'task', taskSid: task.sid, task };
  if (namedAfter === task.sid) return proven;
  const { twilio } = means;
  const legs = await twilio.participants(conferenceSid);
  const calls = await Promise.all(legs.map((leg) => twilio.call(leg)));
  const ofTask = calls.some(isWorkers)
    ? await reachedWorkerOf(means, task.sid, calls)
    : named(task).conference === conferenceSid;
  return ofTask ? proven : { level: 'refused', reason: 'conference_not_of_task' };
}

/**
 * Compares the callback's hints, which a browser wrote, with Twilio and TaskRouter. Task attributes, which a browser also
 * writes, count only if Twilio has no fact.
 * @throws CustodyError as {@link TwilioApi} does: then the hints are neither proven nor refuted
 */
export async function prove(means: Means, recorded: Recorded, hints: Hints): Promise<Proof> {
  const { twilio } = means;
  const { callSid, conferenceSid } = recorded;
  if (!callSid && !conferenceSid) {
    // Without a hint there is nothing to refuse: the owner is unknown.
    const isClaimed = hints.taskSid !== undefined || hints.reservationSid !== undefined;
    return isClaimed
      ? { level: 'refused', reason: 'nothing_to_prove_by' }
      : { level: 'none', reason: 'task_not_found' };
  }
  const conference = conferenceSid && (await twilio.conference(conferenceSid));
  const namedAfter = conference ? asTaskSid(conference.friendlyName) : undefined;
  const found = await candidate(twilio, recorded, hints.taskSid ?? namedAfter);
  if ('reason' in found) return { level: 'none', reason: found.reason };
  const { taskSid } = found;
  if (namedAfter && namedAfter !== taskSid) return { level: 'refused', reason: 'conference_not_of_task' };
  const task = await twilio.task(taskSid);
  if (!task) return { level: 'none', reason: 'task_gone', taskSid };
  const reservation = hints.reservationSid && (await twilio.reservation(taskSid, hints.reservationSid));
  if (hints.reservationSid && reservation?.taskSid !== taskSid) {
    return { level: 'refused', reason: 'reservation_not_of_task' };
  }
  if (conferenceSid) return proveConference(means, conferenceSid, task, namedAfter);
  if (callSid) return proveLeg(means, callSid, task, reservation);
  return { level: 'refused', reason: 'nothing_to_prove_by' };
}

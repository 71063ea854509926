import type { TaskSid } from '@flex-custody/core';
import type {
  Contact,
  Direction,
  Employee,
  EndReason,
  Expectation,
  Hold,
  Interaction,
  Pause,
  Via,
} from './contact.ts';
import { wasAccepted } from './contact.ts';
import type { EnqueueFact, PauseFact } from './facts/fact.ts';
import { earliest, latest } from './order.ts';
import type { Reservation } from './reservation.ts';
import { spansOf } from './spans.ts';
import type { Task, TaskTransfer } from './task.ts';

/** An event of a queue may carry a time just before that of the transfer that caused it. */
const slackMs = 2_000;

export interface InteractionsInput {
  tasks: readonly Task[];
  /** In order of their offers. */
  reservations: readonly Reservation[];
  holds: readonly Hold[];
  pauses: readonly PauseFact[];
  enqueues: readonly EnqueueFact[];
  /** Tasks of outbound or internal calls without an answer. */
  unanswered: ReadonlySet<TaskSid>;
  employeeOf?: EmployeeOf;
}

/** Who worked as that worker at that time (epoch ms); a pure function, or contacts are none either. */
export type EmployeeOf = (worker: NonNullable<Interaction['workerSid']>, at: number) => Employee | undefined;

/** One interaction for each reservation; recordings are added later. */
export function interactionsOf(input: InteractionsInput): Interaction[] {
  const { tasks, reservations, employeeOf } = input;
  const bySid = new Map(tasks.map((task) => [task.sid, task]));
  return reservations.map((reservation): Interaction => {
    const task = reservation.taskSid && bySid.get(reservation.taskSid);
    const others = reservations.filter(
      ({ sid, taskSid }) => sid !== reservation.sid && taskSid === reservation.taskSid,
    );
    const search = searchOf(reservation, task, others);
    const via = viaOf(reservation, task, search, input);
    const wait =
      via === 'outbound' || via === 'internal' ? undefined : waitOf(reservation, task, search, input);
    const endReason = endReasonOf(reservation, task, others);
    const employee =
      reservation.workerSid &&
      employeeOf?.(reservation.workerSid, reservation.acceptedAt ?? reservation.offeredAt);
    const interaction: Omit<Interaction, 'recording'> = {
      reservationSid: reservation.sid,
      ...(reservation.taskSid && { taskSid: reservation.taskSid }),
      ...(reservation.workerSid && { workerSid: reservation.workerSid }),
      kind: task?.kind ?? 'work',
      direction: task?.direction ?? 'inbound',
      via,
      ...(reservation.queue && { queue: reservation.queue }),
      offeredAt: reservation.offeredAt,
      ...(reservation.acceptedAt !== undefined && { acceptedAt: reservation.acceptedAt }),
      ...(reservation.endedAt !== undefined && { endedAt: reservation.endedAt }),
      ...(endReason && { endReason }),
      ...(wait !== undefined && { wait }),
      holds: input.holds.filter((hold) => hold.reservationSid === reservation.sid),
      pauses: pausesOf(reservation, others, input.pauses),
      recordings: [],
      ...(employee && { employee }),
    };
    return {
      ...interaction,
      recording: expectationOf({ ...interaction, recording: { expected: true } }, task, input.unanswered),
    };
  });
}

/** The search for an agent that ended with this reservation. */
interface Search {
  /** Epoch ms; undefined for the first search of the task. */
  since?: number;
  /** The transfer that began it. */
  transfer?: TaskTransfer;
}

function searchOf(reservation: Reservation, task: Task | undefined, others: readonly Reservation[]): Search {
  const accepted = latest(
    others.flatMap(({ acceptedAt }) =>
      acceptedAt !== undefined && acceptedAt < reservation.offeredAt ? [acceptedAt] : [],
    ),
  );
  const transfer = task?.transfers.findLast(
    ({ at, by }) =>
      at >= (accepted ?? 0) &&
      at <= reservation.offeredAt + slackMs &&
      by !== reservation.sid &&
      // After it failed, the task returned to its queue.
      !task.failedTransfers.some((failedAt) => failedAt >= at && failedAt <= reservation.offeredAt),
  );
  // The transfer counts although the acceptance before it may be missing.
  const since = latest([accepted, transfer && transfer.at - slackMs].filter((at) => at !== undefined));
  return { ...(since !== undefined && { since }), ...(transfer && { transfer }) };
}

function viaOf(
  { transfer: own, offeredAt, taskSid }: Reservation,
  task: Task | undefined,
  search: Search,
  { tasks, reservations }: InteractionsInput,
): Via {
  const mode = own?.mode ?? search.transfer?.mode;
  if (own || search.transfer) return mode === 'COLD' ? 'cold-transfer' : 'warm-transfer';
  if (search.since !== undefined) return 're-queue';
  if (task?.direction === 'outbound' || task?.direction === 'internal') return task.direction;
  const queuedAgain = reservations.some(
    (other) =>
      other.taskSid !== taskSid &&
      other.acceptedAt !== undefined &&
      other.acceptedAt < offeredAt &&
      tasks.some(
        ({ sid, kind, direction }) => sid === other.taskSid && kind === 'voice' && direction === 'inbound',
      ),
  );
  return task?.kind === 'voice' && queuedAgain ? 're-queue' : 'routing';
}

/**
 * Seconds from the first queue of this search to the acceptance. `task_age_in_queue` is no measure of it: it begins again
 * in each queue. TaskRouter's own event counts; then the whole seconds beside other events; a transfer to one agent enters
 * no queue and counts from its beginning; then what `<Enqueue>` says.
 */
function waitOf(
  { acceptedAt, sid }: Reservation,
  task: Task | undefined,
  { since = Number.NEGATIVE_INFINITY, transfer }: Search,
  { enqueues, reservations }: InteractionsInput,
): number | undefined {
  if (acceptedAt === undefined || !task) return undefined;
  const within = (times: readonly number[]) =>
    earliest(times.filter((at) => at >= since && at <= acceptedAt));
  const from = within(task.entered) ?? within(task.enteredBySecond) ?? transfer?.at;
  if (from !== undefined) return (acceptedAt - from) / 1000;
  const isFirst = reservations.find((one) => one.acceptedAt !== undefined)?.sid === sid;
  return isFirst ? enqueues.find(({ queueSeconds }) => queueSeconds !== undefined)?.queueSeconds : undefined;
}

/**
 * An agent who began a transfer that succeeded, and left before another agent did, has transferred the contact. A cold
 * transfer succeeds for its agent unless it failed before the agent left.
 */
function endReasonOf(
  { sid, endedAt, endReason }: Reservation,
  task: Task | undefined,
  others: readonly Reservation[],
): EndReason | undefined {
  if (endReason !== 'completed' || endedAt === undefined) return endReason;
  const transferred = task?.transfers.some(
    ({ by, at, mode }) =>
      by === sid &&
      ((mode === 'COLD' && !task.failedTransfers.some((failedAt) => failedAt >= at && failedAt <= endedAt)) ||
        others.some(
          (other) =>
            other.acceptedAt !== undefined &&
            other.offeredAt >= at - slackMs &&
            (other.endedAt === undefined || other.endedAt > endedAt),
        )),
  );
  return transferred ? 'transferred' : 'completed';
}

function pausesOf(
  reservation: Reservation,
  others: readonly Reservation[],
  pauses: readonly PauseFact[],
): Pause[] {
  const { acceptedAt, endedAt = Number.POSITIVE_INFINITY } = reservation;
  if (acceptedAt === undefined) return [];
  const own = pauses.filter(
    ({ reservationSid, taskSid, at }) =>
      reservationSid === reservation.sid ||
      (!reservationSid &&
        taskSid === reservation.taskSid &&
        at >= acceptedAt &&
        at <= endedAt &&
        // Without a reservation it is of the agent who was connected first.
        !others.some(
          (other) =>
            other.acceptedAt !== undefined &&
            other.acceptedAt < acceptedAt &&
            at <= (other.endedAt ?? Number.POSITIVE_INFINITY),
        )),
  );
  return spansOf(own.map(({ at, on }) => ({ at, on, source: 'report' }))).map(
    ({ startedAt, endedAt: resumedAt }) => {
      const end = resumedAt ?? reservation.endedAt;
      return { startedAt, ...(end !== undefined && { endedAt: Math.max(end, startedAt) }) };
    },
  );
}

function expectationOf(
  interaction: Interaction,
  task: Task | undefined,
  unanswered: ReadonlySet<TaskSid>,
): Expectation {
  if (!wasAccepted(interaction)) return { expected: false, reason: 'not-accepted' };
  if (task?.survey) return { expected: false, reason: 'survey' };
  if (interaction.kind === 'text') return { expected: false, reason: 'text' };
  if (interaction.kind === 'work') return { expected: false, reason: 'work-item' };
  return task && unanswered.has(task.sid) ? { expected: false, reason: 'unanswered' } : { expected: true };
}

/** The first direction of a contact's tasks; one internal task makes the contact internal. */
export function directionOf(tasks: readonly Task[]): Contact['direction'] {
  const directions: Direction[] = tasks.filter(({ survey }) => !survey).map(({ direction }) => direction);
  return directions.includes('internal') ? 'internal' : (directions[0] ?? 'inbound');
}

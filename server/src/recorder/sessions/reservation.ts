import type { ReservationSid, TaskSid, WorkerSid } from '@flex-custody/core';
import type { EndReason } from './contact.ts';
import type { Queue, TaskRouterFact, Transfer } from './facts/fact.ts';
import { byVersion, earliest, lastOf } from './order.ts';

/** One reservation, read from all facts that name it. Times are epoch ms. */
export interface Reservation {
  sid: ReservationSid;
  taskSid?: TaskSid;
  workerSid?: WorkerSid;
  workerUri?: string;
  queue?: Queue;
  offeredAt: number;
  acceptedAt?: number;
  endedAt?: number;
  endReason?: Exclude<EndReason, 'transferred'>;
  /** The transfer that it came from, where its own events tell it. */
  transfer?: Transfer;
}

const ends: Readonly<Record<string, Reservation['endReason']>> = {
  wrapup: 'completed',
  completed: 'completed',
  rejected: 'rejected',
  timeout: 'timeout',
  canceled: 'canceled',
  rescinded: 'rescinded',
};

/**
 * Its own events alone say when it began and ended. A task's status says nothing of it: after a cold transfer the task is
 * `reserved` for the next agent while the first one wraps up.
 * @param facts of kind `reservation` that name it, ordered by time
 */
export function readReservation(sid: ReservationSid, facts: readonly TaskRouterFact[]): Reservation {
  const ordered = byVersion(facts, (fact) => fact.reservationVersion);
  const named = (name: string) => ordered.find((fact) => fact.name === name);
  // The first end counts: after the wrap-up the reservation is completed once more.
  const end = ordered.find((fact) => ends[fact.name] !== undefined);
  const reason = end && ends[end.name];
  const accepted = named('accepted');
  return {
    sid,
    ...pick(ordered, 'taskSid'),
    ...pick(ordered, 'workerSid'),
    ...pick(ordered, 'workerUri'),
    ...queueOf(ordered, accepted),
    offeredAt: named('created')?.at ?? earliest(facts.map((fact) => fact.at)) ?? 0,
    ...(accepted && { acceptedAt: accepted.at }),
    ...(end && reason && { endedAt: end.at, endReason: reason }),
    ...cameFrom(sid, ordered),
  };
}

/** The queue in which it was accepted, else that of its last event. */
function queueOf(facts: readonly TaskRouterFact[], accepted: TaskRouterFact | undefined): { queue?: Queue } {
  const queue = accepted?.queue ?? lastOf(facts, (fact) => fact.queue);
  return queue ? { queue } : {};
}

function cameFrom(sid: ReservationSid, facts: readonly TaskRouterFact[]): { transfer?: Transfer } {
  const transfer = lastOf(facts, (fact) => (fact.transfer?.by === sid ? undefined : fact.transfer));
  return transfer ? { transfer } : {};
}

function pick<K extends 'taskSid' | 'workerSid' | 'workerUri'>(
  facts: readonly TaskRouterFact[],
  name: K,
): Pick<TaskRouterFact, K> {
  const value = lastOf(facts, (fact) => fact[name]);
  return (value === undefined ? {} : { [name]: value }) as Pick<TaskRouterFact, K>;
}

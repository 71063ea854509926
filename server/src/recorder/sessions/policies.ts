import type { ReservationSid, WorkerSid } from '@flex-custody/core';
import { type Contact, type Employee, wasAccepted } from './contact.ts';

/**
 * What a policy decided. Its `id` is the same whenever it is decided again, so that its effect happens once. It is made
 * with the contact's id; if a late event changes that, the earlier one is still among the contact's keys.
 */
interface Decision {
  id: string;
}

const minuteMs = 60_000;

export interface ShortCall extends Decision {
  connectedAt: number;
  closedAt: number;
  /** Between both. */
  seconds: number;
}

/**
 * Whether a call was shorter than the minimum length, from its connection to its close. Undefined for: another kind of
 * contact, an open one, one that no agent took (auditing keeps it), one whose connection is unknown, and one that lacks
 * events, since a lost event must not make a long call short.
 * @param minimumSeconds 0 for no minimum
 */
export function shortCall(contact: Contact, minimumSeconds: number): ShortCall | undefined {
  const { id, kind, connectedAt, closedAt, inactive, marks } = contact;
  if (kind !== 'voice' || inactive || marks.includes('incomplete') || marks.includes('overfull'))
    return undefined;
  if (connectedAt === undefined || closedAt === undefined) return undefined;
  const seconds = (closedAt - connectedAt) / 1000;
  if (seconds < 0 || seconds >= minimumSeconds) return undefined;
  return { id: `short-call/${id}`, connectedAt, closedAt, seconds };
}

export interface LongCall extends Decision {
  since: number;
  /** Whether it still lasts, so that its tracking has to be closed. */
  open: boolean;
}

/**
 * Whether a call has lasted as long as a long call, since its connection; an outbound call whose answer is unknown, since
 * its agent's acceptance.
 * @param now epoch ms
 */
export function longCall(contact: Contact, minutes: number, now: number): LongCall | undefined {
  const { id, kind, closedAt, interactions } = contact;
  const since = contact.connectedAt ?? interactions.find((one) => one.acceptedAt !== undefined)?.acceptedAt;
  if (kind !== 'voice' || since === undefined) return undefined;
  if ((closedAt ?? now) - since < minutes * minuteMs) return undefined;
  return { id: `long-call/${id}`, since, open: closedAt === undefined };
}

export interface LongHold extends Decision {
  startedAt: number;
  reservationSid?: ReservationSid;
  open: boolean;
}

/**
 * The single holds that have lasted as long as a long hold, without those that were reported. A late event can move a
 * hold's beginning by some seconds or minutes, so a hold counts as reported if any reported beginning is within it.
 * @param now epoch ms
 * @param reported earlier decisions about this contact, or as much of them as was kept
 */
export function longHolds(
  contact: Contact,
  minutes: number,
  now: number,
  reported: readonly Pick<LongHold, 'startedAt'>[] = [],
): LongHold[] {
  if (contact.kind !== 'voice') return [];
  return contact.holds.flatMap(({ startedAt, endedAt, reservationSid, callSid }): LongHold[] => {
    const until = endedAt ?? now;
    const known = reported.some((one) => one.startedAt >= startedAt - slackMs && one.startedAt <= until);
    if (until - startedAt < minutes * minuteMs || known) return [];
    const subject = reservationSid ?? callSid ?? contact.id;
    return [
      {
        id: `long-hold/${subject}/${startedAt}`,
        startedAt,
        ...(reservationSid && { reservationSid }),
        open: endedAt === undefined,
      },
    ];
  });
}

/** A more exact source can begin a reported hold later by no more than this (ms). */
const slackMs = 5_000;

export interface Audited extends Decision {
  /** The policy Full Switch keeps every session that the switch reported. */
  keep: true;
  inactive: boolean;
  /** From its close on it is shown. */
  shown: boolean;
}

/** The session auditing policy "Full Switch". */
export const auditing = ({ id, inactive, closedAt }: Contact): Audited => ({
  id: `audited/${id}`,
  keep: true,
  inactive,
  shown: closedAt !== undefined,
});

export interface Assigned extends Decision {
  reservationSid: ReservationSid;
  workerSid?: WorkerSid;
  employee: Employee;
}

/** The accepted interactions of no known employee, which belong to the default one. */
export function defaultEmployee(contact: Contact, employee: Employee): Assigned[] {
  return contact.interactions
    .filter((one) => wasAccepted(one) && !one.employee)
    .map(({ reservationSid, workerSid }) => ({
      id: `default-employee/${reservationSid}`,
      reservationSid,
      ...(workerSid && { workerSid }),
      employee,
    }));
}

/** The contact with the default employee where {@link defaultEmployee} assigns one. */
export function withDefaultEmployee(contact: Contact, employee: Employee): Contact {
  const assigned = new Set(defaultEmployee(contact, employee).map(({ reservationSid }) => reservationSid));
  if (assigned.size === 0) return contact;
  return {
    ...contact,
    interactions: contact.interactions.map((one) =>
      assigned.has(one.reservationSid) ? { ...one, employee, isDefaultEmployee: true } : one,
    ),
  };
}

import type { RecordingSid, ReservationSid, TaskSid, WorkerSid } from '@flex-custody/core';
import type { RecordingRow } from '../../catalog/recording-row.ts';
import {
  type Contact,
  type Interaction,
  noneExpectedReasons,
  type Pause,
  wasAccepted,
} from '../sessions/contact.ts';
import type { Reason } from './reasons.ts';

/**
 * What became of a segment. `recorded`: the catalog has a recording of it, or had one that was erased. `paused`: recording was
 * paused for its whole length. `explained`: a recording is missing, and an operator said why. `unexplained`: a recording is missing.
 * The others say why none is expected.
 */
export const outcomes = ['recorded', 'paused', ...noneExpectedReasons, 'explained', 'unexplained'] as const;
export type Outcome = (typeof outcomes)[number];

/** An agent's segment, or the tail of a call after its last agent. */
export interface Entry {
  contact: string;
  /** Absent: the tail. */
  reservationSid?: ReservationSid;
  taskSid?: TaskSid;
  workerSid?: WorkerSid;
  /** Epoch ms. */
  startedAt: number;
  endedAt: number;
  outcome: Outcome;
  recordings: readonly RecordingSid[];
  /** Every recording of it was erased. */
  isErased: boolean;
  /** What an operator said, also where another outcome made it moot. */
  explanation?: Reason;
}

/** What the ledger needs of a row of the catalog. */
export type Recorded = Pick<
  RecordingRow,
  | 'recordingSid'
  | 'taskSid'
  | 'reservationSid'
  | 'workerSid'
  | 'callSid'
  | 'conferenceSid'
  | 'startedAt'
  | 'durationSeconds'
  | 'state'
  | 'object'
  | 'unproven'
>;

/** Clocks of browsers and of TaskRouter differ, and an agent presses Pause after the acceptance (ms). */
const slackMs = 2_000;
/** Recordings start in whole seconds: a shorter overlap may be none (ms). */
const leastOverlapMs = 1_000;

/**
 * The ledger of contacts that have closed; those that are open have no entries yet. Offers that no agent accepted have none either.
 * @param recordings rows of the catalog that name a SID of these contacts; further ones change nothing
 * @param pauses those that were reported of each task
 * @param reasons what operators said of segments
 */
export function ledgerOf(
  contacts: readonly Contact[],
  recordings: readonly Recorded[],
  pauses: ReadonlyMap<TaskSid, readonly Pause[]>,
  reasons: ReadonlyMap<ReservationSid, Reason> = new Map(),
): Entry[] {
  const bySid = new Map<string, Recorded[]>();
  for (const one of recordings.filter(isKept))
    for (const sid of [one.recordingSid, one.taskSid, one.reservationSid, one.callSid, one.conferenceSid])
      if (sid !== undefined) bySid.set(sid, [...(bySid.get(sid) ?? []), one]);
  return contacts.flatMap((contact) => {
    const { closedAt, tail } = contact;
    if (closedAt === undefined) return [];
    const found = [...new Set(contact.keys.flatMap((key) => bySid.get(key) ?? []))];
    const segments = contact.interactions
      .filter(wasAccepted)
      .map((segment) => entryOf(contact.id, segment, periodOf(segment, closedAt), found, pauses))
      .map((entry) => withReason(entry, reasons.get(entry.reservationSid)));
    if (!tail || tail.recording.expected) return segments;
    const { from: startedAt, to: endedAt, recording } = tail;
    const { reason: outcome } = recording;
    return [
      ...segments,
      { contact: contact.id, startedAt, endedAt, outcome, recordings: [], isErased: false },
    ];
  });
}

/** Twilio has no audio of an absent recording, and the host has none of one that failed before it was copied. */
const isKept = ({ state, object }: Recorded): boolean =>
  state !== 'absent' && (state !== 'failed' || object !== undefined);

/** Epoch ms. */
export interface Period {
  from: number;
  to: number;
}

/** @param closedAt of its contact */
export const periodOf = ({ acceptedAt, offeredAt, endedAt }: Interaction, closedAt: number): Period => {
  const from = acceptedAt ?? offeredAt;
  return { from, to: Math.max(from, endedAt ?? closedAt) };
};

function entryOf(
  contact: string,
  segment: Interaction,
  period: Period,
  found: readonly Recorded[],
  pauses: ReadonlyMap<TaskSid, readonly Pause[]>,
): Entry & { reservationSid: ReservationSid } {
  const { reservationSid, taskSid, workerSid } = segment;
  const own = found.filter((one) => isOf(one, segment, period));
  const all = [...segment.pauses, ...((taskSid && pauses.get(taskSid)) ?? [])];
  return {
    contact,
    reservationSid,
    ...(taskSid && { taskSid }),
    ...(workerSid && { workerSid }),
    startedAt: period.from,
    endedAt: period.to,
    outcome: outcomeOf(segment, isCovered(period, all), own.length > 0),
    recordings: own.map((one) => one.recordingSid).sort(),
    isErased: own.length > 0 && own.every(({ state }) => state === 'erased'),
  };
}

/** A reason explains only what nothing else does. */
const withReason = (entry: Entry, explanation: Reason | undefined): Entry =>
  explanation
    ? {
        ...entry,
        outcome: entry.outcome === 'unexplained' ? 'explained' : entry.outcome,
        explanation,
      }
    : entry;

function outcomeOf({ recording }: Interaction, isPaused: boolean, isRecorded: boolean): Outcome {
  if (isPaused) return 'paused';
  if (isRecorded) return 'recorded';
  return recording.expected ? 'unexplained' : recording.reason;
}

/**
 * Whether a recording is of a segment.
 *
 * A proven owner decides; a recording without one belongs to the segments that it overlaps, and so does one that events name.
 */
export function isOf(recorded: Recorded, segment: Interaction, period: Period): boolean {
  const isNamed = segment.recordings.includes(recorded.recordingSid);
  // The catalog keeps only the SID of an erased one.
  if (recorded.state === 'erased') return isNamed;
  const isProven = !recorded.unproven.includes('owner');
  const owner = isProven ? recorded.reservationSid : undefined;
  if (owner === segment.reservationSid) return true;
  const worker = isProven ? recorded.workerSid : undefined;
  const isOfOther = owner !== undefined || (worker !== undefined && worker !== segment.workerSid);
  return (isNamed || !isOfOther) && overlaps(recorded, period);
}

/** Whether a recording has a second or more of a period. */
export function overlaps(
  { startedAt, durationSeconds }: Pick<Recorded, 'startedAt' | 'durationSeconds'>,
  { from, to }: Period,
): boolean {
  const start = startedAt.getTime();
  const end = durationSeconds === undefined ? Number.POSITIVE_INFINITY : start + durationSeconds * 1_000;
  // A recording starts in whole seconds, so a very short segment may end before it.
  if (to - from < leastOverlapMs) return start <= to + leastOverlapMs && end >= from;
  return Math.min(end, to) - Math.max(start, from) >= leastOverlapMs;
}

/** Whether pauses leave nothing of the period, but for the slack at its ends and between two of them. */
function isCovered({ from, to }: Period, pauses: readonly Pause[]): boolean {
  let paused = from;
  let isAny = false;
  for (const { startedAt, endedAt = Number.POSITIVE_INFINITY } of pauses.toSorted(
    (a, b) => a.startedAt - b.startedAt,
  )) {
    if (startedAt > paused + slackMs || startedAt > to) break;
    if (endedAt <= from) continue;
    isAny = true;
    paused = Math.max(paused, endedAt);
  }
  return isAny && paused + slackMs >= to;
}

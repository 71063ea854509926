import type { CallSid, RecordingSid, ReservationSid, TaskSid, WorkerSid } from '@flex-custody/core';
import type { HoldSource, Queue } from './facts/fact.ts';

/** `text` is a conversation by messages, `work` a task that is neither, such as a callback or a voicemail. */
export type ContactKind = 'voice' | 'text' | 'work';
/** `internal`: one agent called another. */
export type Direction = 'inbound' | 'outbound' | 'internal';

/** How an agent's segment came about. */
export type Via = 'routing' | 'outbound' | 'internal' | 'warm-transfer' | 'cold-transfer' | 're-queue';

/**
 * What ended an interaction. An accepted one: `completed`, or `transferred` where its agent handed the contact to another.
 * An offer: `rejected`, `timeout`, `canceled`, `rescinded`.
 */
export const endReasons = [
  'completed',
  'transferred',
  'rejected',
  'timeout',
  'canceled',
  'rescinded',
] as const;
export type EndReason = (typeof endReasons)[number];

/** Why no recording of an interaction, or of the tail of a contact, is expected. */
export const noneExpectedReasons = [
  'not-accepted',
  'unanswered',
  'text',
  'work-item',
  'survey',
  'after-last-agent',
] as const;
export type NoneExpectedReason = (typeof noneExpectedReasons)[number];
export type Expectation = { expected: true } | { expected: false; reason: NoneExpectedReason };

/** Times are epoch ms, here and below. */
export interface Hold {
  startedAt: number;
  /** Undefined while it lasts. */
  endedAt?: number;
  endedBy?: 'unhold' | 'interaction' | 'conference';
  /** The leg on hold, where a source named it. */
  callSid?: CallSid;
  /** The interaction that it belongs to; undefined where no agent was connected. */
  reservationSid?: ReservationSid;
  /** All sources that told of it, the most exact one first. */
  sources: readonly HoldSource[];
}

export interface Pause {
  startedAt: number;
  endedAt?: number;
}

export interface Employee {
  id: string;
  organization?: string;
}

/** One reservation: an agent's segment if it was accepted, else an offer. */
export interface Interaction {
  reservationSid: ReservationSid;
  taskSid?: TaskSid;
  workerSid?: WorkerSid;
  kind: ContactKind;
  direction: Direction;
  via: Via;
  queue?: Queue;
  offeredAt: number;
  acceptedAt?: number;
  /** When the agent's part ended: the beginning of the wrap-up, if there was one. */
  endedAt?: number;
  endReason?: EndReason;
  /** Seconds from the first queue of this search for an agent to the acceptance. */
  wait?: number;
  holds: readonly Hold[];
  pauses: readonly Pause[];
  recordings: readonly RecordingSid[];
  /** Who worked as that worker at the acceptance, or at the offer. */
  employee?: Employee;
  /** No employee was found, so that it is the default employee's. */
  isDefaultEmployee?: true;
  recording: Expectation;
}

/**
 * - `abandoned`: the customer left before an agent took the contact, or after it was queued again.
 * - `diverted`: it left the queue for something else, such as voicemail, a callback, or the end of its workflow.
 * - `unanswered`: the customer, or the other agent, did not answer.
 * - `survey`: a survey was part of it.
 * - `declined-invite`: an agent declined an invitation to a conversation, which lasts.
 * - `incomplete`: its events contradict each other, so some of them are missing.
 * - `overfull`: it has as many events as one contact can have, and what came later is missing.
 */
export const contactMarks = [
  'abandoned',
  'diverted',
  'unanswered',
  'survey',
  'declined-invite',
  'incomplete',
  'overfull',
] as const;
export type ContactMark = (typeof contactMarks)[number];

/** All that one customer (or agent, if internal) came for: a pure function of the set of its events. */
export interface Contact {
  /** Its first task; without a task its first conversation, call or conference. It can change while events arrive late. */
  id: string;
  /** Sorted. Two contacts never share one. */
  keys: readonly string[];
  kind: ContactKind;
  /** `voice`, a text channel such as `sms`, or the task channel's unique name. */
  channel: string;
  language?: string;
  direction: Direction;
  openedAt: number;
  /** Voice: the first agent's acceptance; outbound: the customer's answer; internal: the second agent's acceptance. */
  connectedAt?: number;
  /** When the last interaction ended, or the customer left; a conversation: when it was closed. Undefined while open. */
  closedAt?: number;
  /** Seconds until the first agent accepted, or until the contact was abandoned. */
  wait?: number;
  /** In the order of their offers. */
  interactions: readonly Interaction[];
  /** Each hold once, also those of no interaction. */
  holds: readonly Hold[];
  recordings: readonly RecordingSid[];
  /** What of the call came after the last agent. */
  tail?: { from: number; to: number; recording: Expectation };
  /** The switch reported it, and no agent took it. */
  inactive: boolean;
  marks: readonly ContactMark[];
}

/** Whether an agent took it. Its acceptance may be missing. */
export const wasAccepted = ({ acceptedAt, endReason }: Interaction): boolean =>
  acceptedAt !== undefined || endReason === 'completed' || endReason === 'transferred';

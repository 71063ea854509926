import type { RecordingSid, TaskSid } from '@flex-custody/core';
import type { ContactKind, Direction } from '../recorder/sessions/contact.ts';

/**
 * - `resolved`: an agent took it, and it has ended.
 * - `abandoned`: the customer gave up before an agent took it.
 * - `diverted`: it left the queue for something else, such as voicemail or a callback.
 * - `unanswered`: an outbound contact that the customer did not answer.
 * - `ended`: it has ended for another reason than the customer's wish to leave.
 * - `open`: it lasts.
 */
export const outcomes = ['resolved', 'abandoned', 'diverted', 'unanswered', 'ended', 'open'] as const;
export type Outcome = (typeof outcomes)[number];

/** The channels that a CRM distinguishes; a channel of another name is `other`. */
export const channels = ['voice', 'sms', 'whatsapp', 'webchat', 'other'] as const;
export type Channel = (typeof channels)[number];

/** What happened to an interaction, each at most once. */
export const triggers = [
  'task.created',
  'task.accepted',
  'task.transferred',
  'task.completed',
  'task.canceled',
  'conversation.ended',
  'survey.completed',
] as const;
export type Trigger = (typeof triggers)[number];

/** Who the customer is, as the contact's addresses and its tasks' attributes say. An address has no prefix with the name of its channel. */
export interface Customer {
  /** Address of the customer: E.164, or the identity of a web chat. */
  address?: string;
  /** All attributes of the contact's tasks, the newest of each name. */
  attributes: Readonly<Record<string, unknown>>;
}

/**
 * What one customer came for, with all its tasks: a contact of the recorder's sessions as a CRM sees it. Seconds are decimal, times
 * epoch ms.
 */
export interface Interaction {
  /** UUID. It stays the same while late events change the contact. */
  custodyId: string;
  kind: ContactKind;
  channel: Channel;
  direction: Direction;
  outcome: Outcome;
  openedAt: number;
  acceptedAt?: number;
  transferredAt?: number;
  closedAt?: number;
  /** When its conversation was closed; text only. */
  conversationEndedAt?: number;
  /** When the answer of its survey came. */
  surveyedAt?: number;
  tasks: readonly TaskSid[];
  /** CH…, text only. */
  conversationSid?: string;
  /** Of legacy Programmable Chat; the flow that made the task, where an attribute names it. */
  flexFlowSid?: string;
  /** Of the last agent's segment, else of the last offer. */
  queueName?: string;
  /** Of the last agent who took it: the employee's id, else the worker's SID. */
  agent?: string;
  waitSeconds?: number;
  talkSeconds: number;
  holdSeconds: number;
  wrapUpSeconds: number;
  /** Undefined until Twilio was asked. */
  messages?: number;
  /** Where it was abandoned, such as IVR, Queue or Ringing. */
  abandonedPhase?: string;
  csatScore?: number;
  /** Why TaskRouter canceled or completed the last task, in its words. */
  reason?: string;
  recordings: readonly RecordingSid[];
  customer: Customer;
}

import type {
  CallSid,
  ConferenceSid,
  RecordingSid,
  ReservationSid,
  TaskSid,
  WorkerSid,
} from '@flex-custody/core';
import type { TaskTraits } from './task-traits.ts';

/** What every fact has: when it happened, and which contact it may belong to. */
export interface Common {
  /** The event's own id. */
  id: string;
  /** Epoch ms. */
  at: number;
  /** See `linkKeys`. */
  keys: readonly string[];
  /** Digests of the customer's numbers that the event states. */
  callers?: readonly string[];
}

export interface Queue {
  sid?: string;
  name?: string;
}

export interface Transfer {
  mode?: 'WARM' | 'COLD';
  /** The reservation whose agent began it. */
  by?: ReservationSid;
}

/** What TaskRouter's events have in common; each field may be missing in any of them. */
export interface TaskRouterFact extends Common {
  kind: 'task' | 'reservation' | 'queue' | 'workflow';
  /** The end of the event's type, such as `accepted`, `transfer-initiated`, `entered`. */
  name: string;
  taskSid?: TaskSid;
  taskVersion?: number;
  /** `pending`, `reserved`, `assigned`, `wrapping`, `completed`, `canceled`. */
  status?: string;
  /** Unique name of the task's channel, such as `voice`. */
  channel?: string;
  queue?: Queue;
  /** Epoch ms, in whole seconds. */
  queueEnteredAt?: number;
  taskCreatedAt?: number;
  /** Why it was canceled or completed. */
  reason?: string;
  /** Whether the task was routed to one known agent. */
  toWorker: boolean;
  transfer?: Transfer;
  traits: TaskTraits;
  reservationSid?: ReservationSid;
  reservationVersion?: number;
  workerSid?: WorkerSid;
  /** The agent's Voice client, such as `client:anna`. */
  workerUri?: string;
}

export interface WorkerFact extends Common {
  kind: 'worker';
  name: string;
  workerSid?: WorkerSid;
  activity?: string;
}

/** A status event of a conference or of one of its participants. */
export interface ConferenceFact extends Common {
  kind: 'conference';
  /** Such as `participant-hold`, `participant-leave`, `conference-end`. */
  name: string;
  conferenceSid?: ConferenceSid;
  callSid?: CallSid;
  /** The only order of a conference's events. */
  sequence?: number;
  hold?: boolean;
  /** The participant's label is `customer`. */
  ofCustomer: boolean;
}

export interface CallFact extends Common {
  kind: 'call';
  /** `initiated`, `ringing`, `answered`, `completed`. */
  name: string;
  callSid?: CallSid;
  /** `completed`, `busy`, `no-answer`, `failed`, `canceled`, … */
  status?: string;
  direction?: 'inbound' | 'outbound';
  /** The Voice client of an agent whose leg it is; undefined for a caller's leg. */
  agentUri?: string;
}

/** The sources of a hold, the most exact one first. */
export const holdSources = ['status', 'api-request', 'report', 'participants'] as const;
export type HoldSource = (typeof holdSources)[number];

/** A participant is on hold from now on, or no longer. */
export interface HoldFact extends Common {
  kind: 'hold';
  source: HoldSource;
  on: boolean;
  callSid?: CallSid;
  conferenceSid?: ConferenceSid;
  reservationSid?: ReservationSid;
}

/** What one look at a conference's participants showed. */
export interface ParticipantsFact extends Common {
  kind: 'participants';
  conferenceSid?: ConferenceSid;
  participants: readonly { callSid: CallSid; hold: boolean }[];
}

export interface PauseFact extends Common {
  kind: 'pause';
  on: boolean;
  reservationSid?: ReservationSid;
  taskSid?: TaskSid;
}

export interface RecordingFact extends Common {
  kind: 'recording';
  recordingSid: RecordingSid;
  callSid?: CallSid;
  /** Epoch ms, in whole seconds. */
  startedAt?: number;
  /** Seconds. */
  duration?: number;
}

export interface EnqueueFact extends Common {
  kind: 'enqueue';
  callSid?: CallSid;
  /** Seconds that the caller spent in the queue. */
  queueSeconds?: number;
  result?: string;
}

/** The end of a call or conference, as Voice Insights sums it up afterwards. */
export interface SummaryFact extends Common {
  kind: 'summary';
  conferenceSid?: ConferenceSid;
  callSid?: CallSid;
  endedAt?: number;
}

export interface ConversationFact extends Common {
  kind: 'conversation';
  name: string;
  /** `active`, `inactive`, `closed`. */
  state?: string;
  language?: string;
}

/** An event that tells nothing but which contact it belongs to. */
export interface BareFact extends Common {
  kind: 'bare';
}

export type Fact =
  | TaskRouterFact
  | WorkerFact
  | ConferenceFact
  | CallFact
  | HoldFact
  | ParticipantsFact
  | PauseFact
  | RecordingFact
  | EnqueueFact
  | SummaryFact
  | ConversationFact
  | BareFact;

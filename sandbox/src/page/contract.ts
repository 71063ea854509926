/**
 * What the start page reads of the sandbox's controls: the shapes that `sandbox/src/controls.ts` answers with. The page
 * itself is plain JavaScript in a browser, so this is where the two are held together by types.
 */

/** One call in `GET /sandbox/calls` (`{ calls: CallView[] }`, newest first). */
export interface CallView {
  task: string;
  customerCall: string;
  conference: string;
  direction: 'inbound' | 'outbound';
  seconds: number;
  /** ISO 8601. */
  startedAt: string;
  reservations: readonly {
    reservation: string;
    worker: string;
    identity: string;
    call: string;
    recording?: string;
  }[];
  recordings: readonly string[];
}

/** One attempt to deliver a recording's callback, in `GET /sandbox/recordings/RE…` as `deliveries`. */
export interface DeliveryView {
  at: string;
  attempt: number;
  /** HTTP status, absent when no answer came. */
  status?: number;
  error?: string;
}

/** An object of `GET /sandbox/bucket` (`{ objects: ObjectView[], uploads: … }`). */
export interface ObjectView {
  key: string;
  bytes: number;
  versionId?: string;
  lastModified: string;
  /** The first 256 bytes as stored, in hex: what a reader of the bucket without the key sees. */
  head?: string;
}

/** A worker of `GET /sandbox/workers` (`{ workers: WorkerView[] }`). */
export interface WorkerView {
  worker: string;
  identity: string;
  name: string;
}

/** An open session, as the custody host has it. Times are ISO 8601. */
export interface SessionView {
  /** SID of its first task, or of its call. */
  session: string;
  kind: 'voice' | 'text' | 'work';
  queue: string | null;
  /** The employee's id: the worker's SID where the host has no file of employees. */
  agent: string | null;
  openedAt: string;
  /** Seconds; null until an agent accepts. */
  wait: number | null;
  holds: number;
  /** When the hold that lasts began. */
  onHoldAt: string | null;
}

/** An open alarm of the custody host. */
export interface AlarmView {
  id: number;
  code: string;
  detail: string;
  lastAt: string;
}

/** `GET /sandbox/recorder`. */
export type RecorderView =
  | { sessions: readonly SessionView[]; alarms: readonly AlarmView[] }
  | { unreachable: true };

/** What Brevo has received of one contact; identifiers are shortened. */
export interface BrevoContactView {
  id: number;
  identifiers: readonly { kind: string; value: string }[];
  /** Names. */
  lists: readonly string[];
  attributes: readonly { name: string; value: string }[];
  /** Of all its events; `events` has the newest of them. */
  count: number;
  events: readonly BrevoEventView[];
}

/** Seconds and scores are null where the event says nothing of them. */
export interface BrevoEventView {
  name: string;
  /** ISO 8601. */
  at: string;
  channel: string | null;
  queue: string | null;
  agent: string | null;
  wait: number | null;
  talk: number | null;
  csat: number | null;
}

/** `GET /sandbox/brevo/received`: the newest contacts first. */
export interface BrevoReceivedView {
  contacts: readonly BrevoContactView[];
  total: { contacts: number; events: number };
}

/**
 * A line of `GET /sandbox/events` (server-sent, the default event type, JSON data; the last few hundred are sent again to
 * each new connection). Events of the host reach the page the same way: who runs the host (the local stack)
 * posts the lines it logs to `POST /sandbox/events`, and the sandbox passes on those that begin with `recording.`.
 */
export interface EventView {
  event:
    | 'call.rang'
    | 'call.accepted'
    | 'call.ended'
    | 'callback.delivered'
    | 'callback.failed'
    | `recording.${string}`
    | `fault.${string}`;
  at: string;
  task?: string;
  recording?: string;
  /** HTTP status of a delivery. */
  status?: number;
  /** Who copied: on `recording.leased` and `recording.sealed`. */
  by?: 'function' | 'worker';
  bytes?: number;
  ms?: number;
  /** `recording.progress`: bytes done, of `total` when that is known. */
  done?: number;
  total?: number;
  reason?: string;
  /** On `recording.verified`: whether the copy is proven equal to Twilio's media with it. */
  proven?: boolean;
}

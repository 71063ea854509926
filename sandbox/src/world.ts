import { randomBytes } from 'node:crypto';
import { type AgentEvents, createAgentEvents } from './agent-events/list.ts';
import type { Conversation } from './conversation.ts';
import type { WavSource } from './media.ts';
import { makeRecordingKey, type RecordingKey, type RecordingSeal } from './recording-encryption.ts';
import { flexIdentity, newSid } from './sids.ts';

/** Everything that Twilio would know about one account. Dates are `Date`; rest/ turns them into each API's format. */
export interface Account {
  accountSid: string;
  authToken: string;
  apiKey: string;
  apiSecret: string;
  workspaceSid: string;
  createdAt: Date;
}

export interface Call {
  sid: string;
  from: string;
  to: string;
  direction: 'inbound' | 'outbound-api';
  status: 'queued' | 'ringing' | 'in-progress' | 'completed' | 'canceled';
  parentCallSid: string | null;
  startedAt: Date;
  endedAt: Date | null;
  updatedAt: Date;
}

export interface Participant {
  callSid: string;
  label: string | null;
  status: 'connected' | 'complete';
  joinedAt: Date;
  hold?: boolean;
  muted?: boolean;
  /** Of a supervisor who listens in. */
  supervises?: boolean;
  /** Of an agent's leg. */
  workerSid?: string;
  reservationSid?: string;
}

export interface Conference {
  sid: string;
  friendlyName: string;
  status: 'init' | 'in-progress' | 'completed';
  participants: Participant[];
  createdAt: Date;
  updatedAt: Date;
}

export interface Recording {
  sid: string;
  callSid: string;
  conferenceSid: string | null;
  status: 'in-progress' | 'paused' | 'stopped' | 'processing' | 'completed' | 'absent' | 'deleted';
  source: 'OutboundAPI' | 'Conference' | 'StartCallRecordingAPI' | 'StartConferenceRecordingAPI';
  track: 'inbound' | 'outbound' | 'both';
  channels: 1 | 2;
  seconds: number;
  errorCode: number | null;
  startedAt: Date;
  updatedAt: Date;
  /** Absent while there is nothing to fetch; in plain, also of a sealed one. */
  media?: WavSource;
  /** Present where Voice Recording Encryption was on. */
  seal?: RecordingSeal;
  /** Where and with what hints its callbacks go: path and query below the Functions' base URL, with the fragment. */
  callback?: string;
}

export interface Task {
  sid: string;
  attributes: string;
  status: 'pending' | 'reserved' | 'assigned' | 'canceled' | 'completed' | 'wrapping';
  /** Absent for a call that was made when it had already ended (calls.ts): no desktop gets an event of it. */
  channel?: 'voice' | 'chat';
  /** Its queue's name; absent: Everyone. */
  queue?: string;
  /** The worker that an outbound task was made for, by contact URI. */
  routingTarget?: string;
  /** Grows with every change; TaskRouter's ETag. */
  version: number;
  createdAt: Date;
  updatedAt: Date;
}

/** An entry of TaskRouter's history, which no client can change. */
export interface TaskEvent {
  sid: string;
  type: 'task.created';
  taskSid: string;
  /** As they were then. */
  attributes: string;
  actor: { type: string; sid: string };
  at: Date;
}

export interface Reservation {
  sid: string;
  taskSid: string;
  workerSid: string;
  status: 'pending' | 'accepted' | 'wrapping' | 'completed' | 'rejected' | 'canceled' | 'rescinded';
  /** Of an incoming transfer. */
  transferSid?: string;
  createdAt: Date;
  updatedAt: Date;
}

/** From one agent to another (`initiatingReservation` → a new reservation for `to`). */
export interface Transfer {
  sid: string;
  taskSid: string;
  mode: 'COLD' | 'WARM';
  status: 'initiated' | 'complete' | 'canceled' | 'failed';
  initiatingReservation: string;
  /** Worker or queue. */
  to: string;
  createdAt: Date;
  updatedAt: Date;
}

export interface Worker {
  sid: string;
  friendlyName: string;
  identity: string;
  attributes: string;
  createdAt: Date;
}

export interface Stream {
  sid: string;
  callSid: string;
  name: string | null;
  url: string;
  track: 'inbound_track' | 'outbound_track' | 'both_tracks';
  status: 'in-progress' | 'stopped';
  parameters: Record<string, string>;
  updatedAt: Date;
}

export interface FlexToken {
  identity: string;
  roles: string[];
  workerSid: string | null;
  expiresAt: Date;
}

/** A form that reached Twilio's own FlexRecordingWebhook. */
export interface ForwardedForm {
  taskSid: string;
  form: Record<string, string>;
  at: Date;
}

/** What can be set of the Flex configuration, by the names of its resource; the desktop is served the same. */
export interface FlexConfiguration {
  ui_attributes: Record<string, unknown>;
  /** Their text as it was written last; it is what is served for as long as it says what they are. */
  uiAttributesText?: string;
  call_recording_enabled: boolean;
  call_recording_webhook_url: string | null;
  date_updated?: string;
}

/** How the double may answer where Twilio's own answer is unverified; both ways must work for production code. */
export interface Behaviour {
  mediaRange: boolean;
  mediaValidators: boolean;
  /** How the API names the fields of `encryption_details`; callbacks use the guide's names. */
  encryptionNames: 'guide' | 'reference';
  /** Whether an acceptance's recording options reach the leg of an agent who called by himself. */
  acceptRecordsOutbound: boolean;
  /** Seconds by which the clock of Twilio, and of the bucket here, is ahead of this machine's: its answers' Date. */
  clockSeconds: number;
}

/** The time at which things happen to live calls. */
export interface Clock {
  now(): Date;
  /** Runs `work` as if it were then, so that a story that took an hour is played at once. */
  as<T>(at: Date, work: () => T): T;
}

function createClock(): Clock {
  let then: Date | undefined;
  return {
    now: () => new Date(then ?? Date.now()),
    as(at, work) {
      const before = then;
      then = at;
      try {
        return work();
      } finally {
        then = before;
      }
    },
  };
}

/** Where Event Streams delivers. */
export interface Sink {
  sid: string;
  description: string;
  type: 'kinesis' | 'webhook';
  configuration: Record<string, unknown>;
  status: 'initialized' | 'validating' | 'active' | 'failed';
  /** Of the test event that was sent last. */
  testId?: string;
  createdAt: Date;
  updatedAt: Date;
}

export interface Subscription {
  sid: string;
  description: string;
  sinkSid: string;
  /** Schema versions by type. */
  types: Map<string, number>;
  createdAt: Date;
  updatedAt: Date;
}

export interface World {
  readonly account: Account;
  readonly clock: Clock;
  /** The account's public key for recordings, made when it is first asked for. */
  readonly recordingKey: RecordingKey;
  readonly calls: Map<string, Call>;
  readonly conferences: Map<string, Conference>;
  readonly recordings: Map<string, Recording>;
  readonly tasks: Map<string, Task>;
  /** Of each task how it was made, by its SID, oldest first. */
  readonly taskEvents: Map<string, TaskEvent>;
  /** What happened to agents, tasks and calls: Event Streams and the Events API deliver it. */
  readonly agentEvents: AgentEvents;
  readonly sinks: Map<string, Sink>;
  readonly subscriptions: Map<string, Subscription>;
  readonly reservations: Map<string, Reservation>;
  readonly transfers: Map<string, Transfer>;
  readonly workers: Map<string, Worker>;
  readonly streams: Map<string, Stream>;
  /** Texts of customers and agents; conversations.ts adds them. */
  readonly conversations: Map<string, Conversation>;
  readonly tokens: Map<string, FlexToken>;
  readonly forwarded: ForwardedForm[];
  readonly flexConfiguration: FlexConfiguration;
  /** Of the active release. */
  readonly plugins: { name: string; version: string }[];
  readonly behaviour: Behaviour;
}

const agents = ['Alice Archer', 'Bruno Berg', 'Carla Costa'];

function makeWorker(name: string, createdAt: Date): Worker {
  const email = `${name.split(' ')[0]?.toLowerCase()}@northwind.example`;
  const identity = flexIdentity(email);
  return {
    sid: newSid('WK'),
    friendlyName: identity,
    identity,
    attributes: JSON.stringify({
      contact_uri: `client:${identity}`,
      email,
      full_name: name,
      roles: ['agent'],
      routing: { skills: [] },
    }),
    createdAt,
  };
}

/** A fresh account with three workers and nothing else. */
export function createWorld(): World {
  const createdAt = new Date();
  const workers = agents.map((name) => makeWorker(name, createdAt));
  let recordingKey: RecordingKey | undefined;
  return {
    account: {
      accountSid: newSid('AC'),
      authToken: randomBytes(16).toString('hex'),
      apiKey: newSid('SK'),
      apiSecret: randomBytes(16).toString('hex'),
      workspaceSid: newSid('WS'),
      createdAt,
    },
    clock: createClock(),
    get recordingKey() {
      recordingKey ??= makeRecordingKey();
      return recordingKey;
    },
    calls: new Map(),
    conferences: new Map(),
    recordings: new Map(),
    tasks: new Map(),
    taskEvents: new Map(),
    agentEvents: createAgentEvents(),
    sinks: new Map(),
    subscriptions: new Map(),
    reservations: new Map(),
    transfers: new Map(),
    workers: new Map(workers.map((worker) => [worker.sid, worker])),
    streams: new Map(),
    conversations: new Map(),
    tokens: new Map(),
    forwarded: [],
    flexConfiguration: {
      ui_attributes: { version_compatibility: 'yes' },
      call_recording_enabled: false,
      call_recording_webhook_url: null,
    },
    plugins: ['plugin-recording', 'plugin-veridas'].map((name) => ({ name, version: '0.1.0' })),
    behaviour: {
      mediaRange: false,
      mediaValidators: true,
      encryptionNames: 'reference',
      acceptRecordsOutbound: false,
      clockSeconds: 0,
    },
  };
}

/** Changes a task as TaskRouter would: a new version, so that an older ETag no longer matches. */
export function touchTask(task: Task, change: Partial<Pick<Task, 'attributes' | 'status'>>): void {
  Object.assign(task, change);
  task.version += 1;
  task.updatedAt = new Date();
}

/** Writes the creation of a task into TaskRouter's history. @param by the worker whose desktop made it; else a workflow */
export function noteCreation(world: World, task: Task, attributes: string, by?: string): void {
  world.taskEvents.set(task.sid, {
    sid: newSid('EV'),
    type: 'task.created',
    taskSid: task.sid,
    attributes,
    actor: by === undefined ? { type: 'workflow', sid: newSid('WW') } : { type: 'worker', sid: by },
    at: task.createdAt,
  });
}

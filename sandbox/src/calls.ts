import { placedEvents } from './agent-events/placed.ts';
import type { Courier } from './callbacks.ts';
import type { EventLog } from './events.ts';
import type { Media } from './media.ts';
import { sealFor } from './recording-encryption.ts';
import { newSid } from './sids.ts';
import {
  type Call,
  type Conference,
  noteCreation,
  type Recording,
  type Reservation,
  type Task,
  type Worker,
  type World,
} from './world.ts';

export interface CallOptions {
  seconds: number;
  channels: 1 | 2;
  /** A second agent takes over half-way: two reservations, two agent legs, a recording of each leg. */
  transfer: boolean;
  direction: 'inbound' | 'outbound';
  /** Flex's own recording switch: the conference is recorded instead of the agents' legs. */
  conference: boolean;
  /** The task is deleted before the callback arrives. */
  taskGone: boolean;
  /** False: the callback gets lost, as Twilio's may. */
  callback: boolean;
  /** Voice Recording Encryption is on. */
  encrypted: boolean;
  /** Which agent takes the call; by default they take turns. */
  worker?: string;
  media: Media;
  /** A person's own WAV is played as it is; the dialogue is marked with each recording's SID. */
  marked: boolean;
}

/** What `POST /sandbox/calls` answers: the SIDs of a call that rang, was accepted with recording on, and ended. */
export interface PlacedCall {
  task: string;
  direction: 'inbound' | 'outbound';
  seconds: number;
  startedAt: string;
  conference: string;
  customerCall: string;
  reservations: { reservation: string; worker: string; identity: string; call: string; recording?: string }[];
  recordings: string[];
}

export interface Switchboard {
  place(options: CallOptions): PlacedCall;
  /** Lists a call that was made elsewhere: on a desktop. */
  add(call: PlacedCall): void;
  /** Newest first. */
  list(): readonly PlacedCall[];
  /** Resolves once every callback on its way was delivered, or failed its last attempt. */
  settled(): Promise<void>;
}

const customerNumber = '+14155550142';
const ownNumber = '+14155550199';
const overrides = '#rc=5&rp=all';

export function createSwitchboard(deps: { world: World; events: EventLog; courier: Courier }): Switchboard {
  const { world, events, courier } = deps;
  const placed: PlacedCall[] = [];
  const underway = new Set<Promise<unknown>>();
  let turn = 0;

  const nextWorkers = (count: number, first?: string): Worker[] => {
    const all = [...world.workers.values()];
    const chosen = first === undefined ? turn++ : all.findIndex((worker) => worker.sid === first);
    return Array.from({ length: count }, (_, index) => all[(chosen + index) % all.length]).filter(
      (worker): worker is Worker => worker !== undefined,
    );
  };

  return {
    list: () => [...placed].reverse(),
    add: (call) => void placed.push(call),
    settled: async () => void (await Promise.allSettled(underway)),
    place(options) {
      const made = play(world, options, nextWorkers(options.transfer ? 2 : 1, options.worker));
      placed.push(made.call);
      const facts = { task: made.call.task, recording: made.call.recordings[0] };
      for (const step of ['call.rang', 'call.accepted', 'call.ended']) events.emit(step, facts);
      if (options.callback) {
        for (const recording of made.recordings) {
          // After the answer to the request that placed the call, as at Twilio.
          const sent = new Promise<void>((resolve) => setImmediate(resolve)).then(() =>
            courier.deliver(recording),
          );
          underway.add(sent);
          void sent.finally(() => underway.delete(sent));
        }
      }
      return made.call;
    },
  };
}

function play(world: World, options: CallOptions, workers: readonly Worker[]) {
  const endedAt = new Date();
  const startedAt = new Date(endedAt.getTime() - options.seconds * 1000);
  const legSeconds = options.transfer
    ? [Math.floor(options.seconds / 2) || options.seconds / 2, 0]
    : [options.seconds];
  if (options.transfer) legSeconds[1] = options.seconds - (legSeconds[0] ?? 0);

  const customerCall = addCall(world, {
    ...(options.direction === 'inbound'
      ? { from: customerNumber, to: ownNumber, direction: 'inbound' as const }
      : { from: ownNumber, to: customerNumber, direction: 'outbound-api' as const }),
    startedAt,
    endedAt,
  });
  const conference = addConference(world, startedAt, endedAt);
  conference.participants.push({
    callSid: customerCall.sid,
    label: 'customer',
    status: 'complete',
    joinedAt: startedAt,
  });

  const task = addTask(world, startedAt, endedAt);
  conference.friendlyName = task.sid;
  const recordings: Recording[] = [];
  const reservations: PlacedCall['reservations'] = [];
  let at = 0;
  for (const [index, worker] of workers.entries()) {
    const seconds = legSeconds[index] ?? 0;
    const from = new Date(startedAt.getTime() + at * 1000);
    const to = new Date(from.getTime() + seconds * 1000);
    const leg = addCall(world, {
      from: options.direction === 'inbound' ? customerNumber : ownNumber,
      to: `client:${worker.identity}`,
      direction: 'outbound-api',
      startedAt: from,
      endedAt: to,
    });
    conference.participants.push({
      callSid: leg.sid,
      label: worker.identity,
      status: 'complete',
      joinedAt: from,
    });
    const reservation = addReservation(world, task, worker, from, to);
    const entry: PlacedCall['reservations'][number] = {
      reservation: reservation.sid,
      worker: worker.sid,
      identity: worker.identity,
      call: leg.sid,
    };
    if (!options.conference) {
      const recording = addRecording(world, options, {
        callSid: leg.sid,
        conferenceSid: null,
        source: 'OutboundAPI',
        seconds,
        skipSeconds: at,
        startedAt: from,
        endedAt: to,
        callback: `/recording-status-callback?taskSid=${task.sid}&reservationSid=${reservation.sid}${overrides}`,
      });
      recordings.push(recording);
      entry.recording = recording.sid;
    }
    reservations.push(entry);
    at += seconds;
  }
  if (options.conference) {
    recordings.push(
      addRecording(world, options, {
        callSid: customerCall.sid,
        conferenceSid: conference.sid,
        source: 'Conference',
        seconds: options.seconds,
        skipSeconds: 0,
        startedAt,
        endedAt,
        callback: `/recording-status-callback?taskSid=${task.sid}${overrides}`,
      }),
    );
  }
  const attributes = taskAttributes(world, options, conference, customerCall, reservations);
  task.attributes = JSON.stringify(attributes);
  // Flex adds the conference when an agent accepts.
  const { conference: _later, ...first } = attributes;
  const maker = options.direction === 'outbound' ? workers[0]?.sid : undefined;
  noteCreation(world, task, JSON.stringify(first), maker);
  if (options.taskGone) world.tasks.delete(task.sid);
  const call: PlacedCall = {
    task: task.sid,
    direction: options.direction,
    seconds: options.seconds,
    startedAt: startedAt.toISOString(),
    conference: conference.sid,
    customerCall: customerCall.sid,
    reservations,
    recordings: recordings.map((recording) => recording.sid),
  };
  world.agentEvents.add(task.sid, () => placedEvents(world, { call, task, conference }));
  return { call, recordings };
}

/** What Flex puts there. An outbound task has neither conference nor call, unless a plugin writes them. */
function taskAttributes(
  world: World,
  options: CallOptions,
  conference: Conference,
  customerCall: Call,
  reservations: PlacedCall['reservations'],
): Record<string, unknown> {
  if (options.direction === 'outbound') {
    return {
      direction: 'outbound',
      from: ownNumber,
      outbound_to: customerNumber,
      name: customerNumber,
      to: customerNumber,
      autoAnswer: 'false',
    };
  }
  return {
    account_sid: world.account.accountSid,
    call_sid: customerCall.sid,
    called: ownNumber,
    caller: customerNumber,
    conference: {
      sid: conference.sid,
      participants: { customer: customerCall.sid, worker: reservations.at(-1)?.call },
    },
    direction: 'inbound',
    from: customerNumber,
    from_country: 'US',
    name: customerNumber,
    to: ownNumber,
    to_country: 'US',
  };
}

function addCall(
  world: World,
  facts: Pick<Call, 'from' | 'to' | 'direction' | 'startedAt'> & { endedAt: Date },
): Call {
  const call: Call = {
    sid: newSid('CA'),
    status: 'completed',
    parentCallSid: null,
    updatedAt: facts.endedAt,
    ...facts,
  };
  world.calls.set(call.sid, call);
  return call;
}

function addConference(world: World, createdAt: Date, updatedAt: Date): Conference {
  const conference: Conference = {
    sid: newSid('CF'),
    friendlyName: '',
    status: 'completed',
    participants: [],
    createdAt,
    updatedAt,
  };
  world.conferences.set(conference.sid, conference);
  return conference;
}

function addTask(world: World, createdAt: Date, updatedAt: Date): Task {
  const task: Task = {
    sid: newSid('WT'),
    attributes: '{}',
    status: 'wrapping',
    version: 3,
    createdAt,
    updatedAt,
  };
  world.tasks.set(task.sid, task);
  return task;
}

function addReservation(
  world: World,
  task: Task,
  worker: Worker,
  createdAt: Date,
  updatedAt: Date,
): Reservation {
  const reservation: Reservation = {
    sid: newSid('WR'),
    taskSid: task.sid,
    workerSid: worker.sid,
    status: 'wrapping',
    createdAt,
    updatedAt,
  };
  world.reservations.set(reservation.sid, reservation);
  return reservation;
}

function addRecording(
  world: World,
  options: CallOptions,
  facts: Pick<Recording, 'callSid' | 'conferenceSid' | 'source' | 'seconds' | 'startedAt'> & {
    endedAt: Date;
    skipSeconds: number;
    callback: string;
  },
): Recording {
  const sid = newSid('RE');
  const { endedAt, skipSeconds, ...rest } = facts;
  const recording: Recording = {
    sid,
    status: 'completed',
    track: 'both',
    channels: options.channels,
    errorCode: null,
    updatedAt: endedAt,
    media: options.media.recording({
      channels: options.channels,
      seconds: facts.seconds,
      skipSeconds,
      ...(options.marked ? { mark: sid } : {}),
    }),
    ...(options.encrypted && { seal: sealFor(world.recordingKey) }),
    ...rest,
  };
  world.recordings.set(sid, recording);
  return recording;
}

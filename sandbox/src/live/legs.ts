import type { Courier } from '../callbacks.ts';
import type { EventLog } from '../events.ts';
import type { Media } from '../media.ts';
import { newSid } from '../sids.ts';
import type { Call, Conference, Participant, Recording, Reservation, Task, Worker, World } from '../world.ts';
import type { AcceptParameters } from './parameters.ts';
import { belowFunctions } from './parameters.ts';

export interface LegDeps {
  world: World;
  events: EventLog;
  courier: Courier;
  /** The audio of every call. */
  dialogue: Media;
  /** Where the Functions are, by both of their addresses. */
  functions: readonly string[];
}

/** Calls, their conference and its recordings, from ring to end. What happens on TaskRouter's side is exchange.ts's. */
export interface Legs {
  dial(facts: Pick<Call, 'from' | 'to' | 'direction'>): Call;
  conferenceOf(taskSid: string): Conference | undefined;
  open(task: Task): Conference;
  join(conference: Conference, call: Call, who: Partial<Participant>): Participant;
  agent(call: Call, worker: Worker, reservation: Reservation): Partial<Participant>;
  record(call: Call, conference: Conference, wanted: AcceptParameters): Recording[];
  /** The call is over: its participant has left, and what was recorded of it is on its way. */
  end(call: Call): void;
  /** All participants have left. */
  close(conference: Conference): void;
  /** Resolves once every callback on its way was delivered, or failed its last attempt. */
  settled(): Promise<void>;
}

const live = ['in-progress', 'paused', 'stopped', 'processing'];
/** Nothing shorter than this is kept by the double, so that there is always something to play. */
const leastSeconds = 0.5;

export function createLegs({ world, events, courier, dialogue, functions }: LegDeps): Legs {
  const underway = new Set<Promise<unknown>>();
  /** Recordings whose callback is Twilio's own webhook, by the task that it names. */
  const toWebhook = new Map<string, string>();

  const started = (recording: Recording, callback: string | undefined, task: string) => {
    world.recordings.set(recording.sid, recording);
    const path = callback === undefined ? undefined : belowFunctions(callback, functions);
    if (path !== undefined) recording.callback = path;
    else if (callback?.startsWith('https://webhooks.twilio.com/')) toWebhook.set(recording.sid, task);
    else if (callback !== undefined)
      events.emit('callback.elsewhere', { recording: recording.sid, url: callback });
    events.emit('twilio.recording-started', { recording: recording.sid, call: recording.callSid });
    return recording;
  };

  const finish = (recording: Recording, at: Date) => {
    if (!live.includes(recording.status)) return;
    const seconds = Math.max(leastSeconds, (at.getTime() - recording.startedAt.getTime()) / 1000);
    const channels = Math.min(recording.channels, dialogue.channels) as 1 | 2;
    const media = dialogue.recording({ channels, seconds, mark: recording.sid });
    Object.assign(recording, { status: 'completed', seconds, channels, media, updatedAt: at });
    events.emit('twilio.recording-completed', { recording: recording.sid, call: recording.callSid });
    const task = toWebhook.get(recording.sid);
    if (task !== undefined) {
      const form = { RecordingSid: recording.sid, RecordingStatus: 'completed', CallSid: recording.callSid };
      world.forwarded.push({ taskSid: task, form, at });
    }
    if (recording.callback === undefined) return;
    const sent = courier.deliver(recording);
    underway.add(sent);
    void sent.finally(() => underway.delete(sent));
  };

  const fresh = (call: Call, facts: Pick<Recording, 'conferenceSid' | 'source' | 'channels'>): Recording => {
    const now = world.clock.now();
    return {
      sid: newSid('RE'),
      callSid: call.sid,
      status: 'in-progress',
      track: 'both',
      seconds: 0,
      errorCode: null,
      startedAt: now,
      updatedAt: now,
      ...facts,
    };
  };

  const legs: Legs = {
    dial(facts) {
      const now = world.clock.now();
      const call: Call = {
        ...facts,
        sid: newSid('CA'),
        status: 'in-progress',
        parentCallSid: null,
        startedAt: now,
        endedAt: null,
        updatedAt: now,
      };
      world.calls.set(call.sid, call);
      return call;
    },
    conferenceOf: (taskSid) =>
      [...world.conferences.values()].reverse().find((one) => one.friendlyName === taskSid),
    open(task) {
      const now = world.clock.now();
      const conference: Conference = {
        sid: newSid('CF'),
        friendlyName: task.sid,
        status: 'in-progress',
        participants: [],
        createdAt: now,
        updatedAt: now,
      };
      world.conferences.set(conference.sid, conference);
      return conference;
    },
    join(conference, call, who) {
      const now = world.clock.now();
      const participant: Participant = {
        callSid: call.sid,
        label: null,
        status: 'connected',
        joinedAt: now,
        hold: false,
        muted: false,
        ...who,
      };
      conference.participants.push(participant);
      conference.updatedAt = now;
      return participant;
    },
    agent: (_call, worker, reservation) => ({
      label: worker.identity,
      workerSid: worker.sid,
      reservationSid: reservation.sid,
    }),
    record(call, conference, { leg, conference: whole }) {
      const made: Recording[] = [];
      if (leg) {
        const recording = fresh(call, {
          conferenceSid: null,
          source: 'OutboundAPI',
          channels: leg.channels,
        });
        made.push(started(recording, leg.callback, conference.friendlyName));
      }
      const already = [...world.recordings.values()].some((one) => one.conferenceSid === conference.sid);
      if (whole && !already) {
        const [first] = conference.participants;
        const of = world.calls.get(first?.callSid ?? '') ?? call;
        const recording = fresh(of, { conferenceSid: conference.sid, source: 'Conference', channels: 1 });
        made.push(started(recording, whole.callback, conference.friendlyName));
      }
      return made;
    },
    end(call) {
      if (call.status === 'completed' && call.endedAt !== null && !isConnected(world, call)) return;
      const now = world.clock.now();
      Object.assign(call, { status: 'completed', endedAt: call.endedAt ?? now, updatedAt: now });
      for (const conference of world.conferences.values()) {
        for (const one of conference.participants) {
          if (one.callSid !== call.sid || one.status === 'complete') continue;
          one.status = 'complete';
          conference.updatedAt = now;
        }
      }
      for (const recording of world.recordings.values())
        if (recording.callSid === call.sid && recording.conferenceSid === null) finish(recording, now);
    },
    close(conference) {
      if (conference.status === 'completed') return;
      const now = world.clock.now();
      for (const { callSid } of conference.participants) {
        const call = world.calls.get(callSid);
        if (call) legs.end(call);
      }
      Object.assign(conference, { status: 'completed', updatedAt: now });
      for (const recording of world.recordings.values())
        if (recording.conferenceSid === conference.sid) finish(recording, now);
    },
    settled: async () => {
      while (underway.size > 0) await Promise.allSettled([...underway]);
    },
  };
  return legs;
}

const isConnected = (world: World, call: Call) =>
  [...world.conferences.values()].some((conference) =>
    conference.participants.some((one) => one.callSid === call.sid && one.status === 'connected'),
  );

import { newSid } from '../sids.ts';
import type { Call, Conference, Participant, Recording, World } from '../world.ts';
import type { AgentEvent } from './list.ts';

const prefix = 'com.twilio.voice.';

/** An event with the request that it is about, such as a status callback, as Event Streams carries it. */
function voiceEvent(
  world: World,
  type: string,
  facts: { at: Date; task?: string; parameters: Record<string, string>; url?: string },
): AgentEvent {
  const { at, task, parameters, url = 'https://webhooks.twilio.com/v1/status' } = facts;
  return {
    id: newSid('VW'),
    type: prefix + type,
    at,
    ...(task !== undefined && { task }),
    data: {
      account_sid: world.account.accountSid,
      request: {
        method: 'POST',
        url,
        parameters: { AccountSid: world.account.accountSid, ...parameters },
      },
      response: { status_code: 200 },
    },
  };
}

/** RFC 2822 in whole seconds: only `SequenceNumber` orders a conference's events. */
const stamp = (at: Date) => at.toUTCString().replace('GMT', '+0000');

const conferenceTypes: Readonly<Record<string, string>> = {
  'conference-start': 'conference.updated',
  'conference-end': 'conference.updated',
};

/** @param name `StatusCallbackEvent`, such as `participant-hold` */
export function conferenceEvent(
  world: World,
  name: string,
  facts: { at: Date; conference: Conference; sequence: number; participant?: Participant },
): AgentEvent {
  const { at, conference, sequence, participant } = facts;
  return voiceEvent(world, `status-callback.${conferenceTypes[name] ?? 'conference.participant.updated'}`, {
    at,
    task: conference.friendlyName,
    parameters: {
      ConferenceSid: conference.sid,
      FriendlyName: conference.friendlyName,
      StatusCallbackEvent: name,
      SequenceNumber: String(sequence),
      Timestamp: stamp(at),
      ...(name === 'conference-end' && { ReasonConferenceEnded: 'last-participant-left' }),
      ...(participant && {
        CallSid: participant.callSid,
        ParticipantLabel: participant.label ?? '',
        Hold: String(participant.hold ?? false),
        Muted: String(participant.muted ?? false),
        Coaching: 'false',
        StartConferenceOnEnter: 'true',
        EndConferenceOnExit: 'false',
      }),
    },
  });
}

/** @param status as of a status callback: `initiated`, `ringing`, `answered`, `completed` */
export function callEvent(
  world: World,
  status: 'initiated' | 'ringing' | 'answered' | 'completed',
  { at, call, task }: { at: Date; call: Call; task: string },
): AgentEvent {
  const seconds = Math.max(0, Math.round((at.getTime() - call.startedAt.getTime()) / 1_000));
  return voiceEvent(world, `status-callback.call.${status}`, {
    at,
    task,
    parameters: {
      CallSid: call.sid,
      From: call.from,
      To: call.to,
      Direction: call.direction,
      CallStatus: status === 'answered' ? 'in-progress' : status,
      SequenceNumber: String(['initiated', 'ringing', 'answered', 'completed'].indexOf(status)),
      Timestamp: stamp(at),
      ...(status === 'completed' && { CallDuration: String(seconds) }),
    },
  });
}

export function recordingEvent(
  world: World,
  { at, recording, task }: { at: Date; recording: Recording; task: string },
): AgentEvent {
  return voiceEvent(world, 'status-callback.recording.processed', {
    at,
    task,
    parameters: {
      RecordingSid: recording.sid,
      CallSid: recording.callSid,
      ...(recording.conferenceSid !== null && { ConferenceSid: recording.conferenceSid }),
      RecordingStatus: recording.status,
      RecordingDuration: String(Math.round(recording.seconds)),
      RecordingChannels: String(recording.channels),
      RecordingSource: recording.source,
      RecordingStartTime: stamp(recording.startedAt),
    },
  });
}

/** A request to the API that changed a participant: the call's SID is in the URL alone. */
export function modifiedEvent(
  world: World,
  { at, conference, participant }: { at: Date; conference: Conference; participant: Participant },
): AgentEvent {
  const path = `Accounts/${world.account.accountSid}/Conferences/${conference.sid}/Participants/${participant.callSid}.json`;
  return voiceEvent(world, 'api-request.conference-participant.modified', {
    at,
    task: conference.friendlyName,
    url: `https://api.twilio.com/2010-04-01/${path}`,
    parameters: { Hold: String(participant.hold ?? false) },
  });
}

/** The end of a call's wait. @param result `bridged` or `hangup` */
export function queueEndEvent(
  world: World,
  {
    at,
    call,
    task,
    result,
  }: { at: Date; call: Call; task: { sid: string; createdAt: Date }; result: string },
): AgentEvent {
  const seconds = Math.max(0, Math.round((at.getTime() - task.createdAt.getTime()) / 1_000));
  return voiceEvent(world, 'twiml.enqueue.finished', {
    at,
    task: task.sid,
    parameters: { CallSid: call.sid, TaskSid: task.sid, QueueResult: result, QueueTime: String(seconds) },
  });
}

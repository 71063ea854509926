import type { FastifyRequest } from 'fastify';
import type { Conference, Participant, World } from '../world.ts';
import { callRecordingBody, currentRecording } from './calls.ts';
import { form, oneOf, ownAccount, page2010, params, query, resource, rfc2822, version } from './format.ts';
import { statusAsListed } from './recordings.ts';
import { notFound, onHost, type RestApp, type RestDeps, TwilioError } from './route.ts';

/** Conferences, who was in them, and the recording of a live one. */
export function conferenceRoutes(app: RestApp, { world, events }: RestDeps): void {
  const list = `/${version}/Accounts/:account/Conferences`;
  const one = `${list}/:conference`;

  app.get(`${list}.json`, onHost('api'), async (request) => {
    ownAccount(world, request);
    const { FriendlyName: name, Status: status } = query(request);
    if (status !== undefined) oneOf('Status', status, ['init', 'in-progress', 'completed']);
    const found = [...world.conferences.values()].filter(
      (conference) =>
        (name === undefined || conference.friendlyName === name) &&
        (status === undefined || conference.status === status),
    );
    return page2010(request, 'conferences', found.reverse(), (conference) =>
      conferenceBody(world, conference),
    );
  });

  app.get(`${one}.json`, onHost('api'), async (request) =>
    conferenceBody(world, findConference(world, request)),
  );

  app.get(`${one}/Participants.json`, onHost('api'), async (request) => {
    const conference = findConference(world, request);
    return page2010(request, 'participants', conference.participants, (participant) =>
      participantBody(world, conference, participant),
    );
  });

  app.get(`${one}/Participants/:participant.json`, onHost('api'), async (request) => {
    const conference = findConference(world, request);
    const asked = params(request)['participant'];
    const participant = conference.participants.find((p) => p.callSid === asked || p.label === asked);
    if (!participant) throw notFound(resource(request));
    return participantBody(world, conference, participant);
  });

  app.get(`${one}/Recordings.json`, onHost('api'), async (request) => {
    const conference = findConference(world, request);
    return page2010(request, 'recordings', recordingsOf(world, conference), (recording) =>
      conferenceRecordingBody(world, { ...recording, status: statusAsListed(recording) }),
    );
  });

  app.post(`${one}/Recordings/:recording.json`, onHost('api'), async (request) => {
    const conference = findConference(world, request);
    const lasts = conference.status === 'in-progress';
    const recording = currentRecording(request, lasts, recordingsOf(world, conference));
    const { Status: status, PauseBehavior: pause } = form(request);
    if (status === 'stopped')
      throw new TwilioError(400, 21220, 'A conference recording cannot be stopped, only paused');
    recording.status = oneOf('Status', status, ['in-progress', 'paused']);
    if (pause !== undefined) oneOf('PauseBehavior', pause, ['skip', 'silence']);
    recording.updatedAt = new Date();
    events.emit('twilio.recording-updated', {
      recording: recording.sid,
      status: recording.status,
      ...(pause === undefined ? {} : { behavior: pause }),
    });
    return conferenceRecordingBody(world, recording);
  });
}

function conferenceRecordingBody(world: World, recording: Parameters<typeof callRecordingBody>[1]) {
  const { track, ...body } = callRecordingBody(world, recording);
  return body;
}

const recordingsOf = (world: World, conference: Conference) =>
  [...world.recordings.values()].filter((recording) => recording.conferenceSid === conference.sid);

function findConference(world: World, request: FastifyRequest): Conference {
  ownAccount(world, request);
  const conference = world.conferences.get(params(request)['conference'] ?? '');
  if (!conference) throw notFound(resource(request));
  return conference;
}

function conferenceBody(world: World, conference: Conference): Record<string, unknown> {
  const path = `/${version}/Accounts/${world.account.accountSid}/Conferences/${conference.sid}`;
  return {
    sid: conference.sid,
    account_sid: world.account.accountSid,
    api_version: version,
    friendly_name: conference.friendlyName,
    region: 'us1',
    status: conference.status,
    date_created: rfc2822(conference.createdAt),
    date_updated: rfc2822(conference.updatedAt),
    reason_conference_ended: conference.status === 'completed' ? 'last-participant-left' : null,
    call_sid_ending_conference: null,
    uri: `${path}.json`,
    subresource_uris: { participants: `${path}/Participants.json`, recordings: `${path}/Recordings.json` },
  };
}

function participantBody(
  world: World,
  conference: Conference,
  participant: Participant,
): Record<string, unknown> {
  const { accountSid } = world.account;
  return {
    account_sid: accountSid,
    call_sid: participant.callSid,
    conference_sid: conference.sid,
    label: participant.label,
    status: participant.status,
    date_created: rfc2822(participant.joinedAt),
    date_updated: rfc2822(conference.updatedAt),
    call_sid_to_coach: null,
    coaching: false,
    muted: participant.muted ?? false,
    hold: participant.hold ?? false,
    start_conference_on_enter: true,
    end_conference_on_exit: false,
    queue_time: '0',
    uri: `/${version}/Accounts/${accountSid}/Conferences/${conference.sid}/Participants/${participant.callSid}.json`,
  };
}

import type { FastifyRequest } from 'fastify';
import { newSid } from '../sids.ts';
import type { Call, Recording, World } from '../world.ts';
import {
  form,
  oneOf,
  ownAccount,
  page2010,
  params,
  resource,
  rfc2822,
  version,
  wholeSeconds,
} from './format.ts';
import { recordingBody, statusAsListed } from './recordings.ts';
import { notFound, onHost, type RestApp, type RestDeps, TwilioError } from './route.ts';

/** Calls, and the recording of a live call: start, pause, resume, stop. */
export function callRoutes(app: RestApp, { world, events }: RestDeps): void {
  const base = `/${version}/Accounts/:account/Calls/:call`;

  app.get(`${base}.json`, onHost('api'), async (request) => callBody(world, findCall(world, request)));

  app.post(`${base}.json`, onHost('api'), async (request) => {
    const call = findCall(world, request);
    const { Status: status } = form(request);
    if (status !== undefined) {
      const next = oneOf('Status', status, ['canceled', 'completed']);
      if (call.status === 'completed' || call.status === 'canceled')
        throw new TwilioError(400, 21220, 'Call is not in-progress. Cannot redirect.');
      Object.assign(call, { status: next, endedAt: new Date(), updatedAt: new Date() });
    }
    return callBody(world, call);
  });

  app.get(`${base}/Recordings.json`, onHost('api'), async (request) => {
    const call = findCall(world, request);
    return page2010(request, 'recordings', recordingsOf(world, call), (one) =>
      callRecordingBody(world, { ...one, status: statusAsListed(one) }),
    );
  });

  app.post(`${base}/Recordings.json`, onHost('api'), async (request, reply) => {
    const call = findCall(world, request);
    if (call.status !== 'in-progress')
      throw new TwilioError(400, 21220, 'Requested resource is not eligible for recording');
    const fields = form(request);
    const { RecordingChannels: channels = 'mono', RecordingTrack: track = 'both' } = fields;
    const callback = callbackOf(fields);
    const now = new Date();
    const recording: Recording = {
      sid: newSid('RE'),
      callSid: call.sid,
      conferenceSid: null,
      status: 'in-progress',
      source: 'StartCallRecordingAPI',
      track: oneOf('RecordingTrack', track, ['inbound', 'outbound', 'both']),
      channels: oneOf('RecordingChannels', channels, ['mono', 'dual']) === 'dual' ? 2 : 1,
      seconds: 0,
      errorCode: null,
      startedAt: now,
      updatedAt: now,
      ...(callback === undefined ? {} : { callback }),
    };
    world.recordings.set(recording.sid, recording);
    events.emit('twilio.recording-started', { recording: recording.sid, call: call.sid });
    return reply.code(201).send(callRecordingBody(world, recording));
  });

  app.post(`${base}/Recordings/:recording.json`, onHost('api'), async (request) => {
    const call = findCall(world, request);
    const recording = currentRecording(request, call.status === 'in-progress', recordingsOf(world, call));
    const { Status: status, PauseBehavior: pause } = form(request);
    const next = oneOf('Status', status, ['in-progress', 'paused', 'stopped']);
    if (pause !== undefined) oneOf('PauseBehavior', pause, ['skip', 'silence']);
    recording.status = next;
    recording.updatedAt = new Date();
    events.emit('twilio.recording-updated', {
      recording: recording.sid,
      status: next,
      ...(pause === undefined ? {} : { behavior: pause }),
    });
    return callRecordingBody(world, recording);
  });
}

export function findCall(world: World, request: FastifyRequest): Call {
  ownAccount(world, request);
  const call = world.calls.get(params(request)['call'] ?? '');
  if (!call) throw notFound(resource(request));
  return call;
}

/** Where Twilio posts the end of a recording: path and query below the Functions' base URL, with the fragment. */
function callbackOf(fields: Record<string, string | undefined>): string | undefined {
  const { RecordingStatusCallback: url, RecordingStatusCallbackEvent: events = 'completed' } = fields;
  for (const event of events.split(' '))
    oneOf('RecordingStatusCallbackEvent', event, ['in-progress', 'completed', 'absent']);
  if (url === undefined) return undefined;
  if (!URL.canParse(url)) throw new TwilioError(400, 21502, 'RecordingStatusCallback is not a valid URL');
  const { pathname, search, hash } = new URL(url);
  return pathname + search + hash;
}

const recordingsOf = (world: World, call: Call) =>
  [...world.recordings.values()].filter((one) => one.callSid === call.sid && one.conferenceSid === null);

/** `Twilio.CURRENT` means the one live recording and fails when there are several; 21220 where nothing is live. */
export function currentRecording(
  request: FastifyRequest,
  lasts: boolean,
  recordings: readonly Recording[],
): Recording {
  const live = recordings.filter((one) => one.status === 'in-progress' || one.status === 'paused');
  const asked = params(request)['recording'] ?? '';
  if (asked === 'Twilio.CURRENT') {
    if (live.length > 1)
      throw new TwilioError(400, 21220, 'More than one recording is active: use the RecordingSid');
    const [only] = live;
    if (!only) throw new TwilioError(404, 20404, 'No recording is in progress');
    return only;
  }
  const found = recordings.find((one) => one.sid === asked);
  if (!found) throw notFound(resource(request));
  if (!lasts || !live.includes(found))
    throw new TwilioError(400, 21220, 'Unable to update: the call is not in progress');
  return found;
}

export function callRecordingBody(world: World, recording: Recording): Record<string, unknown> {
  const { media_url, subresource_uris, duration, ...body } = recordingBody(world, recording);
  return { ...body, duration: duration === '-1' ? null : duration, track: recording.track };
}

const formatted = (number: string) => number.replace(/^\+1(\d{3})(\d{3})(\d{4})$/, '($1) $2-$3');

function callBody(world: World, call: Call): Record<string, unknown> {
  const path = `/${version}/Accounts/${world.account.accountSid}/Calls/${call.sid}`;
  const sub = (name: string) => `${path}/${name}.json`;
  return {
    sid: call.sid,
    account_sid: world.account.accountSid,
    api_version: version,
    parent_call_sid: call.parentCallSid,
    from: call.from,
    from_formatted: formatted(call.from),
    to: call.to,
    to_formatted: formatted(call.to),
    direction: call.direction,
    status: call.status,
    start_time: rfc2822(call.startedAt),
    end_time: rfc2822(call.endedAt),
    duration: call.endedAt === null ? null : wholeSeconds(call.startedAt, call.endedAt),
    date_created: rfc2822(call.startedAt),
    date_updated: rfc2822(call.updatedAt),
    answered_by: null,
    caller_name: null,
    forwarded_from: null,
    group_sid: null,
    phone_number_sid: null,
    price: null,
    price_unit: 'USD',
    queue_time: '0',
    trunk_sid: null,
    uri: `${path}.json`,
    subresource_uris: { recordings: sub('Recordings'), streams: sub('Streams'), events: sub('Events') },
  };
}

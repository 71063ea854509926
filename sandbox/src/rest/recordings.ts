import type { FastifyRequest } from 'fastify';
import { encryptionDetails } from '../recording-encryption.ts';
import type { Recording, World } from '../world.ts';
import { ownAccount, page2010, params, query, resource, rfc2822, version } from './format.ts';
import { notFound, onHost, type RestApp, type RestDeps, TwilioError } from './route.ts';

const keptAfterDeletion = 40 * 24 * 60 * 60 * 1000;

/** Recordings as facts: list, fetch, delete. Their media is in media.ts. Source: docs/voice/api/recording. */
export function recordingRoutes(app: RestApp, { world, events }: RestDeps): void {
  const base = `/${version}/Accounts/:account/Recordings`;

  app.get(`${base}.json`, onHost('api'), async (request) => {
    ownAccount(world, request);
    return page2010(request, 'recordings', listed(world, query(request)), (one) =>
      recordingBody(world, { ...one, status: statusAsListed(one) }),
    );
  });

  app.get(`${base}/:recording.json`, onHost('api'), async (request) => {
    const recording = findRecording(world, request);
    return recordingBody(world, { ...recording, status: statusAsListed(recording) });
  });

  app.delete(`${base}/:recording.json`, onHost('api'), async (request, reply) => {
    const recording = findRecording(world, request);
    if (recording.status !== 'completed')
      throw new TwilioError(400, 20001, 'Only completed recordings can be deleted');
    recording.status = 'deleted';
    recording.updatedAt = new Date();
    delete recording.media;
    events.emit('twilio.recording-deleted', { recording: recording.sid });
    return reply.code(204).send();
  });
}

/** Status in lists and fetches: only the answer to a change shows whether a live recording is paused. */
export function statusAsListed({ status }: Recording): Recording['status'] {
  return status === 'in-progress' || status === 'paused' || status === 'stopped' ? 'processing' : status;
}

export function findRecording(world: World, request: FastifyRequest): Recording {
  ownAccount(world, request);
  const recording = world.recordings.get(params(request)['recording'] ?? '');
  if (!recording) throw notFound(resource(request));
  const deleted =
    recording.status === 'deleted' && Date.now() - recording.updatedAt.getTime() > keptAfterDeletion;
  if (deleted) throw notFound(resource(request));
  return recording;
}

function listed(world: World, filter: Record<string, string | undefined>): Recording[] {
  const day = (name: string) => {
    const value = filter[name];
    if (value === undefined) return undefined;
    const at = Date.parse(value);
    if (Number.isNaN(at)) throw new TwilioError(400, 20001, `Invalid ${name}`);
    return at;
  };
  const on = day('DateCreated');
  // The docs write `DateCreated<` for "on or before" and `DateCreated>` for "on or after".
  const before = day('DateCreated<');
  const after = day('DateCreated>');
  const dayMs = 24 * 60 * 60 * 1000;
  const endOf = (at: number, text: string | undefined) => (/T/.test(text ?? '') ? at : at + dayMs - 1);
  return [...world.recordings.values()]
    .filter((recording) => {
      const created = recording.startedAt.getTime();
      if (recording.status === 'deleted' && filter['IncludeSoftDeleted'] !== 'true') return false;
      if (filter['CallSid'] && recording.callSid !== filter['CallSid']) return false;
      if (filter['ConferenceSid'] && recording.conferenceSid !== filter['ConferenceSid']) return false;
      if (on !== undefined && (created < on || created > endOf(on, filter['DateCreated']))) return false;
      if (before !== undefined && created > endOf(before, filter['DateCreated<'])) return false;
      return after === undefined || created >= after;
    })
    .sort((a, b) => b.startedAt.getTime() - a.startedAt.getTime());
}

export function recordingBody(world: World, recording: Recording): Record<string, unknown> {
  const { accountSid } = world.account;
  const path = `/${version}/Accounts/${accountSid}/Recordings/${recording.sid}`;
  const finished = recording.status === 'completed' || recording.status === 'deleted';
  return {
    sid: recording.sid,
    account_sid: accountSid,
    api_version: version,
    call_sid: recording.callSid,
    conference_sid: recording.conferenceSid,
    date_created: rfc2822(recording.startedAt),
    date_updated: rfc2822(recording.updatedAt),
    start_time: rfc2822(recording.startedAt),
    duration: finished ? String(Math.round(recording.seconds)) : '-1',
    status: recording.status,
    channels: recording.channels,
    source: recording.source,
    error_code: recording.errorCode,
    price: null,
    price_unit: 'USD',
    encryption_details: encryptionDetails(recording.seal, world.behaviour.encryptionNames),
    uri: `${path}.json`,
    media_url: `https://api.twilio.com${path}`,
    subresource_uris: {
      add_on_results: `${path}/AddOnResults.json`,
      transcriptions: `${path}/Transcriptions.json`,
    },
  };
}

import { newSid } from '../sids.ts';
import type { Stream, World } from '../world.ts';
import { findCall } from './calls.ts';
import { form, oneOf, params, resource, rfc2822, version } from './format.ts';
import { notFound, onHost, type RestApp, type RestDeps, TwilioError } from './route.ts';

const tracksPerCall = 4;
const tracksOf = (stream: Pick<Stream, 'track'>) => (stream.track === 'both_tracks' ? 2 : 1);

/** Media Streams by REST: unidirectional, at most four tracks at a time on one call. */
export function streamRoutes(app: RestApp, { world, events }: RestDeps): void {
  const base = `/${version}/Accounts/:account/Calls/:call/Streams`;

  app.post(`${base}.json`, onHost('api'), async (request) => {
    const call = findCall(world, request);
    const fields = form(request);
    const url = fields['Url'] ?? '';
    if (!url.startsWith('wss://')) throw new TwilioError(400, 21205, 'Url is not a valid wss URL');
    const track = oneOf('Track', fields['Track'] ?? 'inbound_track', [
      'inbound_track',
      'outbound_track',
      'both_tracks',
    ]);
    if (call.status !== 'in-progress') throw new TwilioError(404, 21218, 'The call is not in progress');
    const live = [...world.streams.values()].filter(
      (one) => one.callSid === call.sid && one.status === 'in-progress',
    );
    const name = fields['Name'] ?? null;
    if (name !== null && live.some((one) => one.name === name))
      throw new TwilioError(400, 21218, 'A stream of this name is already on the call');
    const used = live.reduce((sum, one) => sum + tracksOf(one), 0);
    if (used + tracksOf({ track }) > tracksPerCall)
      throw new TwilioError(400, 21218, `A call carries at most ${tracksPerCall} tracks at a time`);
    const stream: Stream = {
      sid: newSid('MZ'),
      callSid: call.sid,
      name,
      url,
      track,
      status: 'in-progress',
      parameters: parametersOf(fields),
      updatedAt: new Date(),
    };
    world.streams.set(stream.sid, stream);
    events.emit('twilio.stream-started', { stream: stream.sid, call: call.sid, track });
    return streamBody(world, stream);
  });

  app.post(`${base}/:stream.json`, onHost('api'), async (request) => {
    const call = findCall(world, request);
    const asked = params(request)['stream'];
    oneOf('Status', form(request)['Status'], ['stopped']);
    const stream = [...world.streams.values()].find(
      (one) =>
        one.callSid === call.sid &&
        (one.sid === asked || (one.name === asked && one.status === 'in-progress')),
    );
    if (!stream || stream.status === 'stopped') throw notFound(resource(request));
    stream.status = 'stopped';
    stream.updatedAt = new Date();
    events.emit('twilio.stream-stopped', { stream: stream.sid, call: call.sid });
    return streamBody(world, stream);
  });
}

function parametersOf(fields: Record<string, string | undefined>): Record<string, string> {
  const found: Record<string, string> = {};
  for (let number = 1; number <= 99; number += 1) {
    const name = fields[`Parameter${number}.Name`];
    if (name !== undefined) found[name] = fields[`Parameter${number}.Value`] ?? '';
  }
  return found;
}

function streamBody(world: World, stream: Stream): Record<string, unknown> {
  const { accountSid } = world.account;
  return {
    sid: stream.sid,
    account_sid: accountSid,
    call_sid: stream.callSid,
    name: stream.name,
    status: stream.status,
    date_updated: rfc2822(stream.updatedAt),
    uri: `/${version}/Accounts/${accountSid}/Calls/${stream.callSid}/Streams/${stream.sid}.json`,
  };
}

import type { FastifyInstance, FastifyRequest } from 'fastify';
import { newSid } from '../sids.ts';
import type { Sink, Subscription, World } from '../world.ts';
import { eventTypes, latestVersions } from './event-types.ts';
import { iso8601, oneOf, pageV1, params, query, resource } from './format.ts';
import { notFound, onHost, type RestApp, type RestDeps, TwilioError } from './route.ts';

const origin = 'https://events.twilio.com/v1';
const on = onHost('events');
const refused = (message: string) => new TwilioError(400, 20001, message);

/** Event Streams: sinks, subscriptions and what can be subscribed to. Source: https://www.twilio.com/docs/events */
export function eventStreamRoutes(app: RestApp, deps: RestDeps): void {
  app.register(async (scope) => {
    // `Types` comes several times, each the text of a JSON object.
    scope.removeContentTypeParser('application/x-www-form-urlencoded');
    scope.addContentTypeParser(
      'application/x-www-form-urlencoded',
      { parseAs: 'string' },
      (_request, body, done) => done(null, new URLSearchParams(String(body))),
    );
    sinkRoutes(scope, deps);
    subscriptionRoutes(scope, deps.world);
    typeRoutes(scope);
  });
}

const fields = (request: FastifyRequest) =>
  request.body instanceof URLSearchParams ? request.body : new URLSearchParams();

function needed(request: FastifyRequest, name: string): string {
  const value = fields(request).get(name);
  if (value === null || value === '') throw refused(`Missing required parameter ${name} in the post body`);
  return value;
}

function find<T>(map: ReadonlyMap<string, T>, request: FastifyRequest): T {
  const found = map.get(params(request)['sid'] ?? '');
  if (!found) throw notFound(resource(request));
  return found;
}

function sinkRoutes(app: FastifyInstance, { world, testSink }: RestDeps): void {
  const { sinks, subscriptions } = world;
  const inUse = ({ sid }: Sink) => [...subscriptions.values()].some(({ sinkSid }) => sinkSid === sid);
  app.post('/v1/Sinks', on, async (request, reply) => {
    const type = oneOf('SinkType', needed(request, 'SinkType'), ['kinesis', 'webhook']);
    const now = new Date();
    const sink: Sink = {
      sid: newSid('DG'),
      description: needed(request, 'Description'),
      type,
      configuration: configurationOf(type, needed(request, 'SinkConfiguration')),
      status: 'initialized',
      createdAt: now,
      updatedAt: now,
    };
    sinks.set(sink.sid, sink);
    return reply.code(201).send(sinkBody(sink));
  });
  app.get('/v1/Sinks', on, async (request) => {
    const { Status: status, InUse: used } = query(request);
    const found = [...sinks.values()].filter(
      (sink) =>
        (status === undefined || sink.status === status) &&
        (used === undefined || inUse(sink) === (used === 'true')),
    );
    return pageV1(request, 'sinks', found, sinkBody);
  });
  app.get('/v1/Sinks/:sid', on, async (request) => sinkBody(find(sinks, request)));
  app.delete('/v1/Sinks/:sid', on, async (request, reply) => {
    const sink = find(sinks, request);
    if (inUse(sink)) throw refused('Sink is in use');
    sinks.delete(sink.sid);
    return reply.code(204).send();
  });
  app.post('/v1/Sinks/:sid/Test', on, async (request, reply) => {
    const sink = find(sinks, request);
    sink.testId = newSid('TE');
    if (sink.status !== 'active') sink.status = 'validating';
    testSink?.(sink);
    return reply.code(201).send({ result: 'submitted' });
  });
  app.post('/v1/Sinks/:sid/Validate', on, async (request, reply) => {
    const sink = find(sinks, request);
    if (needed(request, 'TestId') !== sink.testId) throw refused('TestId is not of this sink');
    Object.assign(sink, { status: 'active', updatedAt: new Date() });
    return reply.code(201).send({ result: 'valid' });
  });
}

function configurationOf(type: Sink['type'], text: string): Record<string, unknown> {
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch {
    throw refused('SinkConfiguration is no JSON');
  }
  const names = type === 'kinesis' ? ['arn', 'role_arn', 'external_id'] : ['destination', 'method'];
  if (typeof given !== 'object' || given === null) throw refused('SinkConfiguration is no JSON object');
  const found = given as Record<string, unknown>;
  for (const name of names)
    if (typeof found[name] !== 'string') throw refused(`SinkConfiguration has no ${name}`);
  return found;
}

function subscriptionRoutes(app: FastifyInstance, world: World): void {
  const { sinks, subscriptions } = world;
  const asBody = (subscription: Subscription) => subscriptionBody(world, subscription);
  app.post('/v1/Subscriptions', on, async (request, reply) => {
    const sink = sinks.get(needed(request, 'SinkSid'));
    if (!sink) throw refused('SinkSid is not a sink of this account');
    if (sink.status !== 'active') throw refused('Sink is not active');
    if ([...subscriptions.values()].some(({ sinkSid }) => sinkSid === sink.sid))
      throw refused('Sink is in use');
    const texts = fields(request).getAll('Types');
    if (texts.length === 0) throw refused('Missing required parameter Types in the post body');
    const now = new Date();
    const subscription: Subscription = {
      sid: newSid('DF'),
      description: needed(request, 'Description'),
      sinkSid: sink.sid,
      types: new Map(texts.map(typeOf)),
      createdAt: now,
      updatedAt: now,
    };
    subscriptions.set(subscription.sid, subscription);
    return reply.code(201).send(asBody(subscription));
  });
  app.get('/v1/Subscriptions', on, async (request) => {
    const { SinkSid: sink } = query(request);
    const found = [...subscriptions.values()].filter(({ sinkSid }) => sink === undefined || sinkSid === sink);
    return pageV1(request, 'subscriptions', found, asBody);
  });
  app.get('/v1/Subscriptions/:sid', on, async (request) => asBody(find(subscriptions, request)));
  app.delete('/v1/Subscriptions/:sid', on, async (request, reply) => {
    subscriptions.delete(find(subscriptions, request).sid);
    return reply.code(204).send();
  });

  const list = '/v1/Subscriptions/:sid/SubscribedEvents';
  app.get(list, on, async (request) => {
    const subscription = find(subscriptions, request);
    return pageV1(request, 'types', [...subscription.types], (one) =>
      subscribedBody(world, subscription, one),
    );
  });
  app.post(list, on, async (request, reply) => {
    const subscription = find(subscriptions, request);
    const one = checked(needed(request, 'Type'), fields(request).get('SchemaVersion'));
    subscription.types.set(...one);
    return reply.code(201).send(subscribedBody(world, subscription, one));
  });
  app.post(`${list}/:type`, on, async (request) => {
    const subscription = find(subscriptions, request);
    const { type = '' } = params(request);
    if (!subscription.types.has(type)) throw notFound(resource(request));
    const one = checked(type, fields(request).get('SchemaVersion'));
    subscription.types.set(...one);
    return subscribedBody(world, subscription, one);
  });
  app.delete(`${list}/:type`, on, async (request, reply) => {
    if (!find(subscriptions, request).types.delete(params(request)['type'] ?? ''))
      throw notFound(resource(request));
    return reply.code(204).send();
  });
}

/** One of `Types`. */
function typeOf(text: string): [string, number] {
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch {
    throw refused('Types has what is no JSON object');
  }
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw refused('Types has what is no JSON object');
  const { type, schema_version: version } = given as Record<string, unknown>;
  return checked(String(type), version === undefined ? null : String(version));
}

function checked(type: string, version: string | null): [string, number] {
  const schema = eventTypes.get(type);
  const latest = latestVersions[schema ?? ''];
  if (latest === undefined) throw refused(`${type} is not a type that can be subscribed to`);
  const number = Number(version ?? latest);
  if (!Number.isInteger(number) || number < 1 || number > latest)
    throw refused(`${type} has no schema version ${version}`);
  return [type, number];
}

const made = iso8601(new Date(Date.UTC(2020, 7, 13)));

function typeRoutes(app: FastifyInstance): void {
  app.get('/v1/Types', on, async (request) => pageV1(request, 'types', [...eventTypes], typeBody));
  app.get('/v1/Schemas/:sid', on, async (request) => {
    const { sid: id = '' } = params(request);
    const latest = latestVersions[id];
    if (latest === undefined) throw notFound(resource(request));
    const url = `${origin}/Schemas/${id}`;
    return {
      id,
      url,
      latest_version: latest,
      latest_version_date_created: made,
      links: { versions: `${url}/Versions` },
    };
  });
}

const typeBody = ([type, schema]: [string, string]) => ({
  type,
  schema_id: schema,
  date_created: made,
  date_updated: made,
  description: type,
  status: 'available',
  documentation_url: null,
  url: `${origin}/Types/${type}`,
  links: { schema: `${origin}/Schemas/${schema}` },
});

function sinkBody(sink: Sink): Record<string, unknown> {
  const url = `${origin}/Sinks/${sink.sid}`;
  return {
    sid: sink.sid,
    description: sink.description,
    sink_type: sink.type,
    sink_configuration: sink.configuration,
    status: sink.status,
    date_created: iso8601(sink.createdAt),
    date_updated: iso8601(sink.updatedAt),
    url,
    links: { sink_test: `${url}/Test`, sink_validate: `${url}/Validate` },
  };
}

function subscriptionBody({ account }: World, subscription: Subscription): Record<string, unknown> {
  const url = `${origin}/Subscriptions/${subscription.sid}`;
  return {
    sid: subscription.sid,
    account_sid: account.accountSid,
    description: subscription.description,
    sink_sid: subscription.sinkSid,
    date_created: iso8601(subscription.createdAt),
    date_updated: iso8601(subscription.updatedAt),
    url,
    links: { subscribed_events: `${url}/SubscribedEvents` },
  };
}

const subscribedBody = (
  { account }: World,
  { sid }: Subscription,
  [type, version]: readonly [string, number],
) => ({
  account_sid: account.accountSid,
  subscription_sid: sid,
  type,
  schema_version: version,
  url: `${origin}/Subscriptions/${sid}/SubscribedEvents/${type}`,
});

import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { validateRequestWithBody } from 'twilio/lib/webhooks/webhooks';
import { createEventLog } from '../events.ts';
import { newSid } from '../sids.ts';
import { createWorld, type Sink, type World } from '../world.ts';
import type { AgentEvent } from './list.ts';
import { createEventStreams, type EventStreams } from './send.ts';

const type = 'com.twilio.taskrouter.reservation.accepted';
let world: World;
let streams: EventStreams;
let server: Server;
let posts: { request: IncomingMessage; body: string }[];
let statuses: number[];

beforeEach(async () => {
  world = createWorld();
  streams = createEventStreams({ world, events: createEventLog() });
  posts = [];
  statuses = [];
  server = createServer(async (request, response) => {
    posts.push({ request, body: await text(request) });
    response.writeHead(statuses.shift() ?? 200).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(() => {
  streams.close();
  server.closeAllConnections();
  server.close();
});

const origin = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
function subscribed(sink: Partial<Sink> = {}): Sink {
  const now = new Date();
  const made: Sink = {
    sid: newSid('DG'),
    description: 'ours',
    type: 'webhook',
    configuration: { destination: `${origin()}/events?a=1`, method: 'POST', batch_events: true },
    status: 'active',
    createdAt: now,
    updatedAt: now,
    ...sink,
  };
  world.sinks.set(made.sid, made);
  world.subscriptions.set(newSid('DF'), {
    sid: newSid('DF'),
    description: 'ours',
    sinkSid: made.sid,
    types: new Map([[type, 4]]),
    createdAt: now,
    updatedAt: now,
  });
  return made;
}
function happens(count = 1, more: Partial<AgentEvent> = {}): AgentEvent[] {
  const made = Array.from({ length: count }, (_, number) => ({
    id: newSid('EZ'),
    type,
    at: new Date(),
    data: { number },
    ...more,
  }));
  world.agentEvents.add('WT1', made);
  return made;
}
const arrived = () => posts.flatMap(({ body }) => (JSON.parse(body) as { id: string }[]).map(({ id }) => id));

test('a webhook gets a JSON array, signed over the URL and the digest of its body', async () => {
  subscribed();
  const [event] = happens();
  happens(1, { type: 'com.twilio.taskrouter.task.created' });
  await streams.settled();
  expect(posts).toHaveLength(1);
  const { request, body } = posts[0]!;
  expect(JSON.parse(body)).toMatchObject([{ specversion: '1.0', id: event?.id, type, data: { number: 0 } }]);
  const url = `${origin()}${request.url}`;
  expect(url).toContain(`bodySHA256=${createHash('sha256').update(body).digest('hex')}`);
  const signature = String(request.headers['x-twilio-signature']);
  expect(validateRequestWithBody(world.account.authToken, signature, url, body)).toBe(true);
  expect(validateRequestWithBody(world.account.authToken, signature, url, `${body} `)).toBe(false);
});

test('5xx and 429 are tried again; any other 4xx drops the events for good', async () => {
  subscribed();
  statuses = [503, 429, 500];
  const [first] = happens();
  await streams.settled();
  expect(arrived()).toEqual(Array(4).fill(first?.id));
  statuses = [403];
  happens();
  await streams.settled();
  expect(posts).toHaveLength(5);
});

test('events wait for each other, up to the size of a batch', async () => {
  subscribed();
  streams.misbehave({ batch: 4 });
  const made = happens(10);
  await streams.settled();
  expect(posts.map(({ body }) => (JSON.parse(body) as unknown[]).length).sort()).toEqual([2, 4, 4]);
  expect(arrived().sort()).toEqual(made.map(({ id }) => id).sort());
});

test('loses, duplicates and shuffles by its seed', async () => {
  subscribed();
  const play = async (seed: number) => {
    posts = [];
    const before = streams.lost.length;
    streams.misbehave({ loseOneIn: 5, duplicateOneIn: 5, shuffle: true, batch: 1_000, seed });
    const made = happens(200);
    await streams.settled();
    const place = new Map(made.map(({ id }, at) => [id, at]));
    return {
      lost: streams.lost.slice(before).map(({ id }) => place.get(id)),
      came: arrived().map((id) => place.get(id)),
    };
  };
  const first = await play(7);
  expect(first.lost.length).toBeGreaterThan(10);
  expect(first.came.length).toBeGreaterThan(new Set(first.came).size);
  expect(new Set([...first.came, ...first.lost]).size).toBe(200);
  expect(first.came).not.toEqual([...first.came].sort((a, b) => Number(a) - Number(b)));
  expect(await play(7)).toEqual(first);
  expect((await play(8)).lost).not.toEqual(first.lost);
});

test('Kinesis gets a record for each event, whose data is text', async () => {
  const put = jest.fn(async (_stream: string, _records: readonly { data: string }[]) => undefined);
  streams.toKinesis(put);
  subscribed({ type: 'kinesis', configuration: { arn: 'arn:1', role_arn: 'r', external_id: 'e' } });
  happens(2);
  await streams.settled();
  const [stream, records] = put.mock.calls[0]!;
  expect(stream).toBe('arn:1');
  expect(records).toHaveLength(2);
  const record = JSON.parse(records[1]!.data) as { data: string };
  expect(JSON.parse(record.data)).toEqual({ number: 1 });
});

test('a test event has the id of the account; a sink whose test does not arrive fails', async () => {
  const sink = subscribed({ status: 'validating', testId: 'TE1' });
  streams.test(sink);
  await streams.settled();
  expect(JSON.parse(posts[0]!.body)).toMatchObject([
    { id: world.account.accountSid, type: 'com.twilio.eventstreams.test-event', data: { test_id: 'TE1' } },
  ]);
  expect(sink.status).toBe('validating');
  statuses = [503];
  streams.test(sink);
  await streams.settled();
  expect(sink.status).toBe('failed');
  const toNowhere = subscribed({ type: 'kinesis', status: 'validating', configuration: { arn: 'arn:1' } });
  streams.test(toNowhere);
  await streams.settled();
  expect(toNowhere.status).toBe('failed');
});

test('types that are switched off are never sent', async () => {
  subscribed();
  streams.misbehave({ without: ['com.twilio.taskrouter.reservation.'] });
  happens();
  await streams.settled();
  expect(posts).toEqual([]);
  expect(streams.lost).toEqual([]);
});

test('a sink that is not active gets nothing', async () => {
  subscribed({ status: 'failed' });
  happens();
  await streams.settled();
  expect(posts).toEqual([]);
});

import { createHash } from 'node:crypto';
import net, { type AddressInfo } from 'node:net';
import { CustodyError } from '@flex-custody/core';
import { signAsTwilio } from '@flex-custody/twilio';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { until } from '../../../../test/support/until.ts';
import { cloudEvent } from '../../events/testing/cloud-events.ts';
import { buildApp } from '../app.ts';
import { createLimits } from '../plugins/limits.ts';
import { type EventRouteDeps, eventRoutes } from './events.ts';

const token = 'a'.repeat(32);
const former = 'b'.repeat(32);
const publicUrl = 'https://custody.example.com';
const batch = JSON.stringify([cloudEvent({ n: 1 }), cloudEvent({ n: 2 })]);

const apps: FastifyInstance[] = [];
afterEach(async () => {
  await Promise.all(apps.splice(0).map((app) => app.close()));
});

function open(change: Partial<EventRouteDeps> = {}) {
  const taken = { read: 2, stored: 2, duplicate: 0, setAside: 0 };
  const lines: string[] = [];
  const seen = {
    take: jest.fn(async (_events: readonly unknown[], _from: object) => taken),
    raise: jest.fn(async (..._: unknown[]) => undefined),
    resolve: jest.fn(async (..._: unknown[]) => undefined),
    eventsRefused: jest.fn(),
  };
  const deps: EventRouteDeps = {
    ...{ authTokens: [token, former], publicUrl, inbox: { take: seen.take } },
    alarms: { raise: seen.raise, resolve: seen.resolve },
    limits: createLimits({ trustedProxies: ['127.0.0.0/8'], streamsPerViewer: 1, streamsPerAddress: 1 }),
    metrics: { eventsRefused: seen.eventsRefused },
    ...change,
  };
  const app = buildApp({
    log: pino({ level: 'info' }, { write: (line: string) => void lines.push(line) }),
    routes: [(scope) => eventRoutes(scope, deps)],
    trusts: deps.limits.addresses.trusts,
  });
  apps.push(app);
  return { app, lines, ...seen };
}

interface Sent {
  body?: string | Buffer;
  hashed?: string | Buffer;
  path?: string;
  by?: string;
  signature?: string;
  method?: string;
  type?: string;
  headers?: Record<string, string>;
  signedUrl?: string;
}

async function send(app: FastifyInstance, sent: Sent = {}) {
  const {
    body = batch,
    hashed = body,
    by = token,
    method = 'POST',
    type = 'application/cloudevents+json',
  } = sent;
  const hash = createHash('sha256').update(hashed).digest('hex');
  const path = sent.path ?? `/events?bodySHA256=${hash}`;
  const signature = sent.signature ?? (await signAsTwilio(by, sent.signedUrl ?? publicUrl + path, {}));
  return app.inject({
    method: method as 'POST',
    url: path,
    ...(method === 'GET' ? {} : { payload: body }),
    headers: {
      ...(type !== '' && { 'content-type': type }),
      ...(signature !== '' && { 'x-twilio-signature': signature }),
      ...sent.headers,
    },
  });
}

test('a signed batch is taken, and then answered 200', async () => {
  const { app, take, raise } = open();
  const reply = await send(app);
  expect([reply.statusCode, reply.json()]).toEqual([200, { taken: true }]);
  expect(take).toHaveBeenCalledWith(JSON.parse(batch), { source: 'webhook' });
  expect(raise).not.toHaveBeenCalled();
});

test.each(['application/json', 'text/plain', 'application/cloudevents-batch+json; charset=utf-8', 'x/y', ''])(
  'the content type "%s" is read',
  async (type) => {
    const { app, take } = open();
    expect((await send(app, { type })).statusCode).toBe(200);
    expect(take.mock.calls[0]?.[0]).toHaveLength(2);
  },
);

test.each([
  ['one event', JSON.stringify(cloudEvent({ n: 1 })), [cloudEvent({ n: 1 })]],
  ['an empty array', '[]', []],
  ['no JSON', '{"id"', ['{"id"']],
  ['nothing', '', ['']],
])('a signed body that is %s gets 200, since another try would change nothing', async (_, body, records) => {
  const { app, take } = open();
  expect((await send(app, { body })).statusCode).toBe(200);
  expect(take).toHaveBeenCalledWith(records, { source: 'webhook' });
});

test('the former token counts as well, and credentials in the URL as Twilio may sign them', async () => {
  const { app, take, lines } = open();
  expect((await send(app, { by: former })).statusCode).toBe(200);
  const path = `/events?bodySHA256=${createHash('sha256').update(batch).digest('hex')}`;
  const headers = { authorization: `Basic ${Buffer.from('user:secret-pass').toString('base64')}` };
  expect((await send(app, { headers })).statusCode).toBe(200);
  const signedUrl = `https://user:secret-pass@custody.example.com${path}`;
  expect((await send(app, { headers, signedUrl })).statusCode).toBe(200);
  expect((await send(app, { headers: { authorization: 'Basic !' } })).statusCode).toBe(200);
  expect(take).toHaveBeenCalledTimes(4);
  expect(lines.join()).not.toContain('secret-pass');
  expect(lines.join()).not.toContain(headers.authorization.slice(6));
});

const others = createHash('sha256').update('[]').digest('hex');
test.each<[string, string, Sent]>([
  ['no signature', 'signature', { signature: '' }],
  ["a stranger's signature", 'signature', { by: 'c'.repeat(32) }],
  ['a malformed signature', 'signature', { signature: '\u00ff' }],
  ["another path's signature", 'signature', { signedUrl: `${publicUrl}/other` }],
  ["another host's signature", 'signature', { signedUrl: `https://x.example/events?bodySHA256=${others}` }],
  ["another body's signature", 'body_hash', { hashed: '[]' }],
  ['no hash of the body', 'body_hash', { path: '/events' }],
  ['two hashes', 'body_hash', { body: '[]', path: `/events?bodySHA256=${others}&bodySHA256=${others}` }],
  ['the method GET', 'method', { method: 'GET' }],
  ['the method PUT', 'method', { method: 'PUT' }],
  ['the method OPTIONS', 'method', { method: 'OPTIONS' }],
  ['a malformed content type', 'failed', { type: 'no type' }],
  ['a longer body than a batch has', 'too_large', { body: Buffer.alloc(8 * 1024 * 1024 + 1, ' ') }],
])('%s gets 503 and never a 4xx', async (_, why, sent) => {
  const { app, take, raise, eventsRefused } = open();
  const reply = await send(app, sent);
  expect([reply.statusCode, reply.headers['retry-after'], reply.json()]).toEqual([
    503,
    '30',
    { error: 'events_refused' },
  ]);
  expect(take).not.toHaveBeenCalled();
  expect(eventsRefused.mock.calls).toEqual([[why]]);
  await until(() => raise.mock.calls.length === 1);
  expect(raise.mock.calls[0]?.slice(0, 2)).toEqual(['events_refused', undefined]);
  expect(raise.mock.calls[0]?.[2]).toBe(`1 × ${why} from an unnamed address`);
});

test.each([
  ['the database is away', 'database', new CustodyError('database_unavailable', 'away')],
  ['the program fails', 'failed', new Error(`with ${batch}`)],
])('where %s the answer is 503, and the log has nothing of the events', async (_, why, error) => {
  const { app, lines, take, eventsRefused } = open();
  take.mockRejectedValueOnce(error);
  expect((await send(app)).statusCode).toBe(503);
  expect(eventsRefused).toHaveBeenCalledWith(why);
  expect(lines.join()).not.toContain('EZ1');
  expect(lines.join()).not.toContain('bodySHA256');
});

test('without an auth token nothing can be verified: 503', async () => {
  const { app, eventsRefused } = open({ authTokens: [] });
  expect((await send(app)).statusCode).toBe(503);
  expect(eventsRefused).toHaveBeenCalledWith('configuration');
});

test('a batch that is not stored in time gets 503, while Twilio still waits', async () => {
  const { app, take, eventsRefused } = open({ limitMs: 1 });
  take.mockReturnValueOnce(new Promise(() => {}));
  expect((await send(app)).statusCode).toBe(503);
  expect(eventsRefused).toHaveBeenCalledWith('database');
});

test('the alarm names each reason and address, once a minute, and the next batch resolves it', async () => {
  let clock = 0;
  const { app, raise, resolve } = open({ now: () => clock });
  const from = (address: string, sent: Sent = { signature: '' }) =>
    send(app, { ...sent, headers: { 'x-forwarded-for': address } });
  await from('203.0.113.1');
  await until(() => raise.mock.calls.length === 1);
  for (const address of ['203.0.113.1', '203.0.113.2', '203.0.113.2']) await from(address);
  clock += 60_000;
  await from('203.0.113.1');
  await until(() => raise.mock.calls.length === 2);
  expect(raise.mock.calls.map(([, , detail]) => detail)).toEqual([
    '1 × signature from 203.0.113.1',
    '2 × signature from 203.0.113.1, 2 × signature from 203.0.113.2',
  ]);
  await send(app);
  await until(() => resolve.mock.calls.length === 1);
  expect(resolve).toHaveBeenCalledWith(['events_refused']);
  await send(app);
  await from('203.0.113.3');
  await until(() => raise.mock.calls.length === 3);
  await send(app);
  await until(() => resolve.mock.calls.length === 2);
});

test('an address that was refused too often is refused before its signature is computed; others are not', async () => {
  const { app, eventsRefused, take } = open({ now: () => 0 });
  const from = (address: string, sent: Sent = {}) =>
    send(app, { ...sent, headers: { 'x-forwarded-for': address } });
  for (let n = 0; n < 300; n += 1) await from('203.0.113.1', { signature: 'x' });
  expect((await from('203.0.113.1')).statusCode).toBe(503);
  expect(eventsRefused).toHaveBeenLastCalledWith('rate');
  for (let n = 0; n < 301; n += 1) expect((await from('203.0.113.2')).statusCode).toBe(200);
  expect(take).toHaveBeenCalledTimes(301);
});

test('the body of an unsigned request is not read', async () => {
  const { app } = open();
  await app.listen({ host: '127.0.0.1', port: 0 });
  const socket = net.connect((app.server.address() as AddressInfo).port, '127.0.0.1');
  // It announces a body, and sends none of it.
  socket.write('POST /events HTTP/1.1\r\nHost: x\r\nContent-Type: a/b\r\nContent-Length: 8000000\r\n\r\n');
  const answer = await new Promise<Buffer>((resolve) => socket.once('data', resolve));
  socket.destroy();
  expect(answer.toString()).toMatch(/^HTTP\/1\.1 503 /);
});

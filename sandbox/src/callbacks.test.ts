import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { type Courier, connectionOverrides, createCourier, mayRetry } from './callbacks.ts';
import { createEventLog } from './events.ts';
import { newSid } from './sids.ts';
import { createWorld, type Recording } from './world.ts';

const recording = (fragment: string, facts: Partial<Recording> = {}): Recording => ({
  sid: newSid('RE'),
  callSid: newSid('CA'),
  conferenceSid: null,
  status: 'completed',
  source: 'OutboundAPI',
  track: 'both',
  channels: 2,
  seconds: 29.6,
  errorCode: null,
  startedAt: new Date(0),
  updatedAt: new Date(0),
  callback: `/recording-status-callback?taskSid=WT1${fragment}`,
  ...facts,
});

test('without a fragment Twilio tries once more, and only when it could not connect', () => {
  expect(connectionOverrides('')).toEqual({
    connectMs: 5000,
    readMs: 15_000,
    totalMs: 15_000,
    retries: 1,
    policy: ['ct'],
  });
});

test('a fragment is read within the limits that Twilio gives', () => {
  expect(connectionOverrides('rc=9&ct=50&rt=99999&tt=x&rp=5xx,rt')).toEqual({
    connectMs: 100,
    readMs: 15_000,
    totalMs: 15_000,
    retries: 5,
    policy: ['5xx', 'rt'],
  });
});

test.each([
  ['ct', { failure: 'ct', error: '' }, true],
  ['ct', { failure: 'rt', error: '' }, false],
  ['ct', { status: 500 }, false],
  ['5xx', { status: 503 }, true],
  ['5xx', { status: 404 }, false],
  ['4xx', { status: 404 }, true],
  ['all', { status: 404 }, true],
  ['all', { failure: 'rt', error: '' }, true],
  ['all', { status: 200 }, false],
] as const)('policy %s after %j: %s', (policy, outcome, again) => {
  expect(mayRetry(outcome, [policy])).toBe(again);
});

describe('a courier', () => {
  const world = createWorld();
  let server: Server;
  let courier: Courier;
  let requests = 0;
  let answer: (attempt: number, socket: Socket) => number | undefined = () => 200;

  beforeAll(async () => {
    server = createServer((request, response) => {
      requests += 1;
      request.resume();
      const status = answer(requests, request.socket);
      if (status !== undefined) response.writeHead(status).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    courier = createCourier({ world, events: createEventLog(), baseUrl: 'https://x.example', origin });
  });
  afterAll(async () => {
    courier.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  beforeEach(() => {
    requests = 0;
  });

  test('does not repeat a 503 unless it is told to', async () => {
    answer = () => 503;
    expect(await courier.deliver(recording(''))).toMatchObject([{ attempt: 1, status: 503 }]);
    expect(await courier.deliver(recording('#rc=1&rp=5xx'))).toMatchObject([
      { attempt: 1, status: 503 },
      { attempt: 2, status: 503 },
    ]);
  });

  test('waits for an answer only so long, and tells a slow one from one it never reached', async () => {
    answer = () => undefined;
    const [slow] = await courier.deliver(recording('#rt=150&rc=0'));
    expect(slow).toMatchObject({ error: 'timeout: read' });
    const nobody = createCourier({
      world,
      events: createEventLog(),
      baseUrl: 'https://x.example',
      origin: 'http://127.0.0.1:9',
    });
    const tried = await nobody.deliver(recording(''));
    expect(tried).toHaveLength(2);
    expect(tried[0]?.error).toMatch(/ECONNREFUSED/);
  });

  test('ends within the total time, however many retries are left', async () => {
    answer = () => 500;
    const tried = await courier.deliver(recording('#rc=5&rp=all&tt=1500'));
    // Of six that may be: two or three have a place in that time.
    expect(tried.length).toBeLessThan(4);
    expect(tried.length).toBeGreaterThan(1);
  });

  test('a broken connection is an attempt without a status', async () => {
    answer = (_attempt, socket) => {
      socket.destroy();
      return undefined;
    };
    const [broken] = await courier.deliver(recording('#rc=0'));
    expect(broken?.status).toBeUndefined();
    expect(broken?.error).toMatch(/hang up|ECONNRESET/);
  });
});

import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { Agent } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import twilio from 'twilio';
import { until } from '../../../test/support/until.ts';
import { withAgent } from './connection.ts';

let answer: RequestListener = (_request, response) => response.end();
const seen: { request: IncomingMessage; body: string }[] = [];
const server = createServer(async (request, response) => {
  seen.push({ request, body: await text(request) });
  answer(request, response);
});
const agent = new Agent({ keepAlive: true, maxSockets: 2 });
// What an agent's connection is made of is its own affair: here there is no TLS.
agent.createConnection = () => connect((server.address() as AddressInfo).port, '127.0.0.1');
const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
const client = withAgent(new twilio.RequestClient(), agent);
const ask = (asked: Partial<Parameters<typeof client.request<unknown>>[0]> = {}) =>
  client.request<unknown>({ uri: 'https://api.twilio.com/x.json', method: 'get', timeout: 10_000, ...asked });

beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
afterAll(() => {
  agent.destroy();
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  seen.length = 0;
});

test('sends what the SDK has written out, and gives back whatever comes', async () => {
  answer = (_request, response) => response.writeHead(412, { ETag: '"7"' }).end('{"code":20412}');
  const answered = await ask({
    method: 'post',
    data: { Attributes: 'ü' },
    headers: { ...form, 'If-Match': '6' },
  });
  expect(answered).toMatchObject({
    statusCode: 412,
    body: '{"code":20412}',
    headers: { etag: '"7"' },
  });
  const [{ request, body } = { request: undefined, body: '' }] = seen;
  expect(body).toBe('Attributes=%C3%BC');
  expect(request).toMatchObject({ method: 'POST', url: '/x.json' });
  expect(request?.headers).toMatchObject({ host: 'api.twilio.com', 'if-match': '6', 'content-length': '17' });
});

test('what is JSON text already is sent and given back as it is', async () => {
  const text = '{"a": 12345678901234567890, "b": 1.0}';
  answer = (_request, response) => response.writeHead(200, { 'content-type': 'application/json' }).end(text);
  const headers = { 'Content-Type': 'application/json' };
  const { body } = await ask({ method: 'post', data: text, headers });
  expect([seen[0]?.body, body]).toEqual([text, text]);
});

test('puts parameters behind the URL, where it has some already, too', async () => {
  answer = (_request, response) => response.end();
  const params = { Limit: 2, Name: 'a b' };
  await ask({ params });
  await ask({ params, uri: 'https://api.twilio.com/x.json?Page=1' });
  expect(seen.map(({ request }) => request.url)).toEqual([
    '/x.json?Limit=2&Name=a%20b',
    '/x.json?Page=1&Limit=2&Name=a%20b',
  ]);
});

test('follows no redirect: the credentials are for Twilio alone', async () => {
  answer = (_request, response) => response.writeHead(302, { location: 'https://elsewhere.example/' }).end();
  expect((await ask()).statusCode).toBe(302);
  expect(seen).toHaveLength(1);
});

describe('a request has one limit', () => {
  const late = { name: expect.stringMatching(/^(AxiosError|CanceledError)$/) };

  test('until its answer begins', async () => {
    answer = () => undefined;
    await expect(ask({ timeout: 100 })).rejects.toMatchObject(late);
  });

  test('until the last byte of an answer that drips', async () => {
    answer = (_request, response) => {
      response.writeHead(200, { 'content-length': 100_000 });
      const drip = setInterval(() => response.write('x'), 10);
      response.once('close', () => clearInterval(drip));
    };
    await expect(ask({ timeout: 200 })).rejects.toMatchObject(late);
  });

  test('while it waits for a connection', async () => {
    answer = () => undefined;
    const hanging = Array.from({ length: 2 }, () => ask({ timeout: 1_000 }).catch(() => undefined));
    await until(() => seen.length === 2);
    await expect(ask({ timeout: 100 })).rejects.toMatchObject(late);
    expect(seen).toHaveLength(2);
    server.closeAllConnections();
    await Promise.all(hanging);
    answer = (_request, response) => response.end('whole again');
    expect((await ask()).body).toBe('whole again');
  });
});

test('an answer that is cut is an error', async () => {
  answer = (_request, response) =>
    response.writeHead(200, { 'content-length': 10 }).write('half', () => response.destroy());
  await expect(ask()).rejects.toThrow('aborted');
});

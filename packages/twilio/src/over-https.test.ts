import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { Agent } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { type Asked, overHttps } from './over-https.ts';

let answer: RequestListener = (_request, response) => response.end();
const seen: { request: IncomingMessage; body: string }[] = [];
const server = createServer(async (request, response) => {
  seen.push({ request, body: await text(request) });
  answer(request, response);
});
const agent = new Agent({ keepAlive: true });
// What an agent's connection is made of is its own affair: here there is no TLS.
agent.createConnection = () => connect((server.address() as AddressInfo).port, '127.0.0.1');
const ask = (asked: Partial<Asked> = {}) =>
  overHttps(agent)({
    url: 'https://api.twilio.com/x.json',
    method: 'get',
    headers: {},
    timeout: 1_000,
    ...asked,
  });

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
  const answered = await ask({ method: 'post', data: 'Attributes=ü', headers: { 'If-Match': '6' } });
  expect(answered).toMatchObject({
    status: 412,
    data: '{"code":20412}',
    headers: { etag: '"7"' },
  });
  const [{ request, body } = { request: undefined, body: '' }] = seen;
  expect(body).toBe('Attributes=ü');
  expect(request).toMatchObject({ method: 'POST', url: '/x.json' });
  expect(request?.headers).toMatchObject({ host: 'api.twilio.com', 'if-match': '6', 'content-length': '13' });
});

test('what is no form is sent as JSON', async () => {
  answer = (_request, response) => response.end();
  const json = { 'Content-Type': 'application/json' };
  await ask({ method: 'post', data: { ui_attributes: { a: 'ü' } }, headers: json });
  expect(JSON.parse(seen[0]?.body ?? '')).toEqual({ ui_attributes: { a: 'ü' } });
  expect(seen[0]?.request.headers).toMatchObject({ 'content-type': 'application/json' });
});

test('puts parameters behind the URL, where it has some already, too', async () => {
  answer = (_request, response) => response.end();
  const query = { params: { Limit: 2 }, paramsSerializer: (params: object) => JSON.stringify(params) };
  await ask(query);
  await ask({ ...query, url: 'https://api.twilio.com/x.json?Page=1' });
  expect(seen.map(({ request }) => decodeURIComponent(request.url ?? ''))).toEqual([
    '/x.json?{"Limit":2}',
    '/x.json?Page=1&{"Limit":2}',
  ]);
});

test('follows no redirect: the credentials are for Twilio alone', async () => {
  answer = (_request, response) => response.writeHead(302, { location: 'https://elsewhere.example/' }).end();
  expect((await ask()).status).toBe(302);
  expect(seen).toHaveLength(1);
});

test('waits for no answer longer than it may, nor for the rest of one', async () => {
  answer = () => undefined;
  await expect(ask({ timeout: 100 })).rejects.toThrow('in time');
  answer = (_request, response) => response.writeHead(200, { 'content-length': 10 }).write('half');
  await expect(ask({ timeout: 100 })).rejects.toThrow('in time');
  answer = (_request, response) =>
    response.writeHead(200, { 'content-length': 10 }).write('half', () => response.destroy());
  await expect(ask()).rejects.toThrow('aborted');
});

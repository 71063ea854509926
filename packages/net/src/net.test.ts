import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type http from 'node:http';
import https from 'node:https';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Certificates, makeCertificates } from '../../../sandbox/src/certificates.ts';
import { ConnectProxy } from '../test/connect-proxy.ts';
import { answerTo, createAgent, proxyAgent, type RequestOptions, sendRequest, sharedAgent } from './index.ts';

const names = ['HTTPS_PROXY', 'HTTP_PROXY', 'ALL_PROXY', 'NO_PROXY'].flatMap((name) => [
  name,
  name.toLowerCase(),
]);
const before = names.map((name) => [name, process.env[name]] as const);
const folder = mkdtempSync(join(tmpdir(), 'net-'));
const twilio = 'https://api.twilio.com/x';
let certificates: Certificates;
let target: https.Server;
let proxy: ConnectProxy;
const agents: http.Agent[] = [];

beforeAll(async () => {
  certificates = await makeCertificates(folder);
  target = https.createServer(certificates, (request, response) => {
    if (request.url === '/half') return void response.writeHead(200, { 'content-length': 9 }).write('half');
    if (request.url === '/silent') return;
    request.pipe(response);
  });
  await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve));
});
afterAll(() => {
  for (const [name, value] of before) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
  target.closeAllConnections();
  target.close();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  for (const name of names) delete process.env[name];
  const { port } = target.address() as AddressInfo;
  proxy = new ConnectProxy((asked) => (asked.endsWith('.twilio.com:443') ? port : undefined));
  await proxy.start();
  process.env['HTTPS_PROXY'] = proxy.url;
});
afterEach(() => {
  for (const agent of agents.splice(0)) agent.destroy();
  proxy.stop();
});

const agent = (options: Parameters<typeof createAgent>[1] = {}) => {
  const made = createAgent('https:', { keepAlive: true, ca: certificates.ca, ...options });
  agents.push(made);
  return made;
};
const send = (options: Partial<RequestOptions> = {}, url = twilio) =>
  sendRequest(url, { agent: agent(), limitMs: 10_000, ...options });

test('requests go through the proxy, which connects once for all that follow one another', async () => {
  const one = agent();
  for (const body of ['first', 'second', 'third'])
    expect(await send({ agent: one, method: 'POST', body })).toMatchObject({ status: 200, text: body });
  expect(proxy.tunnels).toEqual(['api.twilio.com:443']);
});

test('as many connections as requests at a time, kept for the next', async () => {
  const one = agent();
  const all = () =>
    Promise.all(Array.from({ length: 5 }, (_, n) => send({ agent: one, method: 'POST', body: `${n}` })));
  expect((await all()).map(({ text }) => text)).toEqual(['0', '1', '2', '3', '4']);
  await all();
  expect(proxy.tunnels).toHaveLength(5);
});

test('the proxy is told who asks, and its password is in no message', async () => {
  process.env['HTTPS_PROXY'] = proxy.url.replace('http://', 'http://who:p%40ss@');
  await send();
  expect([...proxy.authorizations]).toEqual([`Basic ${Buffer.from('who:p@ss').toString('base64')}`]);
  process.env['HTTPS_PROXY'] = 'socks5://who:p%40ss@127.0.0.1:1';
  const failure = await send().catch((error: Error) => error.message);
  expect(failure).toBe('HTTPS_PROXY, HTTP_PROXY and ALL_PROXY take http://host:port or https://host:port');
});

test('a refusal of the proxy is an error, and no answer of the target', async () => {
  await expect(send({}, 'https://elsewhere.example/')).rejects.toMatchObject({
    code: 'proxy_refused',
    status: 403,
    message: 'the proxy does not connect to elsewhere.example:443 (403)',
  });
});

test('past the proxy where NO_PROXY says so', async () => {
  const { port } = target.address() as AddressInfo;
  process.env['NO_PROXY'] = 'localhost';
  expect((await send({}, `https://localhost:${port}/`)).status).toBe(200);
  expect(proxy.tunnels).toEqual([]);
  expect(proxyAgent(`https://localhost:${port}/`)).toBeUndefined();
  expect(proxyAgent(twilio)).toBe(sharedAgent(twilio));
});

test.each([
  ['a request', {}],
  // Its head is written before it has a socket.
  ['one that asks for leave to send its body', { expect: '100-continue' }],
])('plain HTTP: %s is sent to the proxy with the whole URL', async (_, headers) => {
  process.env['HTTP_PROXY'] = proxy.url.replace('http://', 'http://who:pass@');
  const plain = createAgent('http:', { keepAlive: true });
  agents.push(plain);
  const url = 'http://s3.example:9000/bucket/key?x=1';
  const answer = await send({ agent: plain, method: 'PUT', body: 'sealed', headers }, url);
  expect(answer.text).toBe('by the proxy: s3.example:9000');
  expect(proxy.plain).toEqual([url]);
  expect([...proxy.authorizations][0]).toMatch(/^Basic /);
  expect(proxy.tunnels).toEqual([]);
});

describe('a proxy that takes connections and never answers', () => {
  beforeEach(() => proxy.silence());

  test('the limit for the answer ends the wait', async () => {
    await expect(send({ limitMs: 50 })).rejects.toThrow('in time');
    const asking = https.request(twilio, { agent: agent() });
    await expect(answerTo(asking, { answerMs: 50 })).rejects.toMatchObject({ code: 'no answer' });
  });

  test('so does the limit for the connection', async () => {
    const asking = https.request(twilio, { agent: agent() });
    await expect(answerTo(asking, { answerMs: 60_000, connectMs: 50 })).rejects.toThrow(
      'no connection in time',
    );
  });

  test('so does whoever no longer wants the answer, with its own reason', async () => {
    const [stop, reason] = [new AbortController(), new Error('the lease is lost')];
    const sent = send({ signal: stop.signal, limitMs: 60_000 });
    await until(() => proxy.held === 1);
    stop.abort(reason);
    await expect(sent).rejects.toBe(reason);
  });

  test('and the connection itself ends, for those who set no limit', async () => {
    await expect(send({ agent: agent({ tunnelMs: 50 }), limitMs: 60_000 })).rejects.toMatchObject({
      code: 'ETIMEDOUT',
    });
  });

  test('a connection that comes too late takes no place of the pool', async () => {
    const one = agent({ maxSockets: 1 });
    await expect(send({ agent: one, limitMs: 50 })).rejects.toThrow('in time');
    proxy.recover();
    expect((await send({ agent: one })).status).toBe(200);
    await until(() => Object.values(one.sockets).flat().length === 0);
    expect(Object.values(one.freeSockets).flat()).toHaveLength(1);
    expect(one.requests).toEqual({});
  });
});

test('a target that never agrees on TLS ends, too', async () => {
  const mute = createServer((socket) => socket.on('error', () => undefined));
  await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
  const leading = new ConnectProxy(() => (mute.address() as AddressInfo).port);
  await leading.start();
  process.env['HTTPS_PROXY'] = leading.url;
  await expect(send({ agent: agent({ tunnelMs: 200 }) })).rejects.toMatchObject({ code: 'ETIMEDOUT' });
  leading.stop();
  mute.close();
});

describe('a full pool', () => {
  let one: http.Agent;
  let first: http.ClientRequest;
  beforeEach(async () => {
    one = agent({ maxSockets: 1 });
    first = https.request('https://api.twilio.com/half', { agent: one }).end();
    first.on('error', () => undefined);
    await once(first, 'response');
  });
  afterEach(() => first.destroy());

  test('ends the wait in time, or with whoever asked, and the pool is whole afterwards', async () => {
    await expect(send({ agent: one, limitMs: 50 })).rejects.toThrow('in time');
    const asking = https.request(twilio, { agent: one });
    await expect(answerTo(asking, { answerMs: 60_000, connectMs: 50 })).rejects.toThrow('no connection');
    const stop = new AbortController();
    const sent = send({ agent: one, limitMs: 60_000, signal: stop.signal });
    stop.abort(new Error('gone'));
    await expect(sent).rejects.toThrow('gone');
    first.destroy();
    expect((await send({ agent: one })).status).toBe(200);
  });
});

test('what was given up before it began is not sent', async () => {
  await expect(send({ signal: AbortSignal.abort(new Error('before')) })).rejects.toThrow('before');
  const asking = https.request(twilio, { agent: agent() });
  const signal = AbortSignal.abort(new Error('before'));
  await expect(answerTo(asking, { answerMs: 60_000, signal })).rejects.toThrow('before');
});

test('a request says when it has a connection: a new one, one that is kept, or none', async () => {
  const one = agent({ maxSockets: 1 });
  let connections = 0;
  const connected = () => {
    connections += 1;
  };
  await send({ agent: one, connected });
  await send({ agent: one, connected });
  expect(connections).toBe(2);
  await expect(
    send({ agent: one, connected, limitMs: 200 }, 'https://api.twilio.com/silent'),
  ).rejects.toThrow('in time');
  expect(connections).toBe(3);
  proxy.silence();
  await expect(send({ connected, limitMs: 50 })).rejects.toThrow('in time');
  process.env['NO_PROXY'] = '*';
  await expect(send({ connected }, 'https://127.0.0.1:1')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  // A target that takes the connection and ends it before TLS is agreed on.
  const plain = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
  await once(plain, 'listening');
  const { port } = plain.address() as AddressInfo;
  await expect(send({ connected }, `https://127.0.0.1:${port}`)).rejects.toThrow();
  plain.close();
  expect(connections).toBe(3);
});

test('the limit covers the body; and so much of it is read, and no more', async () => {
  await expect(send({ limitMs: 200 }, 'https://api.twilio.com/half')).rejects.toThrow(
    'no whole answer in time',
  );
  await expect(send({ method: 'POST', body: 'x'.repeat(101), mostBytes: 100 })).rejects.toThrow('too long');
  const stop = new AbortController();
  const asking = https.request('https://api.twilio.com/half', { agent: agent() });
  const answer = await answerTo(asking, { answerMs: 10_000, signal: stop.signal });
  const read = answer.resume().toArray();
  stop.abort(new Error('gone'));
  await expect(read).rejects.toThrow();
});

async function until(done: () => boolean): Promise<void> {
  for (let n = 0; !done(); n += 1) {
    if (n > 2_000) throw new Error(`never: ${done}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import twilio from 'twilio';
import { type Guard, startGuard } from './index.ts';

const authToken = 'a'.repeat(32);
const baseUrl = 'https://flex-custody-4200-dev.twil.io';
const form = { RecordingSid: `RE${'0'.repeat(32)}`, RecordingStatus: 'completed' };

let folder: string;
let upstream: Server;
let seen: {
  method?: string | undefined;
  url?: string | undefined;
  headers: IncomingMessage['headers'];
  body: string;
}[];
let hang: boolean;
let guard: Guard;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'guard-'));
  for (const name of ['functions', 'assets']) mkdirSync(join(folder, name));
  for (const name of ['open.js', 'callback.protected.js', 'inner.private.js', 'notes.txt'])
    writeFileSync(join(folder, 'functions', name), '');
  writeFileSync(join(folder, 'assets', 'ca.private.pem'), '');
  upstream = createServer(async (incoming, outgoing) => {
    let body = '';
    for await (const chunk of incoming) body += chunk;
    seen.push({ method: incoming.method, url: incoming.url, headers: incoming.headers, body });
    if (!hang) outgoing.writeHead(200, { 'content-type': 'text/plain', 'x-amz-id': 'gone' }).end('ran');
  });
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  guard = await startGuard({
    port: 0,
    upstreamPort: (upstream.address() as AddressInfo).port,
    baseUrl,
    authToken,
    functionsFolder: join(folder, 'functions'),
    assetsFolder: join(folder, 'assets'),
    runMs: 300,
  });
});

beforeEach(() => {
  seen = [];
  hang = false;
});

afterAll(async () => {
  await guard.close();
  upstream.closeAllConnections();
  upstream.close();
  rmSync(folder, { recursive: true });
});

const post = (path: string, headers: Record<string, string> = {}, fields: Record<string, string> = form) =>
  fetch(`${guard.url}${path}`, { method: 'POST', headers, body: new URLSearchParams(fields) });

const sign = (path: string, fields: Record<string, string> = form) => ({
  'x-twilio-signature': twilio.getExpectedTwilioSignature(authToken, `${baseUrl}${path}`, fields),
});

describe('a protected Function', () => {
  const path = `/callback?taskSid=WT${'1'.repeat(32)}`;

  test('runs for what Twilio signed over the production URL and its query', async () => {
    const response = await post(path, sign(path));
    expect([response.status, await response.text()]).toEqual([200, 'ran']);
    expect(seen[0]).toMatchObject({ method: 'POST', url: path, body: new URLSearchParams(form).toString() });
    expect(seen[0]!.headers['host']).toBe('flex-custody-4200-dev.twil.io');
  });

  test('runs as well for what was signed over the address that a browser has here, and no other', async () => {
    const over = (address: string) => ({
      'x-twilio-signature': twilio.getExpectedTwilioSignature(authToken, `${address}${path}`, form),
    });
    expect((await post(path, over(guard.url))).status).toBe(200);
    // A Function that looks at the signature itself knows the production address alone.
    expect(seen[0]!.headers['x-twilio-signature']).toBe(sign(path)['x-twilio-signature']);
    expect((await post(path, over('http://127.0.0.1:1'))).status).toBe(400);
  });

  test.each([
    ['no signature', {}],
    [
      'another token',
      { 'x-twilio-signature': twilio.getExpectedTwilioSignature('b'.repeat(32), `${baseUrl}${path}`, form) },
    ],
    ['another query', sign('/callback')],
    ['another form', sign(path, { ...form, RecordingStatus: 'absent' })],
  ])('%s: 400, and nothing ran', async (_, headers) => {
    expect((await post(path, headers as Record<string, string>)).status).toBe(400);
    expect(seen).toEqual([]);
  });

  test('a signed JSON body counts by its hash in the query', async () => {
    const body = '{"a":1}';
    const url = `/callback?bodySHA256=${require('node:crypto').createHash('sha256').update(body).digest('hex')}`;
    const headers = { ...sign(url, {}), 'content-type': 'application/json' };
    expect((await fetch(guard.url + url, { method: 'POST', headers, body })).status).toBe(200);
    expect((await fetch(guard.url + url, { method: 'POST', headers, body: '{"a":2}' })).status).toBe(400);
  });
});

describe('the gateway', () => {
  test('a private Function or asset, and what is no Function, have no address', async () => {
    for (const path of ['/inner', '/ca.pem', '/notes', '/nothing', '/'])
      expect([path, (await post(path)).status]).toEqual([path, 404]);
    expect(seen).toEqual([]);
  });

  test('only GET, POST and OPTIONS are known', async () => {
    for (const method of ['PUT', 'DELETE', 'PATCH', 'HEAD'])
      expect((await fetch(`${guard.url}/open`, { method })).status).toBe(405);
    expect((await fetch(`${guard.url}/open`)).status).toBe(200);
  });

  test('it answers a preflight by itself', async () => {
    const response = await fetch(`${guard.url}/open`, { method: 'OPTIONS' });
    expect(response.status).toBe(204);
    expect(response.headers.get('access-control-allow-headers')).toBe('*');
    expect(seen).toEqual([]);
  });

  test('15.4 kB of headers are too many', async () => {
    expect((await post('/open', { 'x-long': 'a'.repeat(15_400) })).status).toBe(431);
    expect((await post('/open', { 'x-long': 'a'.repeat(14_000) })).status).toBe(200);
  });

  test('it keeps the idempotency token from the Function, and its own headers from the caller', async () => {
    const response = await post('/open', { 'I-Twilio-Idempotency-Token': 'x', 'X-Forwarded-For': '1.2.3.4' });
    expect(seen[0]!.headers).not.toHaveProperty('i-twilio-idempotency-token');
    expect(seen[0]!.headers).not.toHaveProperty('x-forwarded-for');
    expect(response.headers.get('x-amz-id')).toBeNull();
  });

  test('who runs too long is answered 504', async () => {
    hang = true;
    const began = performance.now();
    const response = await post('/open');
    expect([response.status, await response.json()]).toEqual([504, { code: 82002, status: 504 }]);
    expect(performance.now() - began).toBeGreaterThanOrEqual(290);
  });

  test('a caller who leaves takes the request along', async () => {
    hang = true;
    const gone = new Promise<void>((resolve) =>
      upstream.once('request', (r) => r.once('close', () => resolve())),
    );
    const call = request(`${guard.url}/open`, { method: 'POST' });
    call.on('error', () => undefined);
    call.end('a=b');
    setTimeout(() => call.destroy(), 50);
    await gone;
  });
});

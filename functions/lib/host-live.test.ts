import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { asTaskSid, type ConferenceSid, type Report } from '@flex-custody/core';
import { verifyRequest } from '@flex-custody/vault';
import { startDeadline } from './deadline.ts';
import { consentOf, pauseSettings, reported } from './host-live.ts';

const secret = 's'.repeat(43);
let server: Server;
let answer: { status: number; body?: unknown } | 'hang';
let seen: { request: string; body: string; signed: boolean }[];

beforeEach(async () => {
  seen = [];
  server = createServer(async (incoming, outgoing) => {
    let body = '';
    for await (const chunk of incoming) body += chunk;
    const { method = '', url = '' } = incoming;
    const header = incoming.headers['x-custody-signature'] as string | undefined;
    const signed = verifyRequest([secret], header, method, url, body, Date.now());
    seen.push({ request: `${method} ${url}`, body, signed });
    if (answer === 'hang') return;
    outgoing
      .writeHead(answer.status, { 'content-type': 'application/json' })
      .end(JSON.stringify(answer.body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const config = () => ({
  host: { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, secret },
});
const settings = () => pauseSettings(config(), startDeadline());
const report: Report = {
  id: '01234567-89ab-cdef-0123-456789abcdef',
  at: 1,
  taskSid: asTaskSid(`WT${'1'.repeat(32)}`)!,
  kind: 'double-recording',
};

test("the settings are asked for, signed as the host's other callers sign", async () => {
  answer = { status: 200, body: { enabled: false, behavior: 'skip', resumeAfterSeconds: 60 } };
  expect(await settings()).toEqual(answer.body);
  expect(seen).toEqual([{ request: 'GET /settings/pause', body: '', signed: true }]);
});

test.each([
  [{ status: 200, body: { enabled: 'false' } }],
  [{ status: 200, body: null }],
  [{ status: 401, body: { enabled: true } }],
  [{ status: 404, body: {} }],
  [{ status: 500, body: {} }],
])('%j says nothing', async (given) => {
  answer = given;
  expect(await settings()).toBeUndefined();
});

test('a host that is slow is not waited for', async () => {
  answer = 'hang';
  const begun = performance.now();
  expect(await settings()).toBeUndefined();
  // Half a second, where the handler has ten.
  expect(performance.now() - begun).toBeLessThan(8_000);
});

test.each([
  [200, true],
  [204, true],
  [400, false],
  [503, false],
])('a report answered %d is heard: %s', async (status, heard) => {
  answer = { status };
  expect(await reported(config(), startDeadline(), report, 'the-token')).toBe(heard);
  const body = JSON.stringify({ ...report, token: 'the-token' });
  expect(seen).toEqual([{ request: 'POST /reports', body, signed: true }]);
});

test('with no time left the report is given up', async () => {
  answer = 'hang';
  expect(await reported(config(), { ...startDeadline(), left: () => 150 }, report, 't')).toBe(false);
});

const conference = `CF${'1'.repeat(32)}` as ConferenceSid;

test('what the host says of a consent is read', async () => {
  const said = { required: true, standing: false, paused: false };
  answer = { status: 200, body: said };
  expect(await consentOf(config(), startDeadline(), conference)).toEqual(said);
  expect(seen).toEqual([{ request: `GET /consents/${conference}`, body: '', signed: true }]);
});

test.each([
  [{ status: 503 }],
  [{ status: 403, body: {} }],
  [{ status: 200, body: {} }],
  [{ status: 200, body: { required: false, standing: 'true', paused: false } }],
  [{ status: 200, body: null }],
])('%j is no consent', async (given) => {
  answer = given;
  await expect(consentOf(config(), startDeadline(), conference)).rejects.toMatchObject({
    code: 'host_unreachable',
    status: 503,
  });
});

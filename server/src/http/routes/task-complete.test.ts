import { createHash } from 'node:crypto';
import { CustodyError } from '@flex-custody/core';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { getExpectedTwilioSignature } from 'twilio/lib/webhooks/webhooks';
import { buildApp } from '../app.ts';
import { roomyLimits } from '../testing/roomy-limits.ts';
import { type TaskCompleteDeps, taskCompleteRoute } from './task-complete.ts';

const flex = 'https://flex.twilio.com';
const publicUrl = 'https://custody.example';
const path = '/webhooks/flex/task-complete';
const token = 'a'.repeat(32);
const TaskSid = `WT${'1'.repeat(32)}`;
const basic = (jwe: string) => `Basic ${Buffer.from(`token:${jwe}`).toString('base64')}`;
const formType = { 'content-type': 'application/x-www-form-urlencoded' };
const jsonType = { 'content-type': 'application/json' };

const apps: FastifyInstance[] = [];
afterEach(async () => {
  await Promise.all(apps.splice(0).map((app) => app.close()));
});

/** What the double of IAM says of a token. */
const validate = async (jwe: string | undefined) => {
  if (jwe === 'good') return { identity: 'ada', roles: ['agent'] };
  if (jwe === 'away') throw new CustodyError('iam_unavailable', 'away');
  throw new CustodyError('token_refused', 'no');
};

function open(change: Partial<TaskCompleteDeps> = {}) {
  const completed = jest.fn(async (_sid: string, _by: string) => undefined);
  const lines: string[] = [];
  const app = buildApp({
    log: pino({ level: 'info' }, { write: (line: string) => void lines.push(line) }),
    routes: [
      (scope) =>
        taskCompleteRoute(scope, {
          authTokens: ['b'.repeat(32), token],
          completed,
          flexTokens: { validate },
          limits: roomyLimits(),
          origins: [flex],
          publicUrl,
          ...change,
        }),
    ],
  });
  apps.push(app);
  const send = async (headers: Record<string, string>, payload: string, url = path) => {
    const answer = await app.inject({ method: 'POST', url, headers, payload, remoteAddress: '192.0.2.1' });
    return { status: answer.statusCode, headers: answer.headers, body: answer.json() };
  };
  return { app, completed, send, lines };
}

const formOf = (fields: Record<string, string>) => new URLSearchParams(fields).toString();
const signedForm = (fields: Record<string, string>, key = token, url = publicUrl + path) => ({
  ...formType,
  'x-twilio-signature': getExpectedTwilioSignature(key, url, fields),
});

test('a completed task of an agent with a Flex token, as JSON or a form, with nothing but its SID', async () => {
  const { send, completed } = open();
  const authorization = basic('good');
  const json = JSON.stringify({ TaskSid, TaskAttributes: { email: 'eve@example.com' } });
  const answer = await send({ ...jsonType, authorization, origin: flex }, json);
  expect([answer.status, answer.body]).toEqual([202, { accepted: true }]);
  expect(answer.headers['access-control-allow-origin']).toBe(flex);
  expect((await send({ ...formType, authorization }, formOf({ TaskSid }))).status).toBe(202);
  expect(completed.mock.calls).toEqual([
    [TaskSid, 'listener'],
    [TaskSid, 'listener'],
  ]);
});

test("a form that Twilio signed, with an emoji, by the account's older token too", async () => {
  const { send, completed } = open();
  const fields = { TaskSid, EventType: 'task.completed', TaskAttributes: '{"name":"Ünal 😀"}' };
  expect((await send(signedForm(fields), formOf(fields))).status).toBe(202);
  const older = signedForm(fields, 'b'.repeat(32));
  expect((await send({ ...older, authorization: basic('bad') }, formOf(fields))).status).toBe(202);
  expect(completed.mock.calls).toEqual([
    [TaskSid, 'webhook'],
    [TaskSid, 'webhook'],
  ]);
});

test('JSON that Twilio signed: the signature covers the query, which has the hash of the body', async () => {
  const { send, completed } = open();
  const body = JSON.stringify({ TaskSid });
  const hash = createHash('sha256').update(body).digest('hex');
  const signed = (query: string) => ({
    ...jsonType,
    'x-twilio-signature': getExpectedTwilioSignature(token, publicUrl + path + query, {}),
  });
  const query = `?bodySHA256=${hash}`;
  expect((await send(signed(query), body, path + query)).status).toBe(202);
  const others = `?bodySHA256=${createHash('sha256').update('{}').digest('hex')}`;
  for (const wrong of ['', others, `${query}&bodySHA256=${hash}`])
    expect((await send(signed(wrong), body, path + wrong)).status).toBe(503);
  expect(completed).toHaveBeenCalledTimes(1);
});

test('a signature that no token of the host made is no 4xx: the fault may be the host’s', async () => {
  const { send, completed } = open();
  const fields = { TaskSid };
  const changed = formOf({ TaskSid: `WT${'2'.repeat(32)}` });
  for (const [headers, body] of [
    [signedForm(fields, 'c'.repeat(32)), formOf(fields)],
    [signedForm(fields), changed],
    [signedForm(fields, token, `https://other.example${path}`), formOf(fields)],
    [{ ...signedForm(fields), 'x-twilio-signature': '' }, formOf(fields)],
    [{ ...signedForm(fields, 'c'.repeat(32)), authorization: basic('good') }, formOf(fields)],
  ] as const) {
    const answer = await send(headers, body);
    expect([answer.status, answer.body]).toEqual([503, { error: 'webhook_unverified' }]);
    expect(answer.headers['retry-after']).toBe('5');
  }
  const none = open({ authTokens: [] });
  expect((await none.send(signedForm(fields), formOf(fields))).status).toBe(503);
  expect(completed).not.toHaveBeenCalled();
});

test.each([
  ['no TaskSid', '{}'],
  ['no JSON', '{'],
  ['another SID', JSON.stringify({ TaskSid: `WR${'1'.repeat(32)}` })],
  ['a list', JSON.stringify({ TaskSid: [TaskSid] })],
  ['nothing', ''],
])('%s is refused', async (_, body) => {
  const { send, completed } = open();
  const answer = await send({ ...jsonType, authorization: basic('good') }, body);
  expect([answer.status, answer.body]).toEqual([400, { error: 'request_invalid' }]);
  expect(completed).not.toHaveBeenCalled();
});

test('without a token that IAM accepts nothing is taken', async () => {
  const { send, completed } = open();
  const body = JSON.stringify({ TaskSid });
  expect(await send(jsonType, body)).toMatchObject({ status: 401, body: { error: 'token_missing' } });
  expect(await send({ ...jsonType, authorization: basic('bad') }, body)).toMatchObject({ status: 403 });
  expect(await send({ ...jsonType, authorization: basic('away') }, body)).toMatchObject({ status: 503 });
  expect(completed).not.toHaveBeenCalled();
});

test('a database that is away is 503, and nothing of the request is in the log', async () => {
  const completed = async () => Promise.reject(new CustodyError('database_unavailable', 'away'));
  const { send, lines } = open({ completed });
  const body = JSON.stringify({ TaskSid, TaskAttributes: '{"email":"eve@example.com"}' });
  const answer = await send({ ...jsonType, authorization: basic('good') }, body);
  expect([answer.status, answer.body]).toEqual([503, { error: 'database_unavailable' }]);
  expect(lines.join('')).not.toContain('eve@');
});

test('one agent sixty times a minute; unsigned addresses too; who has signed as often as it must', async () => {
  const { send } = open();
  const body = JSON.stringify({ TaskSid });
  const statuses = [];
  for (let times = 0; times < 61; times += 1)
    statuses.push((await send({ ...jsonType, authorization: basic('good') }, body)).status);
  expect([statuses.lastIndexOf(202), statuses[60]]).toEqual([59, 429]);
  const fields = { TaskSid };
  const other = open();
  for (let times = 0; times < 60; times += 1)
    await other.send(signedForm(fields, 'c'.repeat(32)), formOf(fields));
  expect((await other.send(signedForm(fields), formOf(fields))).status).toBe(429);
  const third = open();
  for (let times = 0; times < 80; times += 1)
    expect((await third.send(signedForm(fields), formOf(fields))).status).toBe(202);
});

test('the preflight, other methods, and a body that is too long', async () => {
  const { app, send } = open();
  const preflight = await app.inject({
    method: 'OPTIONS',
    url: path,
    headers: { origin: flex, 'access-control-request-method': 'POST' },
  });
  expect([preflight.statusCode, preflight.headers['access-control-allow-headers']]).toEqual([
    204,
    'Authorization, Content-Type',
  ]);
  expect((await app.inject({ method: 'GET', url: path })).statusCode).toBe(405);
  const long = JSON.stringify({ TaskSid, more: 'x'.repeat(140_000) });
  expect((await send({ ...jsonType, authorization: basic('good') }, long)).status).toBe(413);
});

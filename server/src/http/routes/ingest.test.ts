import type { AddressInfo } from 'node:net';
import {
  CustodyError,
  type IngestAnswer,
  objectKey,
  type RecordingCallback,
  readIngestAnswer,
} from '@flex-custody/core';
import { signRequest } from '@flex-custody/vault';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { sids } from '../../ingest/testing/scene.ts';
import { buildApp } from '../app.ts';
import { signatureHeader } from '../plugins/function-signature.ts';
import { ingestRoutes } from './ingest.ts';

const newest = 'n'.repeat(32);
const older = 'o'.repeat(32);
const now = Date.UTC(2026, 10, 21);
const sid = sids.recording(1);
const callback: RecordingCallback = {
  accountSid: sids.account,
  recordingSid: sid,
  status: 'completed',
  hints: { taskSid: sids.task },
};

interface Change {
  secret?: string;
  at?: number;
  signedBody?: string;
  signedUrl?: string;
  header?: string;
}

const apps: FastifyInstance[] = [];
afterEach(async () => {
  await Promise.all(apps.splice(0).map((app) => app.close()));
});

function open() {
  const ingest = {
    receive: jest.fn(async (): Promise<IngestAnswer> => ({ action: 'done', forwarded: false })),
    report: jest.fn(async () => ({ state: 'registered' as const })),
  };
  const secrets = [newest, older];
  const app = buildApp({
    log: pino({ level: 'silent' }),
    routes: [(scope) => ingestRoutes(scope, { ingest, secrets, now: () => now })],
  });
  apps.push(app);
  const send = async (
    url: string,
    init: RequestInit,
  ): Promise<{ status: number; json: unknown; challenge: string | null }> => {
    if (!app.server.listening) await app.listen({ host: '127.0.0.1', port: 0 });
    const { port } = app.server.address() as AddressInfo;
    const response = await fetch(`http://127.0.0.1:${port}${url}`, init);
    const challenge = response.headers.get('www-authenticate');
    return { status: response.status, json: await response.json(), challenge };
  };
  const post = (url: string, body: unknown, change: Change = {}) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const { secret = newest, signedUrl = url, signedBody = text, at = now } = change;
    const signature = change.header ?? signRequest(secret, 'POST', signedUrl, signedBody, at);
    return send(url, {
      method: 'POST',
      body: text,
      headers: { 'content-type': 'application/json', ...(signature ? { [signatureHeader]: signature } : {}) },
    });
  };
  return { ingest, post, send };
}

test('a signed callback is taken and answered', async () => {
  const { ingest, post } = open();
  const response = await post('/ingest/recordings', callback);
  expect(response.status).toBe(200);
  expect(response.json).toEqual({ action: 'done', forwarded: false });
  expect(ingest.receive).toHaveBeenCalledWith(callback);
});

test('the body of Functions of all releases is understood: the host is upgraded first', async () => {
  const { ingest, post } = open();
  const text = `{"accountSid":"${sids.account}","recordingSid":"${sid}","status":"absent","hints":{"taskSid":"${sids.task}","reservationSid":"${sids.reservation}"},"callSid":"${sids.leg}","conferenceSid":"${sids.conference}","errorCode":"16101"}`;
  expect((await post('/ingest/recordings', text)).status).toBe(200);
  expect(ingest.receive).toHaveBeenLastCalledWith(JSON.parse(text));
  const newer = { ...JSON.parse(text), startTime: 'Sat', hints: { taskSid: sids.task, workerSid: 'x' } };
  expect((await post('/ingest/recordings', newer)).status).toBe(200);
  expect(ingest.receive).toHaveBeenLastCalledWith({ ...JSON.parse(text), hints: { taskSid: sids.task } });
});

test('a Function reads the answer as it was given', async () => {
  const { ingest, post } = open();
  const answer: IngestAnswer = {
    action: 'copy',
    lease: 'l',
    leaseMs: 15_000,
    source: {
      accountSid: sids.account,
      recordingSid: sid,
      channels: 2,
      durationSeconds: 30,
      pausedSeconds: 2,
    },
    objectKey: objectKey(sids.account, sid),
    rate: 8e6,
    forwarded: false,
    forwardTo: sids.task,
  };
  ingest.receive.mockResolvedValueOnce(answer);
  const { json } = await post('/ingest/recordings', callback);
  expect(readIngestAnswer(json, callback)).toEqual(answer);
});

test('a signed report is taken for the recording in its path', async () => {
  const { ingest, post } = open();
  const report = { outcome: 'handed-back', lease: 'l', reason: 'too-long' };
  const response = await post(`/ingest/recordings/${sid}/report`, report, { secret: older });
  expect(response.json).toEqual({ state: 'registered' });
  expect(ingest.report).toHaveBeenCalledWith(sid, report);
});

test.each([
  ['without a signature', { header: '' }],
  ["with a stranger's", { secret: 's'.repeat(32) }],
  ["with another body's", { signedBody: '{}' }],
  ["with another path's", { signedUrl: '/ingest/recordings?x=1' }],
  ['from six minutes ago', { at: now - 360_000 }],
  ['from six minutes ahead', { at: now + 360_000 }],
  ['with a malformed one', { header: 't=now,v1=zz' }],
])('%s there is no way in', async (_, change) => {
  const { ingest, post } = open();
  for (const url of ['/ingest/recordings', `/ingest/recordings/${sid}/report`]) {
    const response = await post(url, callback, change);
    expect(response.status).toBe(401);
    expect(response.challenge).toMatch(/^Custody-Signature /);
    expect(response.json).toEqual({ error: 'signature_invalid' });
  }
  expect(ingest.receive).not.toHaveBeenCalled();
  expect(ingest.report).not.toHaveBeenCalled();
});

test('nothing is parsed before the signature held', async () => {
  const { post } = open();
  expect((await post('/ingest/recordings', '{not json', { header: '' })).status).toBe(401);
  const signed = await post('/ingest/recordings', '{not json');
  expect([signed.status, signed.json]).toEqual([400, { error: 'callback_invalid' }]);
});

test('another kind of body, an unknown path and another method are refused', async () => {
  const { ingest, post, send } = open();
  const form = await send('/ingest/recordings', {
    method: 'POST',
    body: 'a=b',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  });
  expect(form.status).toBe(415);
  expect((await post('/ingest/recordings/RE1/report', { outcome: 'forwarded' })).status).toBe(400);
  expect((await send('/ingest/recordings', { method: 'GET' })).status).toBe(405);
  expect((await send('/ingest/else', { method: 'POST' })).status).toBe(404);
  expect(ingest.receive).not.toHaveBeenCalled();
});

test('a refusal says its code, a failure only that', async () => {
  const { ingest, post } = open();
  ingest.receive.mockRejectedValueOnce(new CustodyError('foreign_account', 'whose'));
  const refused = await post('/ingest/recordings', callback);
  expect([refused.status, refused.json]).toEqual([403, { error: 'foreign_account' }]);
  ingest.receive.mockRejectedValueOnce(new TypeError('of the insides'));
  const failed = await post('/ingest/recordings', callback);
  expect([failed.status, failed.json]).toEqual([500, { error: 'internal' }]);
});

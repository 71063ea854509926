import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CopyReport, parseRecordingCallback } from '@flex-custody/core';
import { verifyRequest } from '@flex-custody/vault';
import { readConfig } from './config.ts';
import { type Deadline, startDeadline } from './deadline.ts';
import { hostClient } from './host-client.ts';

const account = `AC${'a'.repeat(32)}`;
const recording = `RE${'d'.repeat(32)}`;
const secret = 's'.repeat(43);
const callback = parseRecordingCallback({
  AccountSid: account,
  RecordingSid: recording,
  RecordingStatus: 'completed',
  taskSid: `WT${'e'.repeat(32)}`,
});
const copy = {
  action: 'copy',
  lease: 'lease-1',
  leaseMs: 15_000,
  source: {
    accountSid: account,
    recordingSid: recording,
    channels: 2,
    durationSeconds: 30,
    pausedSeconds: 12,
  },
  objectKey: `recordings/${account}/${recording}`,
  rate: 8_000_000,
  forwarded: false,
};

let server: Server;
let seen: { path: string; body: string; signature: string | undefined }[];
/** What the host answers next, the last one for all that follow; `hang` never answers. */
let answers: (({ status: number } & { body?: unknown; location?: string }) | 'hang')[];

beforeEach(async () => {
  seen = [];
  server = createServer(async (incoming, outgoing) => {
    let body = '';
    for await (const chunk of incoming) body += chunk;
    const signature = incoming.headers['x-custody-signature'] as string | undefined;
    seen.push({ path: incoming.url ?? '', body, signature });
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    if (!answer || answer === 'hang') return;
    outgoing.writeHead(answer.status, {
      'content-type': 'application/json',
      ...(answer.location ? { location: answer.location } : {}),
    });
    outgoing.end(JSON.stringify(answer.body ?? {}));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const client = (base = '', deadline: Deadline = startDeadline()) => {
  const { port } = server.address() as AddressInfo;
  const config = readConfig({
    CUSTODY_FUNCTIONS_URL: 'https://functions.example.com',
    ACCOUNT_SID: account,
    AUTH_TOKEN: 'b'.repeat(32),
    AWSaccessKeyId: 'x',
    AWSsecretAccessKey: 'x',
    AWSbucket: 'x',
    AWS_REGION: 'x',
    CUSTODY_HOST_URL: `http://127.0.0.1:${port}${base}`,
    CUSTODY_HOST_SECRET: secret,
    CUSTODY_PUBLIC_KEY: 'x',
    CUSTODY_KEY_ID: 'x',
  });
  return hostClient(config, deadline);
};

const late = (leftMs: number): Deadline => ({ ...startDeadline(), left: () => leftMs });

describe('register', () => {
  test('posts the callback, signed over path and body', async () => {
    answers = [{ status: 200, body: copy }];
    expect(await client('/').register(callback)).toEqual(copy);
    const { path, body, signature } = seen[0]!;
    expect(path).toBe('/ingest/recordings');
    expect(JSON.parse(body)).toEqual(callback);
    expect(verifyRequest([secret], signature, 'POST', path, body, Date.now())).toBe(true);
  });

  test.each(['done', 'busy', 'host'])('%s is an answer', async (action) => {
    const forwardTo = `WT${'f'.repeat(32)}`;
    answers = [{ status: 200, body: { action, forwarded: true, forwardTo } }];
    expect(await client().register(callback)).toEqual({ action, forwarded: true, forwardTo });
    answers = [{ status: 200, body: { action, forwarded: false, forwardTo: '../Tasks' } }];
    expect(await client().register(callback)).toEqual({ action, forwarded: false });
  });

  test.each([
    ['nothing', undefined],
    ['an unknown action', { action: 'delete', forwarded: false }],
    ['no lease', { ...copy, lease: undefined }],
    ['no rate', { ...copy, rate: 0 }],
    ['another recording', { ...copy, source: { ...copy.source, recordingSid: `RE${'f'.repeat(32)}` } }],
    ['another account', { ...copy, source: { ...copy.source, accountSid: `AC${'f'.repeat(32)}` } }],
    ['another place in the bucket', { ...copy, objectKey: 'recordings/elsewhere' }],
  ])('%s is none', async (_, body) => {
    answers = [{ status: 200, body }];
    await expect(client().register(callback)).rejects.toMatchObject({
      code: 'host_answer_malformed',
      status: 503,
    });
  });

  test.each([500, 502, 503, 429, 408, 401])('%d: Twilio is to ask again', async (status) => {
    answers = [{ status }];
    await expect(client().register(callback)).rejects.toMatchObject({
      code: 'host_unreachable',
      status: 503,
    });
  });

  test.each([400, 403, 404])('%d is for good', async (status) => {
    answers = [{ status }];
    await expect(client().register(callback)).rejects.toMatchObject({ code: 'host_refused', status });
  });

  test('a redirect is not followed: the signature is for this host', async () => {
    answers = [
      { status: 307, location: '/elsewhere' },
      { status: 200, body: copy },
    ];
    await expect(client().register(callback)).rejects.toMatchObject({ code: 'host_unreachable' });
    expect(seen).toHaveLength(1);
  });

  test('nobody there', async () => {
    const nobody = client();
    await new Promise((resolve) => server.close(resolve));
    await expect(nobody.register(callback)).rejects.toMatchObject({ code: 'host_unreachable', status: 503 });
  });

  test('a host that never answers costs no more than the time left', async () => {
    answers = ['hang'];
    const began = performance.now();
    const failure = await client('', late(400.5))
      .register(callback)
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'host_unreachable' });
    expect(performance.now() - began).toBeLessThan(3_000);
    // The request, and with it the signature, goes no further than here.
    expect((failure as Error).cause).toBeUndefined();
  });
});

describe('report', () => {
  const report: CopyReport = { outcome: 'handed-back', lease: 'lease-1', reason: 'too-long' };

  test('names the recording in its path', async () => {
    answers = [{ status: 200 }];
    await client().report(callback.recordingSid, report);
    expect(seen[0]).toMatchObject({
      path: `/ingest/recordings/${recording}/report`,
      body: JSON.stringify(report),
    });
  });

  test('is given a second chance', async () => {
    answers = [{ status: 503 }, { status: 200 }];
    await client().report(callback.recordingSid, report);
    expect(seen).toHaveLength(2);
  });

  test('but not a third, nor one after a refusal, nor one without time', async () => {
    answers = [{ status: 503 }];
    await expect(client().report(callback.recordingSid, report)).rejects.toThrow();
    expect(seen).toHaveLength(2);
    answers = [{ status: 409 }];
    await expect(client().report(callback.recordingSid, report)).rejects.toMatchObject({ status: 409 });
    expect(seen).toHaveLength(3);
    answers = [{ status: 503 }];
    await expect(client('', late(450)).report(callback.recordingSid, report)).rejects.toThrow();
    expect(seen).toHaveLength(4);
  });
});

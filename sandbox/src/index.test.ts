import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { validateRequest } from 'twilio/lib/webhooks/webhooks';
import type { Delivery } from './callbacks.ts';
import type { PlacedCall } from './calls.ts';
import { type Sandbox, startSandbox } from './index.ts';

const baseUrl = 'https://flex-custody-4200-dev.twil.io';
let dataDir: string;
let functions: Server;
let sandbox: Sandbox;
let posted: { url: string; headers: IncomingHttpHeaders; form: Record<string, string> }[] = [];
let answers: number[] = [];

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'sandbox test '));
  functions = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      posted.push({
        url: request.url ?? '',
        headers: request.headers,
        form: Object.fromEntries(new URLSearchParams(body)),
      });
      response.writeHead(answers.shift() ?? 200).end();
    });
  });
  await new Promise<void>((resolve) => functions.listen(0, '127.0.0.1', resolve));
  sandbox = await startSandbox({
    port: 0,
    dataDir,
    functionsBaseUrl: baseUrl,
    functionsOrigin: `http://127.0.0.1:${(functions.address() as AddressInfo).port}`,
    publicHostUrl: 'http://127.0.0.1:4100',
  });
});

afterAll(async () => {
  await sandbox.close();
  await new Promise((resolve) => functions.close(resolve));
  await rm(dataDir, { recursive: true });
});

beforeEach(() => {
  posted = [];
  answers = [];
});

interface RecordingAnswer {
  media: Record<'1' | '2', { bytes: number; sha256: string }>;
  deliveries: Delivery[];
}

const control = async <T>(method: string, path: string, body?: unknown) => {
  const response = await fetch(`${sandbox.url}${path}`, {
    method,
    ...(body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  return { status: response.status, body: (await response.json()) as T };
};
const place = (options: object) => control<PlacedCall>('POST', '/sandbox/calls', options);
const truthOf = (call: PlacedCall) =>
  control<RecordingAnswer>('GET', `/sandbox/recordings/${call.recordings[0]}`);

/** Runs code in a process that knows this world by its environment alone. */
const run = async (code: string) => {
  const { stdout } = await promisify(execFile)(process.execPath, ['-e', code], {
    env: { PATH: process.env['PATH'] ?? '', ...sandbox.env },
    cwd: process.cwd(),
    maxBuffer: 64 * 1024 * 1024,
  });
  return JSON.parse(stdout);
};

test('a client that knows this world by its environment reaches Brevo under its own name', async () => {
  const { apiUrl, apiKey } = sandbox.brevo;
  const seen = await run(`
    require('axios').get('${apiUrl}/account', { headers: { 'api-key': '${apiKey}' } })
      .then(({ data }) => console.log(JSON.stringify(data)));`);
  expect([apiUrl, seen.companyName]).toEqual(['https://api.brevo.com/v3', 'Northwind']);
  const local = await fetch(`${sandbox.brevo.localUrl}/account`, { headers: { 'api-key': 'another' } });
  expect(local.status).toBe(401);
  expect(sandbox.brevo.account.requestCount).toBe(2);
});

test('a call is placed, and its callback comes signed for the address that Twilio believes in', async () => {
  const { body: call } = await place({ seconds: 2 });
  await sandbox.twilio.switchboard.settled();
  expect(posted).toHaveLength(1);
  const [callback] = posted;
  const { reservation } = call.reservations[0]!;
  expect(callback?.url).toBe(`/recording-status-callback?taskSid=${call.task}&reservationSid=${reservation}`);
  const signature = callback?.headers['x-twilio-signature'] as string;
  const signedFor = (url: string) =>
    validateRequest(sandbox.account.authToken, signature, url, callback?.form ?? {});
  expect(signedFor(baseUrl + callback?.url)).toBe(true);
  expect(signedFor(`http://127.0.0.1:4200${callback?.url}`)).toBe(false);
  expect(callback?.form).toMatchObject({
    CallSid: call.reservations[0]!.call,
    RecordingSid: call.recordings[0],
    RecordingStatus: 'completed',
    RecordingDuration: '2',
    RecordingChannels: '2',
  });
});

test('the SDK, axios and a client of IAM reach Twilio here without knowing', async () => {
  const { body: call } = await place({ seconds: 3, callback: false });
  const { body: minted } = await control<{ token: string }>('POST', '/sandbox/tokens', {
    roles: ['supervisor'],
  });
  const [recording] = call.recordings;
  const seen = await run(`
    const { TWILIO_ACCOUNT_SID: ac, TWILIO_AUTH_TOKEN: token, TWILIO_WORKSPACE_SID: ws } = process.env;
    const client = require('twilio')(ac, token);
    const agent = require('https-proxy-agent')(process.env.HTTPS_PROXY);
    const vouched = (held) => new Promise((resolve, reject) => {
      const url = 'https://iam.twilio.com/v1/Accounts/' + ac + '/Tokens/validate';
      const headers = { 'Content-Type': 'application/json' };
      const asking = require('https').request(url, { agent, auth: ac + ':' + token, method: 'POST', headers });
      asking.on('error', reject);
      asking.on('response', async (answer) => resolve(JSON.parse((await answer.toArray()).join(''))));
      asking.end(JSON.stringify({ token: held }));
    });
    (async () => {
      const recording = await client.recordings('${recording}').fetch();
      const call = await client.calls(recording.callSid).fetch();
      const task = await client.taskrouter.v1.workspaces(ws).tasks('${call.task}').fetch();
      const media = await require('axios').get(
        'https://api.twilio.com/2010-04-01/Accounts/' + ac + '/Recordings/${recording}.wav?RequestedChannels=2',
        { auth: { username: ac, password: token }, responseType: 'arraybuffer', maxRedirects: 0 });
      const user = await vouched('${minted.token}');
      const other = await require('axios').get('https://example.com/').catch((error) => String(error.message));
      console.log(JSON.stringify({ to: call.to, task: task.sid, bytes: media.data.length, user,
        sha256: require('crypto').createHash('sha256').update(media.data).digest('hex'), other }));
    })();`);
  const { body: truth } = await truthOf(call);
  expect(seen).toMatchObject({
    to: `client:${call.reservations[0]!.identity}`,
    task: call.task,
    bytes: 44 + 3 * 32_000,
    sha256: truth.media[2].sha256,
    user: { valid: true, roles: ['supervisor'] },
  });
  expect(seen.other).toMatch(/403|socket|proxy/i);
});

test('a connection that Twilio breaks looks broken through the proxy, and a refused host is refused', async () => {
  const { body: call } = await place({ seconds: 5, callback: false });
  await control('POST', '/sandbox/faults', { target: 'media', kind: 'cut', value: 50_000 });
  const seen = await run(`
    const { TWILIO_ACCOUNT_SID: ac, TWILIO_AUTH_TOKEN: token } = process.env;
    const get = (url) => require('axios').get(url, {
      auth: { username: ac, password: token }, responseType: 'arraybuffer', maxRedirects: 0,
    }).then((answer) => 'whole ' + answer.data.length, (error) => error.message);
    (async () => {
      const media = 'https://api.twilio.com/2010-04-01/Accounts/' + ac + '/Recordings/${call.recordings[0]}';
      console.log(JSON.stringify({ cut: await get(media), again: await get(media), plain: await get('http://example.com/') }));
    })();`);
  expect(seen.cut).toMatch(/aborted|hang up|ECONNRESET/);
  expect(seen.again).toBe(`whole ${44 + 5 * 32_000}`);
  expect(seen.plain).toContain('403');
});

test('the start page is served, and looks into the bucket', async () => {
  const page = await fetch(`${sandbox.url}/`);
  expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
  expect((await control('GET', '/sandbox/bucket')).body).toEqual({ objects: [], uploads: [] });
});

test('another S3 may stand in for its own, and closing leaves no port open', async () => {
  const other = await startSandbox({
    port: 0,
    dataDir: join(dataDir, 'other'),
    functionsBaseUrl: baseUrl,
    functionsOrigin: 'http://127.0.0.1:9',
    publicHostUrl: 'http://127.0.0.1:4100',
    bucket: sandbox.s3.bucket,
    s3: sandbox.s3,
  });
  expect(other.env['AWS_ENDPOINT_URL_S3']).toBe(sandbox.s3.endpoint);
  expect(await other.twilio.bucket.show()).toEqual({ objects: [], uploads: [] });
  const events = await fetch(`${other.url}/sandbox/events`);
  expect(events.status).toBe(200);
  await other.close();
  await expect(fetch(other.url)).rejects.toThrow();
  await expect(fetch(other.env['HTTPS_PROXY'] ?? '')).rejects.toThrow();
  expect((await fetch(sandbox.s3.endpoint)).status).toBe(403);
});

test('a port that is taken is said so, and nothing stays behind', async () => {
  const port = Number(new URL(sandbox.url).port);
  const second = startSandbox({
    port,
    dataDir: join(dataDir, 'second'),
    functionsBaseUrl: baseUrl,
    functionsOrigin: 'http://127.0.0.1:9',
    publicHostUrl: 'http://127.0.0.1:4100',
  });
  await expect(second).rejects.toMatchObject({ code: 'EADDRINUSE', port });
});

test('a callback that fails is tried again as its fragment allows, and each try is on record', async () => {
  answers = [503, 500, 200];
  const { body: call } = await place({ seconds: 1 });
  await sandbox.twilio.switchboard.settled();
  const { body } = await truthOf(call);
  expect(body.deliveries.map((one) => one.status)).toEqual([503, 500, 200]);
  const tokens = posted.map((one) => one.headers['i-twilio-idempotency-token']);
  expect(new Set(tokens).size).toBe(1);
});

test('the same callback comes three times at once when asked for', async () => {
  const { body: call } = await place({ seconds: 1, callback: false });
  const { body } = await control<{ deliveries: Delivery[][] }>('POST', '/sandbox/callbacks', {
    recording: call.recordings[0],
    times: 3,
    form: { RecordingStatus: 'failed' },
  });
  expect(body.deliveries).toHaveLength(3);
  expect(posted.map((one) => one.form['RecordingStatus'])).toEqual(['failed', 'failed', 'failed']);
});

test('a transfer has two agents, two legs, and a recording of each', async () => {
  const { body: call } = await place({ seconds: 5, transfer: true });
  await sandbox.twilio.switchboard.settled();
  expect(call.reservations).toHaveLength(2);
  expect(new Set(call.reservations.map((one) => one.worker)).size).toBe(2);
  expect(posted.map((one) => one.form['RecordingDuration']).sort()).toEqual(['2', '3']);
  const { body: task } = await control<{ attributes: { conference: { participants: { worker: string } } } }>(
    'GET',
    `/sandbox/tasks/${call.task}`,
  );
  expect(task.attributes.conference.participants.worker).toBe(call.reservations[1]!.call);
});

test("Flex's own recording is of the conference and knows only the task", async () => {
  const { body: call } = await place({ seconds: 1, conference: true });
  await sandbox.twilio.switchboard.settled();
  expect(posted[0]?.form).toMatchObject({ ConferenceSid: call.conference });
  expect(posted[0]?.form).not.toHaveProperty('CallSid');
  expect(posted[0]?.url).toBe(`/recording-status-callback?taskSid=${call.task}`);
});

test('what happens is told as server-sent events, and the host’s own steps among it', async () => {
  const abort = new AbortController();
  const response = await fetch(`${sandbox.url}/sandbox/events`, { signal: abort.signal });
  await control('POST', '/sandbox/events', [
    { event: 'recording.sealed', recording: 'RE1', bytes: 5 },
    { event: 'something.else' },
  ]);
  let text = '';
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    text += Buffer.from(chunk).toString();
    if (text.includes('recording.sealed')) break;
  }
  abort.abort();
  expect(text).toContain('"event":"call.ended"');
  expect(text).not.toContain('something.else');
});

test.each([
  ['/sandbox/calls', { seconds: 'long' }, 400, '"seconds" must be'],
  ['/sandbox/calls', { channels: 3 }, 400, '"channels" must be one of 1, 2'],
  ['/sandbox/calls', { media: '/nowhere.wav' }, 400, 'no file'],
  ['/sandbox/tokens', {}, 400, '"roles"'],
  ['/sandbox/faults', { target: 'moon', kind: 'cut' }, 400, '"target" must be one of'],
  ['/sandbox/callbacks', { recording: 'RE1' }, 404, 'no such recording'],
  ['/sandbox/texts', { channel: 'fax' }, 400, '"channel" must be one of sms, whatsapp, webchat'],
  ['/sandbox/texts', { csat: 11 }, 400, '"csat" must be a number'],
  ['/sandbox/surveys', { task: 'WT1' }, 404, 'no such task'],
  ['/sandbox/conversations', { messages: -1 }, 400, '"messages" must be'],
  ['/sandbox/brevo', { plan: 'free' }, 400, '"plan" must be one of'],
])('%s refuses %j and says why', async (path, body, status, message) => {
  const answer = await control<{ error: string }>('POST', path, body);
  expect(answer.status).toBe(status);
  expect(answer.body.error).toContain(message);
});

test('a WAV of another rate is refused with what would do', async () => {
  const upload = async (body: Uint8Array) => {
    const response = await fetch(`${sandbox.url}/sandbox/media`, {
      method: 'POST',
      headers: { 'content-type': 'audio/wav' },
      body,
    });
    return { status: response.status, body: (await response.json()) as { media: string } };
  };
  const wav = await import('node:fs/promises').then((fs) => fs.readFile('sandbox/media/dialogue.wav'));
  const good = await upload(wav);
  expect(good.body).toMatchObject({ seconds: 30, channels: 2 });
  const { body: call } = await place({ media: good.body.media, callback: false });
  const { body: truth } = await truthOf(call);
  expect(truth.media[2].bytes).toBe(wav.length);
  const other = Buffer.from(wav);
  other.writeUInt32LE(44_100, 24);
  expect(await upload(other)).toMatchObject({
    status: 400,
    body: { error: expect.stringContaining('44100 Hz') },
  });
});

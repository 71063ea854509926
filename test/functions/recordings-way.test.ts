import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Stack, startStack } from '../../sandbox/src/stack/index.ts';
import { follow, listen, makeCall } from '../../sandbox/src/stack/journey.ts';

jest.setTimeout(60_000);

let dataDir: string;
let stack: Stack;

beforeAll(async () => {
  execFileSync(process.execPath, ['build.mjs']);
  dataDir = mkdtempSync(join(tmpdir(), 'way-'));
  stack = await startStack({ dataDir });
});

afterAll(async () => {
  await stack?.close();
  rmSync(dataDir, { recursive: true, force: true });
});

const control = async <T>(path: string, body?: unknown): Promise<T> => {
  const response = await fetch(
    `${stack.urls.sandbox}/sandbox/${path}`,
    body === undefined
      ? {}
      : { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) },
  );
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
};

interface Placed {
  task: string;
  recordings: string[];
  reservations: { reservation: string; worker: string; recording?: string }[];
}

const verified = (recording: string) =>
  stack.events.until(
    (event) => event.event === 'recording.verified' && event.recording === recording,
    `${recording} verified`,
    90_000,
  );

const eventsOf = (recording: string, name: string) =>
  stack.events.all().filter((event) => event.recording === recording && event.event === `recording.${name}`);

const objectsOf = async (recording: string) => {
  const { objects, uploads } = await control<Record<'objects' | 'uploads', { key: string }[]>>('bucket');
  return {
    objects: objects.filter(({ key }) => key.endsWith(`/${recording}`)).length,
    uploads: uploads.filter(({ key }) => key.endsWith(`/${recording}`)).length,
  };
};

test('a call ends: its recording is sealed, linked, verified, and played back byte for byte', async () => {
  const sealedBy: unknown[] = [];
  // Where a host that has only just started answers late, it copies itself, as it should: then once more.
  while (sealedBy.length < 3 && !sealedBy.includes('function')) {
    const call = await makeCall(stack, { seconds: 30 });
    expect(await follow(stack, call, 90_000)).toEqual({
      recording: call.recordings[0],
      sealed: true,
      linked: true,
      verified: true,
      played: true,
      ms: expect.any(Number),
    });
    const sealed = eventsOf(call.recordings[0]!, 'sealed');
    expect(sealed).toHaveLength(1);
    sealedBy.push(sealed[0]?.['by']);
  }
  expect(sealedBy).toContain('function');
}, 300_000);

test('it is played to those who may, and to nobody else', async () => {
  const call = await control<Placed>('calls', { seconds: 2 });
  const [recording = ''] = call.recordings;
  await verified(recording);
  const own = call.reservations[0]?.worker;
  const { workers } = await control<{ workers: { worker: string }[] }>('workers');
  const another = workers.find(({ worker }) => worker !== own)?.worker;
  const ask = async (roles: string[] | undefined, worker?: string) => {
    const headers: Record<string, string> = { origin: stack.urls.sandbox };
    if (roles) {
      const { token } = await control<{ token: string }>('tokens', { roles, worker_sid: worker });
      headers['authorization'] = `Basic ${Buffer.from(`token:${token}`).toString('base64')}`;
    }
    return (await fetch(`${stack.urls.server}/url-provider?recording=${recording}`, { headers })).status;
  };
  expect([
    await ask(undefined),
    await ask(['agent']),
    await ask(['agent'], another),
    await ask(['agent'], own),
    await ask(['supervisor']),
    await ask(['admin']),
  ]).toEqual([401, 403, 403, 200, 200, 200]);
});

test('a transferred call: each leg under its own reservation', async () => {
  const call = await control<Placed>('calls', { seconds: 4, transfer: true });
  await Promise.all(call.recordings.map(verified));
  const { attributes } = await control<{
    attributes: { reservation_attributes: Record<string, { media: { url_provider: string }[] }> };
  }>(`tasks/${call.task}`);
  for (const { reservation, recording } of call.reservations) {
    expect(attributes.reservation_attributes[reservation]?.media).toMatchObject([
      { url_provider: expect.stringContaining(`recording=${recording}`) },
    ]);
  }
});

test("an outbound call's conference, which its task does not name: linked to the task by Twilio's own word", async () => {
  const call = await control<Placed>('calls', { seconds: 2, direction: 'outbound', conference: true });
  const [recording = ''] = call.recordings;
  await verified(recording);
  const { attributes } = await control<{
    attributes: { conference?: unknown; conversations?: { media: { url_provider: string }[] } };
  }>(`tasks/${call.task}`);
  expect(attributes.conference).toBeUndefined();
  expect(attributes.conversations?.media).toMatchObject([
    { url_provider: expect.stringContaining(`recording=${recording}`) },
  ]);
  expect(eventsOf(recording, 'refused')).toEqual([]);
});

test('the same callback three times at once, and once more later: one object, one link', async () => {
  const call = await control<Placed>('calls', { seconds: 2, callback: false });
  const [recording = ''] = call.recordings;
  await control('callbacks', { recording, times: 3 });
  await verified(recording);
  await control('callbacks', { recording });
  expect(await objectsOf(recording)).toEqual({ objects: 1, uploads: 0 });
  expect(eventsOf(recording, 'sealed')).toHaveLength(1);
  const { attributes } = await control<{ attributes: unknown }>(`tasks/${call.task}`);
  expect(JSON.stringify(attributes).split(recording)).toHaveLength(2);
});

test('too long for a Function: the host copies it, and it plays all the same', async () => {
  const call = await makeCall(stack, { seconds: 3_600 });
  const [recording = ''] = call.recordings;
  expect(await follow(stack, call, 90_000)).toMatchObject({
    sealed: true,
    linked: true,
    verified: true,
    played: true,
  });
  expect(eventsOf(recording, 'sealed')).toMatchObject([{ by: 'worker' }]);
});

test('the host is away: nothing is sealed, Twilio hears of it, and the next callback finds all as it was', async () => {
  await stack.stopServer();
  const call = await control<Placed>('calls', { seconds: 2, callback: false });
  const [recording = ''] = call.recordings;
  const failed = stack.events.until(
    (event) => event.event === 'callback.failed' && event.recording === recording,
    'a failed callback',
    90_000,
  );
  const delivered = control('callbacks', { recording });
  expect(await failed).toMatchObject({ status: 503 });
  expect(await objectsOf(recording)).toEqual({ objects: 0, uploads: 0 });
  await stack.startServer();
  await delivered;
  if (eventsOf(recording, 'registered').length === 0) await control('callbacks', { recording });
  await verified(recording);
  expect((await listen(stack, recording)).rangeMatches).toBe(true);
});

test('no log holds a token, a secret or a telephone number', async () => {
  const { account, s3 } = stack.sandbox;
  for (const name of ['server.log', 'functions.log']) {
    const text = readFileSync(join(dataDir, name), 'utf8');
    expect([name, text.length > 0]).toEqual([name, true]);
    for (const secret of [
      account.authToken,
      s3.identities.functions.secretAccessKey,
      s3.identities.host.secretAccessKey,
      'PRIVATE KEY',
      'token=',
      '+1415',
    ]) {
      expect([name, secret, text.includes(secret)]).toEqual([name, secret, false]);
    }
  }
});

import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createServer, type Server } from 'node:tls';
import { generate } from 'selfsigned';
import { ConnectProxy } from '../../packages/net/test/connect-proxy.ts';
import type { Sandbox } from '../../sandbox/src/index.ts';
import { type Stack, startStack } from '../../sandbox/src/stack/index.ts';
import { listen, makeCall } from '../../sandbox/src/stack/journey.ts';

jest.setTimeout(300_000);

/** Seconds: short by default, and as long as it takes a proxy to come back where somebody has the time to wait. */
const silence = Number(process.env['TEST_PROXY_SILENCE'] ?? 6);
/** After the proxy's recovery. */
const withinMs = 120_000;
const names = { s3: 's3.eu-central-1.custody.example', kms: 'kms.us-east-1.custody.example' };

let dataDir: string;
let stack: Stack;
let proxy: ConnectProxy;
const fronts: Server[] = [];

/** A host and its Functions that reach the outside through a proxy which takes CONNECT alone, and nothing past it. */
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'custody-proxy-'));
  stack = await startStack({ dataDir, keys: 'kms', reach });
});
afterAll(async () => {
  await stack?.close();
  proxy?.stop();
  for (const front of fronts) front.close();
  await rm(dataDir, { recursive: true, force: true });
});

async function reach(sandbox: Sandbox): Promise<Record<string, string>> {
  const day = 86_400_000;
  const validity = { notBeforeDate: new Date(Date.now() - day), notAfterDate: new Date(Date.now() + day) };
  const common = { keyType: 'ec', curve: 'P-256', algorithm: 'sha256', ...validity } as const;
  const ca = await generate([{ name: 'commonName', value: 'the stores authority' }], {
    ...common,
    extensions: [{ name: 'basicConstraints', cA: true, critical: true }],
  });
  const leaf = await generate([{ name: 'commonName', value: names.s3 }], {
    ...common,
    ca: { key: ca.private, cert: ca.cert },
    extensions: [
      {
        name: 'subjectAltName',
        altNames: Object.values(names).map((value) => ({ type: 2 as const, value })),
      },
    ],
  });
  const front = async (url: string) => {
    const server = createServer({ key: leaf.private, cert: leaf.cert }, (client) => {
      const behind = connect(Number(new URL(url).port), '127.0.0.1');
      client.pipe(behind).pipe(client);
      for (const [one, other] of [
        [client, behind],
        [behind, client],
      ] as const) {
        one.on('error', () => other.destroy());
        one.on('close', () => other.destroy());
      }
    });
    fronts.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return (server.address() as AddressInfo).port;
  };
  const ways: Record<string, number> = {
    [`${names.s3}:443`]: await front(sandbox.s3.endpoint),
    [`${names.kms}:443`]: await front(sandbox.kms.endpoint),
  };
  const toTwilio = { proxy: Number(new URL(sandbox.env['HTTPS_PROXY'] ?? '').port) };
  proxy = new ConnectProxy((target) => ways[target] ?? toTwilio);
  await proxy.start();
  const authorities = join(dataDir, 'authorities.pem');
  writeFileSync(authorities, `${readFileSync(sandbox.env['NODE_EXTRA_CA_CERTS'] ?? '', 'utf8')}\n${ca.cert}`);
  return {
    HTTPS_PROXY: proxy.url,
    // Functions and host are neighbours here.
    HTTP_PROXY: '',
    NO_PROXY: '',
    NODE_EXTRA_CA_CERTS: authorities,
    AWS_ENDPOINT_URL_S3: `https://${names.s3}`,
    AWS_ENDPOINT_URL_KMS: `https://${names.kms}`,
  };
}

const told = (recording: string, step: 'registered' | 'verified') =>
  stack.events.until(
    (event) => event.recording === recording && event.event === `recording.${step}`,
    `${recording} ${step}`,
    withinMs,
  );

const erase = (recording: string) =>
  new Promise<{ code: unknown; out: string; err: string }>((resolve) => {
    execFile(
      process.execPath,
      ['server/bin/flex-custody.mjs', 'erase', '--recording', recording, '--yes'],
      { env: { PATH: process.env['PATH'] ?? '', ...stack.hostEnvironment } },
      (error, out, err) => resolve({ code: error?.code ?? 0, out, err }),
    );
  });

test('a recording is copied, played and erased, each request through the proxy', async () => {
  const [recording = ''] = (await makeCall(stack, { seconds: 3 })).recordings;
  await told(recording, 'verified');
  expect((await listen(stack, recording)).rangeMatches).toBe(true);
  expect(await erase(recording)).toMatchObject({ code: 0, out: expect.stringMatching(/erased +1/) });
  expect([...new Set(proxy.tunnels)].sort()).toEqual(
    expect.arrayContaining([
      'api.twilio.com:443',
      'iam.twilio.com:443',
      'taskrouter.twilio.com:443',
      `${names.kms}:443`,
      `${names.s3}:443`,
    ]),
  );
  expect(stack.events.all().filter(({ event }) => event === 'proxy.refused')).toEqual([]);
});

test('a proxy that falls silent and comes back: all that waited is verified, without anybody’s help', async () => {
  // Of a length that no copy is through with before the silence.
  const calls = await Promise.all([1, 2, 3].map(() => makeCall(stack, { seconds: 300 })));
  const recordings = calls.flatMap((call) => call.recordings);
  await Promise.all(recordings.map((recording) => told(recording, 'registered')));
  proxy.silence();
  await sleep(silence * 1_000);
  const done = stack.events.all().filter(({ event }) => event === 'recording.verified');
  expect(recordings.every((sid) => done.some(({ recording }) => recording === sid))).toBe(false);
  proxy.recover();
  await Promise.all(recordings.map((recording) => told(recording, 'verified')));
  for (const recording of recordings) expect((await listen(stack, recording)).rangeMatches).toBe(true);
});

import { generateKeyPairSync } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describeWhere } from '../../../test/support/needs.ts';
import { ownDatabase } from '../../../test/support/own-engines.ts';
import { loadConfig } from '../config.ts';
// Also lets the embedded database load inside tests.
import '../db/testing/on-each-engine.ts';
import { createLog } from '../log.ts';
import { newSigningKey } from '../signing/key-file.ts';
import { type Running, start } from './serve.ts';

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const environment = {
  TWILIO_ACCOUNT_SID: `AC${'0a'.repeat(16)}`,
  TWILIO_AUTH_TOKEN: '0123456789abcdef'.repeat(2),
  TWILIO_WORKSPACE_SID: `WS${'0b'.repeat(16)}`,
  CUSTODY_PUBLIC_URL: 'https://custody.example.com',
  PORT: '0',
  CUSTODY_OPS_PORT: '0',
  AWS_REGION: 'eu-central-1',
  // Nothing listens there: the host starts all the same, and says that it is not ready.
  AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:1',
  AWS_ACCESS_KEY_ID: 'key',
  AWS_SECRET_ACCESS_KEY: 'secret',
  CUSTODY_BUCKET: 'recordings',
  CUSTODY_KEY_KIND: 'rsa',
  CUSTODY_KEYS: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  CUSTODY_FUNCTION_SECRETS: 'f'.repeat(32),
  CUSTODY_MEDIA_SECRET: Buffer.alloc(32, 1).toString('base64'),
  CUSTODY_DATA_DIR: 'memory://',
  CUSTODY_SIGNING_KEYS: newSigningKey(),
};

let lines: string[];
let running: Running | undefined;
const log = () => createLog('info', { write: (line) => void lines.push(line) });
const up = async (changes: Record<string, string> = {}) => {
  running = await start(loadConfig({ ...environment, ...changes }), log());
  return running;
};
beforeEach(() => {
  lines = [];
});
afterEach(async () => {
  await running?.close();
  running = undefined;
});

test('a host whose connector has a wrong file does not start, and opens no database', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'brevo-'));
  const file = join(folder, 'brevo.yaml');
  writeFileSync(file, `account_sid: ${environment.TWILIO_ACCOUNT_SID}\nchanels: [voice]\n`, { mode: 0o600 });
  const data = join(folder, 'data');
  const refused = up({ CUSTODY_BREVO_FILE: file, CUSTODY_DATA_DIR: data });
  await expect(refused).rejects.toMatchObject({
    code: 'brevo_invalid',
    message: expect.stringMatching(
      /chanels is no key of this file: write channels \(line 2, column 1\)\nconsent must be stated/,
    ),
  });
  expect(existsSync(data)).toBe(false);
  writeFileSync(file, `account_sid: ${environment.TWILIO_ACCOUNT_SID}\nconsent: all\n`);
  await expect(up({ CUSTODY_BREVO_FILE: file })).rejects.toThrow(/^CUSTODY_BREVO_API_KEY is missing/);
  await up({ CUSTODY_BREVO_FILE: file, CUSTODY_BREVO_API_KEY: 'xkeysib-0123456789abcdef' });
  rmSync(folder, { recursive: true });
});

test('a host with both roles: alive, its routes closed to strangers, its numbers for operators', async () => {
  const { url, opsUrl } = await up();
  expect(await (await fetch(`${url}/`)).json()).toMatchObject({ name: 'flex-custody' });
  expect(await (await fetch(`${opsUrl}/healthz`)).json()).toEqual({ ok: true });
  const ready = await fetch(`${opsUrl}/readyz`);
  expect(ready.status).toBe(503);
  expect(await ready.json()).toMatchObject({
    checks: { process: 'ok', database: 'ok', store: expect.stringMatching(/^(store_|timeout)/) },
  });
  const metrics = await (await fetch(`${opsUrl}/metrics`)).text();
  expect(metrics).toContain('custody_recordings{state="verified"} 0');
  expect(metrics).toContain('custody_jobs{name="janitor"');

  const sid = `RE${'0c'.repeat(16)}`;
  const asked = await fetch(`${url}/url-provider?recording=${sid}`);
  expect([asked.status, await asked.json()]).toEqual([401, { error: 'token_missing' }]);
  const told = await fetch(`${url}/ingest/recordings`, {
    method: 'POST',
    body: '{}',
    headers: { 'content-type': 'application/json' },
  });
  expect([told.status, await told.json()]).toEqual([401, { error: 'signature_invalid' }]);
  expect((await fetch(`${url}/media/${sid}.wav?token=nonsense`)).status).toBeGreaterThanOrEqual(401);
  expect((await fetch(`${url}/metrics`)).status).toBe(404);
  expect(await (await fetch(`${opsUrl}/metrics`)).text()).toContain(
    'custody_http_seconds_count{route="/url-provider",status="401"} 1',
  );
});

test('after closing nothing listens, and closing twice is closing once', async () => {
  const { url, opsUrl, close } = await up();
  await Promise.all([close(), close()]);
  await expect(fetch(`${url}/`)).rejects.toThrow();
  await expect(fetch(`${opsUrl}/healthz`)).rejects.toThrow();
  expect(lines.join('')).not.toMatch(/"level":"(error|fatal)"/);
});

test('a host whose environment is not the one that its database is bound to does not start', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'start-'));
  try {
    await (await up({ CUSTODY_DATA_DIR: folder })).close();
    running = undefined;
    const refused = up({ CUSTODY_DATA_DIR: folder, CUSTODY_BUCKET: 'another' });
    await expect(refused).rejects.toMatchObject({ code: 'custody_differs' });
  } finally {
    await running?.close();
    running = undefined;
    rmSync(folder, { recursive: true, force: true });
  }
});

describe('a taken port', () => {
  let holder: Server;
  afterEach(() => new Promise((resolve) => holder.close(resolve)));

  test('leaves nothing behind, so that the next try can start', async () => {
    holder = createServer();
    const port = await new Promise<number>((resolve) => {
      holder.listen(0, '127.0.0.1', () => resolve((holder.address() as { port: number }).port));
    });
    await expect(up({ PORT: String(port) })).rejects.toMatchObject({ code: 'EADDRINUSE', port });
    await sleep(10);
    await up();
  });
});

describeWhere('postgresql', 'a process takes what its role names', () => {
  const ofRole = async (role: string) => {
    const database = await ownDatabase();
    databases.push(database);
    const running = await up({ CUSTODY_ROLES: role, DATABASE_URL: database.url });
    const metrics = await (await fetch(`${running.opsUrl}/metrics`)).text();
    await running.close();
    return { url: running.url, metrics };
  };
  const databases: Awaited<ReturnType<typeof ownDatabase>>[] = [];
  afterAll(() => Promise.all(databases.map((database) => database.drop())));

  test('http answers and runs no jobs, worker the reverse', async () => {
    const http = await ofRole('http');
    expect(http.url).toMatch(/^http:/);
    expect(http.metrics).not.toContain('custody_jobs');
    const worker = await ofRole('worker');
    expect(worker.url).toBeUndefined();
    expect(worker.metrics).toContain('custody_jobs{name="janitor"');
  });
});

import { execFile } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

jest.setTimeout(240_000);

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'custody-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The command line, as an operator would call it; nothing of the outside world is asked. */
const run = (words: readonly string[], change: Record<string, string> = {}) =>
  new Promise<{ code: number; out: string; err: string }>((resolve) => {
    const env = {
      PATH: process.env['PATH'],
      NODE_ENV: 'production',
      TWILIO_ACCOUNT_SID: `AC${'0a'.repeat(16)}`,
      TWILIO_AUTH_TOKEN: '0123456789abcdef'.repeat(2),
      TWILIO_WORKSPACE_SID: `WS${'0b'.repeat(16)}`,
      CUSTODY_PUBLIC_URL: 'https://custody.example.com',
      PORT: '0',
      CUSTODY_OPS_PORT: '0',
      AWS_REGION: 'eu-central-1',
      AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:1',
      CUSTODY_BUCKET: 'recordings',
      CUSTODY_KEY_KIND: 'rsa',
      CUSTODY_KEYS: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      CUSTODY_FUNCTION_SECRETS: 'f'.repeat(32),
      CUSTODY_MEDIA_SECRET: Buffer.alloc(32, 1).toString('base64'),
      CUSTODY_DATA_DIR: join(folder, 'db'),
      CUSTODY_SIGNING_KEY_FILE: join(folder, 'signing-key.pem'),
      CUSTODY_LOG_LEVEL: 'fatal',
      ...change,
    };
    execFile(process.execPath, ['server/bin/flex-custody.mjs', ...words], { env }, (error, out, err) =>
      resolve({ code: error ? Number(error.code) : 0, out, err }),
    );
  });

test('an environment of another custody does not start a host, until an operator adopts the database', async () => {
  expect(await run(['alarms'])).toMatchObject({ code: 0 });
  const moved = { CUSTODY_BUCKET: 'elsewhere' };
  const difference = 'bucket: the database is bound to recordings, this environment has elsewhere';
  const { code, err } = await run(['serve'], moved);
  // 78 tells a supervisor that another try would end the same.
  expect(code).toBe(78);
  expect(err).toContain(`${difference}: correct CUSTODY_BUCKET`);
  expect(err).toContain('flex-custody adopt-database');
  expect(await run(['adopt-database', '--yes'], moved)).toMatchObject({
    code: 0,
    out: expect.stringContaining(difference),
  });
  expect(await run(['alarms'], moved)).toMatchObject({ code: 0 });
});

import { generateKeyPairSync } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCatalog } from '../catalog/create-catalog.ts';
import { type Config, loadConfig } from '../config.ts';
// Also lets the embedded database load inside tests.
import '../db/testing/on-each-engine.ts';
import { migrate } from '../db/migrate.ts';
import { migrations } from '../db/migrations/index.ts';
import { openPglite } from '../db/pglite.ts';
import { createLog } from '../log.ts';
import { newSigningKey } from '../signing/key-file.ts';
import { loadSigning, makeSigningKey } from '../signing/load.ts';
import { testSigning } from '../signing/testing/identity.ts';
import { compose } from './compose.ts';

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const accountSid = `AC${'0a'.repeat(16)}`;
const environment = {
  TWILIO_ACCOUNT_SID: accountSid,
  TWILIO_AUTH_TOKEN: '0123456789abcdef'.repeat(2),
  TWILIO_WORKSPACE_SID: `WS${'0b'.repeat(16)}`,
  CUSTODY_PUBLIC_URL: 'https://custody.example.com',
  PORT: '0',
  CUSTODY_OPS_PORT: '0',
  AWS_REGION: 'eu-central-1',
  // Nothing listens there.
  AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:1',
  AWS_ACCESS_KEY_ID: 'key',
  AWS_SECRET_ACCESS_KEY: 'secret',
  CUSTODY_BUCKET: 'recordings',
  CUSTODY_KEY_KIND: 'rsa',
  CUSTODY_KEYS: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  CUSTODY_FUNCTION_SECRETS: 'f'.repeat(32),
  CUSTODY_MEDIA_SECRET: Buffer.alloc(32, 1).toString('base64'),
};

jest.setTimeout(120_000);

let folder: string;
let config: Config;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'start-signing-'));
  config = {
    ...loadConfig({ ...environment, CUSTODY_DATA_DIR: join(folder, 'db') }),
    signing: {
      file: join(folder, 'signing-key.pem'),
      configured: false,
      certificateKeyFile: join(folder, 'certificate-key.pem'),
    },
  };
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A database with one verified recording, whose sidecar this key has signed, or nobody. */
async function withSidecar(signedBy?: string, list = migrations): Promise<void> {
  const db = await openPglite(join(folder, 'db'));
  await migrate(db, list);
  await db.query(
    `INSERT INTO recordings (recording_sid, account_sid, channels, started_at, source, state, object, verified_at, sidecar)
     VALUES ($1, $2, 2, now(), 'callback', 'verified', '{"key":"k","etag":"e"}', now(), $3::jsonb)`,
    [
      `RE${'1'.repeat(32)}`,
      accountSid,
      JSON.stringify({ key: 'k.json', etag: '"s"', ...(signedBy && { signedBy }) }),
    ],
  );
  await db.close();
}

/** Puts a host together, as each start does before it listens, and lets go of it. @returns what it logged */
async function starts(): Promise<string> {
  const lines: string[] = [];
  const host = await compose(config, createLog('info', { write: (line) => void lines.push(line) }));
  await host.release();
  return lines.join('');
}

test('a database and a key for certificates of before work on: that key signs, and what it signed verifies', async () => {
  await withSidecar(undefined, migrations.slice(0, 5));
  const old = newSigningKey();
  writeFileSync(config.signing.certificateKeyFile, old, { mode: 0o600 });
  const certificate = await testSigning(old).sign('erasure+jws', '{}');
  const said = await starts();
  expect([said.includes('signing.made'), existsSync(config.signing.file)]).toEqual([false, false]);
  const signing = loadSigning(config.signing);
  expect(await signing.verify('erasure+jws', certificate)).toEqual({ payload: '{}', keyId: signing.keyId });
  const db = await openPglite(join(folder, 'db'));
  expect(await createCatalog(db, config.accountSid).countUnsigned()).toBe(1);
  await db.close();
});

test('the first start makes the key and says so, and the second takes it', async () => {
  expect(await starts()).toContain('signing.made');
  const { keyId } = loadSigning(config.signing);
  expect(await starts()).not.toContain('signing.made');
  expect(loadSigning(config.signing).keyId).toBe(keyId);
});

test('a host whose key is gone, or another one, does not start on the database that it was bound to', async () => {
  await starts();
  const kept = readFileSync(config.signing.file);
  rmSync(config.signing.file);
  await expect(starts()).rejects.toMatchObject({ code: 'signing_key_missing' });
  expect(existsSync(config.signing.file)).toBe(false);
  makeSigningKey(config.signing.file, 'another');
  await expect(starts()).rejects.toMatchObject({
    code: 'custody_differs',
    message: expect.stringContaining('signing keys'),
  });
  writeFileSync(config.signing.file, `${newSigningKey('newest')}${kept}`, { mode: 0o600 });
  await starts();
});

test('where sidecars were signed no host makes a key of its own', async () => {
  await withSidecar('of-before');
  await expect(starts()).rejects.toMatchObject({ code: 'signing_key_missing' });
});

import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
// Also lets the embedded database load inside tests.
import '../db/testing/on-each-engine.ts';
import { describeWhere } from '../../../test/support/needs.ts';
import { ownDatabase } from '../../../test/support/own-engines.ts';
import { allSettings, type DatabaseConfig, loadPartOfConfig } from '../config.ts';
import { migrate } from '../db/migrate.ts';
import { openDatabase } from '../db/open.ts';
import { loadWithSecrets, openConfig } from './open-config.ts';
import { createSealedSecrets, readSealedSecrets, type SealedSecret } from './sealed-secrets.ts';
import { createSecretKeys } from './secret-keys.ts';

const base = {
  TWILIO_ACCOUNT_SID: `AC${'0a'.repeat(16)}`,
  TWILIO_WORKSPACE_SID: `WS${'0b'.repeat(16)}`,
  CUSTODY_PUBLIC_URL: 'https://custody.example.com',
  AWS_REGION: 'eu-central-1',
  CUSTODY_BUCKET: 'recordings',
  CUSTODY_KEY_KIND: 'raw-aes',
  CUSTODY_KEYS: `key:${Buffer.alloc(32, 7).toString('base64')}`,
};
const secrets = {
  TWILIO_AUTH_TOKEN: '0123456789abcdef'.repeat(2),
  CUSTODY_FUNCTION_SECRETS: 'f'.repeat(32),
  CUSTODY_MEDIA_SECRET: Buffer.alloc(32, 1).toString('base64'),
  CUSTODY_CALLER_SECRET: Buffer.alloc(32, 2).toString('base64'),
};
const keysOf = (environment: Record<string, string>) =>
  createSecretKeys(loadPartOfConfig(['accountSid', 'keyConfig', 'secretsKeys'], environment));

/** Stores these, as a host with this environment would. */
async function store(
  at: DatabaseConfig,
  values: Record<string, string>,
  environment: Record<string, string> = base,
) {
  const db = await openDatabase(at);
  await migrate(db);
  const sealed = createSealedSecrets(db, async () => undefined);
  for (const [name, value] of Object.entries(values))
    await sealed.put(await keysOf(environment).seal(name, value), 'cli');
  await db.close();
}

async function suite(
  open: () => Promise<{ at: DatabaseConfig; env: Record<string, string>; drop(): Promise<void> }>,
) {
  let place: Awaited<ReturnType<typeof open>>;
  let environment: Record<string, string>;
  beforeAll(async () => {
    place = await open();
    environment = { ...base, ...place.env };
    await store(place.at, secrets);
  }, 120_000);
  afterAll(() => place.drop());
  const load = (more: Record<string, string> = {}) =>
    loadWithSecrets(allSettings, { environment: { ...environment, ...more } });

  test('what the environment leaves out comes from the store', async () => {
    expect(await load()).toMatchObject({
      authToken: secrets.TWILIO_AUTH_TOKEN,
      functionSecrets: [secrets.CUSTODY_FUNCTION_SECRETS],
      callerSecret: secrets.CUSTODY_CALLER_SECRET,
      mediaSecret: new Uint8Array(32).fill(1),
    });
  });

  test('the environment wins', async () => {
    const here = 'e'.repeat(32);
    expect((await load({ TWILIO_AUTH_TOKEN: here })).authToken).toBe(here);
  });

  test('the database comes open, to be used', async () => {
    const { db } = await openConfig(['callerSecret'], { environment });
    expect(await readSealedSecrets(db as never)).toHaveLength(4);
    await db?.close();
  });

  test('a stored secret that does not open is a fault with its name and a next step, unless the environment has it', async () => {
    const other = { CUSTODY_KEYS: `other:${Buffer.alloc(32, 8).toString('base64')}` };
    const loading = load(other);
    await expect(loading).rejects.toMatchObject({ code: 'config_invalid' });
    const lines = String(await loading.catch(({ message }) => message)).split('\n');
    expect(lines.map((line) => line.split(' ')[0]).sort()).toEqual(Object.keys(secrets).sort());
    expect(lines[0]).toMatch(/is stored and cannot be read \(.*by the key key.*\): give the host the key/);
    for (const value of Object.values(secrets)) expect(lines.join()).not.toContain(value);
    expect((await load({ ...other, ...secrets })).authToken).toBe(secrets.TWILIO_AUTH_TOKEN);
  });

  test('faults that no secret corrects are named first', async () => {
    await expect(load({ PORT: 'x', AWS_REGION: '' })).rejects.toMatchObject({
      message: expect.stringMatching(
        /^AWS_REGION is missing: .*\nPORT must be [^\n]*$|^PORT .*\nAWS_REGION [^\n]*$/,
      ),
    });
  });
}

describe('settings from the store, embedded', () => {
  void suite(async () => {
    const directory = join(mkdtempSync(join(tmpdir(), 'open-config-')), 'host');
    return {
      at: { directory },
      env: { CUSTODY_DATA_DIR: directory },
      drop: async () => rmSync(directory, { recursive: true, force: true }),
    };
  });
});
describeWhere('postgresql', 'settings from the store, PostgreSQL', () => {
  void suite(async () => {
    const database = await ownDatabase();
    return { at: { url: database.url }, env: { DATABASE_URL: database.url }, drop: () => database.drop() };
  });
});

describe('the database is left alone', () => {
  const directory = join(tmpdir(), `none-${randomBytes(6).toString('hex')}`);
  const environment = { ...base, CUSTODY_DATA_DIR: directory };

  test('before its first start: nothing is made, and all faults are named', async () => {
    await expect(loadWithSecrets(allSettings, { environment })).rejects.toThrow(
      /CUSTODY_MEDIA_SECRET is missing/,
    );
    expect((await openConfig(['callerSecret'], { environment })).db).toBeUndefined();
    expect(existsSync(directory)).toBe(false);
  });

  test('where the environment has every secret, or what opens the store is missing', async () => {
    const url = { DATABASE_URL: 'postgres://127.0.0.1:1/none' };
    const whole = { ...base, ...secrets, ...url };
    expect((await openConfig(allSettings, { environment: whole })).db).toBeUndefined();
    const { CUSTODY_KEYS: _, ...keyless } = { ...base, ...url };
    await expect(loadWithSecrets(allSettings, { environment: keyless })).rejects.toThrow(
      /CUSTODY_KEY_FILE is missing/,
    );
  });

  test('where a setting is of no secret', async () => {
    const environment = { ...base, DATABASE_URL: 'postgres://127.0.0.1:1/none' };
    expect(await openConfig(['store', 'port'], { environment })).not.toHaveProperty('db');
  });
});

describe('a database that cannot be opened', () => {
  const environment = { ...base, DATABASE_URL: 'postgres://127.0.0.1:1/none' };
  const away = { code: 'database_unavailable' };

  test('ends a host', async () => {
    await expect(openConfig(allSettings, { environment })).rejects.toMatchObject(away);
  });

  test('lets a command ask another way', async () => {
    const sealed = await keysOf(base).seal('CUSTODY_CALLER_SECRET', secrets.CUSTODY_CALLER_SECRET);
    const row: SealedSecret = { ...sealed, version: 1, setAt: new Date(), by: 'cli' };
    const asked: unknown[] = [];
    const otherwise = async (error: unknown) => {
      asked.push(error);
      return [row];
    };
    const { callerSecret } = await loadWithSecrets(['callerSecret'], { environment, otherwise });
    expect([callerSecret, asked]).toEqual([secrets.CUSTODY_CALLER_SECRET, [expect.objectContaining(away)]]);
  });

  test('without an answer the environment alone counts, and what is missing may be in the store', async () => {
    const otherwise = async () => undefined;
    expect(await loadWithSecrets(['callerSecret'], { environment, otherwise })).toEqual({});
    await expect(loadWithSecrets(['mediaSecret'], { environment, otherwise })).rejects.toThrow(
      /^CUSTODY_MEDIA_SECRET is missing: .*\nThe stored secrets could not be read \(database_unavailable\)/,
    );
  });
});

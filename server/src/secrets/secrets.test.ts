import { generateKeyPairSync, randomBytes } from 'node:crypto';
import type { AccountSid } from '@flex-custody/core';
import { createKeys, type KeyConfig, sealBytes } from '@flex-custody/vault';
import { migrate } from '../db/migrate.ts';
import { onEachEngine, type TestDatabase } from '../db/testing/on-each-engine.ts';
import { resealSecrets } from './reseal.ts';
import { createSealedSecrets, type RecordChange, readSealedSecrets } from './sealed-secrets.ts';
import { createSecretKeys } from './secret-keys.ts';
import { cacheMs, createSecrets } from './secrets.ts';

const account = (n: number) => `AC${String(n).padStart(32, '0')}` as AccountSid;
const aes = (...ids: string[]): KeyConfig => ({
  kind: 'raw-aes',
  keys: ids.map((keyId) => ({ keyId, key: new Uint8Array(32).fill(keyId.charCodeAt(0)) })),
});
/** In mode sse-kms the host has no keys of recordings. */
const keysOf = (config: KeyConfig | 'sse-kms', { by = account(1), secretsKeys = [] as Uint8Array[] } = {}) =>
  createSecretKeys({ accountSid: by, secretsKeys, ...(config !== 'sse-kms' && { keyConfig: config }) });
const value = `hush-${randomBytes(12).toString('hex')}`;
const signal = new AbortController().signal;

onEachEngine('the store of secrets', (open) => {
  let database: TestDatabase;
  let recorded: object[];
  const record: RecordChange = async (_, change) => void recorded.push(change);
  const sealed = () => createSealedSecrets(database.db, record);
  const store = (config: KeyConfig | 'sse-kms' = aes('a'), more: Parameters<typeof keysOf>[1] = {}) =>
    createSecrets({ sealed: sealed(), keys: keysOf(config, more) });

  beforeAll(async () => {
    database = await open();
    expect(await readSealedSecrets(database.db)).toEqual([]);
    await migrate(database.db);
  }, 120_000);
  afterAll(() => database.drop());
  beforeEach(async () => {
    recorded = [];
    await database.db.query('TRUNCATE secrets');
  });

  /** Every row of every table as text. */
  async function everything(): Promise<string> {
    const tables = await database.db.query<{ name: string }>(
      `SELECT relname AS name FROM pg_class JOIN pg_namespace space ON space.oid = relnamespace
       WHERE nspname = current_schema() AND relkind IN ('r', 'p')`,
    );
    const rows = [];
    for (const { name } of tables)
      rows.push(await database.db.query(`SELECT to_jsonb(one) AS row FROM "${name}" one`));
    return JSON.stringify(rows);
  }

  test('gives back what was set, to any process with the keys', async () => {
    await store().set('crm/token', `${value}\nä`, 'cli');
    expect(await store().get('crm/token')).toBe(`${value}\nä`);
    expect(await store().get('crm')).toBeUndefined();
    const [row] = await store().list();
    expect(row).toEqual({ name: 'crm/token', setAt: expect.any(Date), by: 'cli' });
  });

  test('no column has anything of a value, in any form', async () => {
    await store().set('crm', value, 'ada');
    const all = await everything();
    expect(all).toContain('"crm"');
    for (const form of [
      value,
      Buffer.from(value).toString('base64').slice(0, 20),
      Buffer.from(value).toString('hex'),
    ])
      expect(all).not.toContain(form);
    const [row] = await sealed().all();
    expect(Buffer.from(row?.sealed ?? '', 'base64').includes(value)).toBe(false);
  });

  test('each change is recorded with who and which, and counts as a version', async () => {
    await store().set('crm', 'one', 'cli');
    await store().set('crm', 'two', 'ada');
    expect(await sealed().find('crm')).toMatchObject({ version: 2, by: 'ada', keyId: 'a' });
    expect(await store().remove('crm', 'eve')).toBe(true);
    expect(await store().remove('crm', 'eve')).toBe(false);
    expect(await store().get('crm')).toBeUndefined();
    expect(recorded).toEqual([
      { action: 'secret.set', name: 'crm', by: 'cli' },
      { action: 'secret.set', name: 'crm', by: 'ada' },
      { action: 'secret.removed', name: 'crm', by: 'eve' },
    ]);
  });

  test('without its audit entry nothing is set or removed', async () => {
    await store().set('crm', 'one', 'cli');
    const refusing = createSecrets({
      sealed: createSealedSecrets(database.db, () => Promise.reject(new Error('away'))),
      keys: keysOf(aes('a')),
    });
    await expect(refusing.set('crm', 'two', 'cli')).rejects.toThrow('away');
    await expect(refusing.remove('crm', 'cli')).rejects.toThrow('away');
    expect(await store().get('crm')).toBe('one');
  });

  test.each([
    ['under another name', `UPDATE secrets SET name = 'other'`, 'other', account(1)],
    ['in another account', 'SELECT 1', 'crm', account(2)],
  ])('a row that is copied does not open %s, and no message has the value', async (_where, sql, name, by) => {
    await store().set('crm', value, 'cli');
    await database.db.query(sql);
    const reading = store(aes('a'), { by }).get(name);
    await expect(reading).rejects.toMatchObject({
      code: 'secret_unreadable',
      message: `the secret ${name} cannot be opened: it was stored under another name, or for another account`,
    });
    expect(String(await reading.catch(String))).not.toContain(value);
  });

  test('a damaged or altered message is said of its name', async () => {
    await store().set('crm', value, 'cli');
    const [row] = await sealed().all();
    const bytes = Buffer.from(row?.sealed ?? '', 'base64');
    for (const [change, says] of [
      [bytes.subarray(0, -3), 'it is damaged'],
      [Buffer.from(bytes.map((byte, at) => (at === bytes.length - 20 ? byte ^ 1 : byte))), 'it was altered'],
      [Buffer.from('x'), 'it is damaged'],
    ] as const) {
      await database.db.query('UPDATE secrets SET sealed = $1', [change.toString('base64')]);
      await expect(store().get('crm')).rejects.toThrow(`the secret crm cannot be opened: ${says}`);
    }
  });

  test('a key that the host does not have is named, with the secret', async () => {
    await store().set('crm', value, 'cli');
    await expect(store(aes('b')).get('crm')).rejects.toMatchObject({
      code: 'secret_unreadable',
      message: 'the secret crm is sealed by the key a, which this host does not have',
    });
    // The row's id is a hint alone: another key of that id does not open it.
    const other: KeyConfig = { kind: 'raw-aes', keys: [{ keyId: 'a', key: new Uint8Array(32) }] };
    await expect(store(other).get('crm')).rejects.toMatchObject({ code: 'secret_unreadable' });
  });

  test('of an RSA key the public half seals none that opens, since anyone may have it', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const pemOf = (type: 'pkcs1' | 'pkcs8') => privateKey.export({ type, format: 'pem' }).toString();
    const rsa = (type: 'pkcs1' | 'pkcs8'): KeyConfig => ({
      kind: 'rsa',
      keys: [{ keyId: 'r', privateKeyPem: pemOf(type) }],
    });
    await store(rsa('pkcs8')).set('crm', value, 'cli');
    expect(await store(rsa('pkcs1')).get('crm')).toBe(value);
    const spki = publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
    const context = { account: account(1), secret: 'crm' };
    const forged = await sealBytes(
      createKeys({ kind: 'rsa-public', keyId: 'r', spki }),
      context,
      Buffer.from('forged'),
    );
    await database.db.query('UPDATE secrets SET sealed = $1', [forged.toString('base64')]);
    await expect(store(rsa('pkcs8')).get('crm')).rejects.toMatchObject({ code: 'secret_unreadable' });
  });

  test('after a rotation each is sealed under the newest key, and the old one is needed no longer', async () => {
    for (const name of ['one', 'two']) await store().set(name, `${value}-${name}`, 'ada');
    const parts = { sealed: sealed(), keys: keysOf(aes('b', 'a')) };
    const dry = await resealSecrets(parts, { dryRun: true }, signal);
    expect([dry.resealed, (await sealed().find('one'))?.keyId]).toEqual([['one', 'two'], 'a']);
    expect(await resealSecrets(parts, {}, signal)).toEqual({ resealed: ['one', 'two'], failed: [] });
    expect(await resealSecrets(parts, {}, signal)).toEqual({ resealed: [], failed: [] });
    const newest = store(aes('b'));
    expect([await newest.get('one'), await newest.get('two')]).toEqual([`${value}-one`, `${value}-two`]);
    // The value is the same one: neither who set it nor its version changes.
    expect(await sealed().find('one')).toMatchObject({ by: 'ada', version: 1 });
  });

  test('a rotation from one key leaves the others, and names what it cannot open', async () => {
    await store(aes('a')).set('one', 'x', 'cli');
    await store(aes('c')).set('two', 'x', 'cli');
    const parts = { sealed: sealed(), keys: keysOf(aes('b', 'a')) };
    expect(await resealSecrets(parts, { from: 'a' }, signal)).toEqual({ resealed: ['one'], failed: [] });
    expect(await resealSecrets(parts, {}, signal)).toEqual({
      resealed: [],
      failed: [{ name: 'two', code: 'secret_unreadable' }],
    });
  });

  test('a value that is set while its predecessor is sealed again stays', async () => {
    await store().set('crm', 'before', 'cli');
    const before = await sealed().find('crm');
    await store().set('crm', 'after', 'cli');
    const again = await keysOf(aes('b')).seal('crm', 'before');
    expect(before && (await sealed().reseal(before, again))).toBe(false);
    expect(await store().get('crm')).toBe('after');
  });

  describe('where S3 encrypts', () => {
    const key = (n: number) => new Uint8Array(32).fill(n);

    test('it needs a key of its own, and without one says how to make it', async () => {
      await expect(store('sse-kms').set('crm', value, 'cli')).rejects.toMatchObject({
        code: 'secrets_key_missing',
      });
      expect(await store('sse-kms').list()).toEqual([]);
    });

    test('with one it seals, opens and rotates', async () => {
      await store('sse-kms', { secretsKeys: [key(1)] }).set('crm', value, 'cli');
      const both = { secretsKeys: [key(2), key(1)] };
      expect(await store('sse-kms', both).get('crm')).toBe(value);
      const parts = { sealed: sealed(), keys: keysOf('sse-kms', both) };
      expect((await resealSecrets(parts, {}, signal)).resealed).toEqual(['crm']);
      expect(await store('sse-kms', { secretsKeys: [key(2)] }).get('crm')).toBe(value);
      await expect(store('sse-kms', { secretsKeys: [key(1)] }).get('crm')).rejects.toThrow(
        /sealed by the key secrets-/,
      );
    });

    test('a host that encrypts again itself still opens what that key has sealed, and seals by its own', async () => {
      const secretsKeys = [key(1)];
      await store('sse-kms', { secretsKeys }).set('crm', value, 'cli');
      const host = store(aes('a'), { secretsKeys });
      expect(await host.get('crm')).toBe(value);
      await host.set('crm', value, 'cli');
      expect((await sealed().find('crm'))?.keyId).toBe('a');
    });
  });

  test('another process sees a change once the copy in memory is old', async () => {
    let ms = 0;
    const other = createSecrets({ sealed: sealed(), keys: keysOf(aes('a')), now: () => ms });
    expect(await other.get('crm')).toBeUndefined();
    const mine = store();
    await mine.set('crm', 'one', 'cli');
    ms = cacheMs - 1;
    expect(await other.get('crm')).toBeUndefined();
    ms = cacheMs;
    expect(await other.get('crm')).toBe('one');
    expect(await mine.get('crm')).toBe('one');
    await mine.set('crm', 'two', 'cli');
    expect(await mine.get('crm')).toBe('two');
    ms = 2 * cacheMs;
    expect(await other.get('crm')).toBe('two');
    await mine.remove('crm', 'cli');
    expect(await mine.get('crm')).toBeUndefined();
    expect(cacheMs).toBeLessThanOrEqual(60_000);
  });

  test('a failure is asked again at once', async () => {
    const all = sealed();
    let fails = true;
    const find = (name: string) => (fails ? Promise.reject(new Error('away')) : all.find(name));
    const secrets = createSecrets({ sealed: { ...all, find }, keys: keysOf(aes('a')) });
    await expect(secrets.get('crm')).rejects.toThrow('away');
    fails = false;
    expect(await secrets.get('crm')).toBeUndefined();
  });

  test('two connections: one sets, the other reads, and the last of two that set at once wins whole', async () => {
    const db = (await database.another?.()) ?? database.db;
    const other = createSecrets({ sealed: createSealedSecrets(db, record), keys: keysOf(aes('a')) });
    await store().set('crm', 'one', 'cli');
    expect(await other.get('crm')).toBe('one');
    await Promise.all([store().set('crm', 'two', 'cli'), other.set('crm', 'three', 'ada')]);
    const row = await sealed().find('crm');
    expect(row?.version).toBe(3);
    expect(await store().get('crm')).toBe(row?.by === 'ada' ? 'three' : 'two');
    if (db !== database.db) await db.close();
  });

  test.each([
    ['', 'x', /a name has 1 to 128/],
    ['a b', 'x', /a name has 1 to 128/],
    ['n=hush', 'x', /^(?!.*hush)/],
    ['n'.repeat(129), 'x', /a name has 1 to 128/],
    ['crm', ' \n', /crm has an empty value/],
    ['crm', 'x'.repeat(65 * 1024), /more than 64 KiB/],
    ['TWILIO_AUTH_TOKEN', 'hush', /^TWILIO_AUTH_TOKEN must be 32 (?!.*hush)/],
    ['DATABASE_URL', 'postgres://x', /must stay in the environment/],
  ])('refuses %j', async (name, text, says) => {
    await expect(store().set(name, text, 'cli')).rejects.toMatchObject({
      code: 'secret_invalid',
      message: expect.stringMatching(says),
    });
    expect(await sealed().all()).toEqual([]);
  });

  test('128 characters of every kind are a name', async () => {
    const name = `Az0-_./${'n'.repeat(121)}`;
    await store().set(name, value, 'cli');
    expect(await store().get(name)).toBe(value);
  });
});

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
// Also lets the embedded database load inside tests.
import '../db/testing/on-each-engine.ts';
import { until } from '../../../test/support/until.ts';
import { openPglite } from '../db/pglite.ts';
import { buildProgram, run } from './program.ts';

const token = '0123456789abcdef'.repeat(2);
const { env: environment, stdin } = process;
let folder: string;
let out: string;
let err: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'secrets-'));
  process.env = {
    TWILIO_ACCOUNT_SID: `AC${'0a'.repeat(16)}`,
    AWS_REGION: 'eu-central-1',
    CUSTODY_BUCKET: 'recordings',
    CUSTODY_KEY_KIND: 'raw-aes',
    CUSTODY_KEYS: `key:${Buffer.alloc(32, 7).toString('base64')}`,
    CUSTODY_DATA_DIR: join(folder, 'host'),
    CUSTODY_SIGNING_KEY_FILE: join(folder, 'none.pem'),
    CUSTODY_OPS_PORT: '1',
  };
  out = '';
  err = '';
  const take = (text: unknown) => `${text}\n`;
  jest.spyOn(console, 'log').mockImplementation((text) => {
    out += take(text);
  });
  jest.spyOn(console, 'error').mockImplementation((text) => {
    err += take(text);
  });
});
afterEach(() => {
  jest.restoreAllMocks();
  process.env = environment;
  process.exitCode = undefined;
  Object.defineProperty(process, 'stdin', { value: stdin, configurable: true });
  rmSync(folder, { recursive: true, force: true });
});

function call(args: string[], input: NodeJS.ReadableStream = Readable.from([])): Promise<number> {
  Object.defineProperty(process, 'stdin', { value: input, configurable: true });
  out = '';
  err = '';
  const program = buildProgram({ version: '1', serve: async () => undefined, more: [] });
  for (const command of [program, ...program.commands, ...program.commands.flatMap((each) => each.commands)])
    command.configureOutput({
      writeOut(text) {
        out += text;
      },
      writeErr(text) {
        err += text;
      },
    });
  return run(program, ['node', 'flex-custody', 'secrets', ...args]);
}
const piped = (text: string) => Readable.from([Buffer.from(text)]);

test('a value from standard input is stored, listed by its name, and removed; nothing shows it', async () => {
  expect(await call(['set', 'TWILIO_AUTH_TOKEN', '-'], piped(`${token}\n`))).toBe(0);
  expect(out).toBe('Stored TWILIO_AUTH_TOKEN.\n');
  expect(err).toContain('at their next start');
  expect(await call(['list', '--json'])).toBe(0);
  expect(JSON.parse(out)).toEqual([
    { name: 'TWILIO_AUTH_TOKEN', setAt: expect.any(String), by: 'cli', version: 1, keyId: 'key' },
  ]);
  expect(await call(['list'])).toBe(0);
  expect(out).toMatch(/^NAME +SET +BY +VERSION +KEY\nTWILIO_AUTH_TOKEN +\S+Z +cli +1 +key\n$/);
  for (const text of [out, err]) expect(text).not.toContain(token);
  const db = await openPglite(join(folder, 'host'));
  const rows = await db.query(
    'SELECT to_jsonb(one) FROM secrets one UNION ALL SELECT to_jsonb(two) FROM audit two',
  );
  expect(JSON.stringify(rows)).toContain('secret.set');
  expect(JSON.stringify(rows)).not.toContain(token);
  await db.close();
  expect(await call(['remove', 'TWILIO_AUTH_TOKEN', '--json'])).toBe(0);
  expect(JSON.parse(out)).toEqual({ name: 'TWILIO_AUTH_TOKEN', removed: true });
  expect(await call(['remove', 'TWILIO_AUTH_TOKEN'])).toBe(1);
  expect(err).toContain('secret_unknown: the store has no secret TWILIO_AUTH_TOKEN');
  expect(await call(['list'])).toBe(0);
  expect(out).toBe('No secrets are stored.\n');
}, 60_000);

test('where the environment has the setting too, it says which one wins', async () => {
  process.env['TWILIO_AUTH_TOKEN'] = token;
  expect(await call(['set', 'TWILIO_AUTH_TOKEN', '-', '--json'], piped(token))).toBe(0);
  expect(JSON.parse(out)).toEqual({ name: 'TWILIO_AUTH_TOKEN', set: true });
  expect(err).toContain('which wins');
}, 60_000);

/** A terminal, on which each of the answers is typed. */
function typing(...answers: string[]): NodeJS.ReadableStream {
  const input = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => input });
  let asked = 0;
  jest.spyOn(process.stderr, 'write').mockImplementation((text) => {
    err += text;
    if (/: $/.test(String(text))) setImmediate(() => input.write(`${answers[asked++]}\r`));
    return true;
  });
  return input;
}

test('at a terminal it asks twice, and shows nothing of it', async () => {
  expect(await call(['set', 'crm/token'], typing('hush-hush', 'hush-hush'))).toBe(0);
  await until(() => out.includes('Stored crm/token.'));
  expect(err).toBe('Value of crm/token: \nThe same again: \n');
}, 60_000);

test('what is typed differently is not stored', async () => {
  expect(await call(['set', 'crm'], typing('hush-hush', 'hush'))).toBe(1);
  expect(err).toContain('secret_invalid: crm was typed differently');
  expect(err).not.toContain('hush');
});

test.each([
  [['set', 'crm', 'hush'], 2, 'the value is no argument'],
  [['set', 'crm'], 2, 'no terminal'],
  [['set', 'NAME=hush', '-'], 2, 'a name has 1 to 128'],
  [['remove', 'NAME=hush'], 2, 'a name has 1 to 128'],
  [
    ['set', 'DATABASE_URL', '-'],
    2,
    'DATABASE_URL must stay in the environment: the host opens the store with it',
  ],
  [['set', 'CUSTODY_SIGNING_KEYS', '-'], 2, 'a lost catalog is rebuilt with it'],
  [['set', 'CUSTODY_MEDIA_SECERT', '-'], 2, 'is no setting of the host'],
  [['set', 'CUSTODY_MEDIA_SECRET', '-'], 1, 'must stay in the environment with the embedded database'],
  [['set', 'TWILIO_AUTH_TOKEN', '-'], 1, 'TWILIO_AUTH_TOKEN must be 32 lower-case'],
  [['set', 'crm', '-', 'more'], 2, 'too many arguments'],
])('refused: %j', async (args, code, says) => {
  for (const json of [[], ['--json']]) {
    expect(await call([...args, ...json], piped('hush\n'))).toBe(code);
    expect(err).toContain(says);
    if (json.length > 0) expect(JSON.parse(out)).toHaveProperty('error.code');
    expect(out + err).not.toContain('hush');
  }
});

test('where S3 encrypts, it wants a key, and says how to make one', async () => {
  process.env['CUSTODY_STORAGE_MODE'] = 'sse-kms';
  expect(await call(['set', 'crm', '-'], piped('hush'))).toBe(78);
  expect(err).toMatch(
    /^secrets_key_missing: .*\n→ `openssl rand -base64 32` makes one: set it as CUSTODY_SECRETS_KEY/,
  );
  process.env['CUSTODY_SECRETS_KEY'] = 'short';
  expect(await call(['set', 'crm', '-'], piped('hush'))).toBe(78);
  expect(err).toMatch(/CUSTODY_SECRETS_KEY must be base64 of 32 bytes.*openssl rand -base64 32/);
  process.env['CUSTODY_SECRETS_KEY'] = Buffer.alloc(32, 3).toString('base64');
  expect(await call(['set', 'crm', '-'], piped('hush'))).toBe(0);
}, 60_000);

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { AccountSid } from '@flex-custody/core';
// Also lets the embedded database load inside tests.
import '../db/testing/on-each-engine.ts';
import { openPglite } from '../db/pglite.ts';
import { type Asker, type InstallDeps, install, installedText } from './connector-install.ts';
import { buildProgram, run } from './program.ts';

const accountSid = `AC${'0a'.repeat(16)}` as AccountSid;
const brevoKey = `xkeysib-${'0'.repeat(64)}-AbCdEfGhIjKlMnOp`;
const token = '0123456789abcdef'.repeat(2);
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'install-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Answers in turn, and notes the questions. */
function asking(answers: readonly string[], confirms = false) {
  const asked: string[] = [];
  const left = [...answers];
  const answer = async (question: string) => {
    asked.push(question);
    return left.shift() ?? '';
  };
  const confirm = async (question: string) => {
    asked.push(question);
    return confirms;
  };
  const asker: Asker = { text: answer, hidden: answer, confirm };
  return { asked, asker };
}

function parts(change: Partial<InstallDeps> = {}) {
  const kept = new Map<string, string>();
  const deps: InstallDeps = {
    ...{ accountSid, asker: undefined, environment: { TWILIO_API_KEY: `SK${'1'.repeat(32)}` } },
    input: async () => '',
    stored: async () => [],
    store: async (name, value) => void kept.set(name, value),
    ...change,
  };
  return { deps, kept, file: join(folder, 'brevo.yaml') };
}

test('at a terminal it asks for what is missing alone, and writes the file', async () => {
  const { asked, asker } = asking(['consent_marketing', '', brevoKey]);
  const { deps, kept, file } = parts({ asker });
  const installed = await install(deps, { file });
  expect(asked).toHaveLength(3);
  expect(Object.fromEntries(kept)).toEqual({ CUSTODY_BREVO_API_KEY: brevoKey });
  expect(installed).toMatchObject({ written: true, stored: ['CUSTODY_BREVO_API_KEY'] });
  const text = readFileSync(file, 'utf8');
  expect(text).toContain(`account_sid: ${accountSid}`);
  expect(text).toContain('consent:\n  attribute: consent_marketing');
  expect(text).not.toContain(brevoKey);
  expect(installedText(installed)).toMatch(
    /CUSTODY_BREVO_FILE=.*\n[\s\S]*Next: flex-custody connector test brevo$/,
  );
  expect(installedText(installed)).not.toContain(brevoKey);
});

test('a file that exists is replaced only after a yes, and never without a terminal', async () => {
  const options = { consent: 'all', flexFlowSid: `FO${'2'.repeat(32)}` };
  for (const [confirms, after] of [
    [false, 'mine'],
    [true, 'enabled: true'],
  ] as const) {
    const { asked, asker } = asking([], confirms);
    const { deps, file } = parts({ asker, stored: async () => ['CUSTODY_BREVO_API_KEY'] });
    writeFileSync(file, 'mine');
    expect(await install(deps, { file, ...options })).toMatchObject({ written: confirms, stored: [] });
    expect(asked).toEqual([`${file} exists. Replace it? [y/N] `]);
    expect(readFileSync(file, 'utf8')).toContain(after);
  }
  const { deps, file } = parts({ stored: async () => ['CUSTODY_BREVO_API_KEY'] });
  writeFileSync(file, 'mine');
  expect(await install(deps, { file, ...options })).toMatchObject({ written: false });
  expect(readFileSync(file, 'utf8')).toBe('mine');
});

test('several secrets come from standard input, one line each, in one order', async () => {
  const { deps, kept, file } = parts({ input: async () => `${brevoKey}\nsecret-of-the-key\n${token}\n` });
  const flags = { file, consent: 'all', brevoKey: '-', apiKey: '-', authToken: '-' } as const;
  await install(deps, flags);
  expect(Object.fromEntries(kept)).toEqual({
    ...{ CUSTODY_BREVO_API_KEY: brevoKey, TWILIO_API_SECRET: 'secret-of-the-key', TWILIO_AUTH_TOKEN: token },
  });
  const short = parts({ input: async () => brevoKey });
  await expect(install(short.deps, { ...flags, file: short.file })).rejects.toMatchObject({
    code: 'secret_invalid',
    message: expect.stringContaining('3 lines'),
  });
  expect(short.kept.size).toBe(0);
});

test('without a terminal it names the option that is missing, and stores nothing', async () => {
  const { deps, kept, file } = parts();
  await expect(install(deps, { file })).rejects.toMatchObject({
    exitCode: 2,
    message: expect.stringContaining('--consent'),
  });
  await expect(install(deps, { file, consent: 'all' })).rejects.toMatchObject({
    exitCode: 2,
    message: expect.stringMatching(/CUSTODY_BREVO_API_KEY is missing.*--brevo-key -/),
  });
  expect([kept.size, existsSync(file)]).toEqual([0, false]);
});

describe('through the program', () => {
  const { env: environment, stdin } = process;
  let out = '';
  let err = '';
  beforeEach(() => {
    process.env = {
      ...{ TWILIO_ACCOUNT_SID: accountSid, AWS_REGION: 'eu-central-1', CUSTODY_BUCKET: 'recordings' },
      ...{ CUSTODY_KEY_KIND: 'raw-aes', CUSTODY_KEYS: `key:${Buffer.alloc(32, 7).toString('base64')}` },
      CUSTODY_DATA_DIR: join(folder, 'host'),
      CUSTODY_SIGNING_KEY_FILE: join(folder, 'none.pem'),
      ...{ CUSTODY_OPS_PORT: '1', TWILIO_AUTH_TOKEN: token },
    };
    jest.spyOn(console, 'log').mockImplementation((text) => {
      out += `${text}\n`;
    });
    jest.spyOn(console, 'error').mockImplementation((text) => {
      err += `${text}\n`;
    });
  });
  afterEach(() => {
    jest.restoreAllMocks();
    process.env = environment;
    process.exitCode = undefined;
    Object.defineProperty(process, 'stdin', { value: stdin, configurable: true });
  });

  function call(args: readonly string[], input = ''): Promise<number> {
    [out, err] = ['', ''];
    const piped = Readable.from([Buffer.from(input)]);
    Object.defineProperty(process, 'stdin', { value: piped, configurable: true });
    const program = buildProgram({ version: '1', serve: async () => undefined, more: [] });
    const all = [program, ...program.commands.flatMap((one) => [one, ...one.commands])];
    for (const command of all)
      command.configureOutput({
        writeOut(text) {
          out += text;
        },
        writeErr(text) {
          err += text;
        },
      });
    return run(program, ['node', 'flex-custody', 'connector', 'install', 'brevo', ...args]);
  }

  test.each([
    ['--brevo-key', brevoKey],
    ['--auth-token', token],
    ['--api-key', 'secret-of-the-key'],
  ])('a literal secret of %s is refused, and not repeated', async (option, secret) => {
    expect(await call([option, secret, '--json'])).toBe(2);
    expect(err).toContain(`leave ${option} without a value to be asked, give - to read it`);
    expect(err + out).not.toContain(secret);
  });

  test('another account than the host follows is refused', async () => {
    expect(await call(['--account-sid', `AC${'9'.repeat(32)}`])).toBe(2);
    expect(err).toContain('not the TWILIO_ACCOUNT_SID of this host');
  });

  test('the key is in the store, sealed, and nowhere in what is printed', async () => {
    const file = join(folder, 'brevo.yaml');
    expect(await call(['--brevo-key', '-', '--consent', 'all', '--file', file], `${brevoKey}\n`)).toBe(0);
    expect(out).toMatch(/^WHAT +RESULT\nCUSTODY_BREVO_API_KEY +stored, encrypted\n/);
    expect(out).toContain('Prefer an API key of Twilio');
    expect(out).toContain(`  CUSTODY_BREVO_FILE=${file}\n`);
    expect(out + err).not.toContain(brevoKey);
    const db = await openPglite(join(folder, 'host'));
    const rows = await db.query('SELECT * FROM secrets');
    await db.close();
    expect(rows).toMatchObject([{ name: 'CUSTODY_BREVO_API_KEY' }]);
    expect(JSON.stringify(rows)).not.toContain(brevoKey);
  }, 60_000);
});

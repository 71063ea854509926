import { createPublicKey } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CustodyError } from '@flex-custody/core';
import { parseKeyFile } from '@flex-custody/vault';
import { type Command, CommanderError } from 'commander';
import { registerEnvelopeCommands } from './envelope.ts';
import { buildProgram, run } from './program.ts';

let out: string;
let err: string;
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cli-'));
  out = '';
  err = '';
  const take = (chunk: unknown) => String(chunk);
  jest.spyOn(console, 'log').mockImplementation((text) => {
    out += `${take(text)}\n`;
  });
  jest.spyOn(console, 'error').mockImplementation((text) => {
    err += `${take(text)}\n`;
  });
});
afterEach(() => {
  jest.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

function call(args: string[], serve: () => Promise<void> = async () => undefined): Promise<number> {
  const program = buildProgram({ version: '1.2.3', serve, more: [] });
  const quiet = {
    writeOut(text: string) {
      out += text;
    },
    writeErr(text: string) {
      err += text;
    },
  };
  for (const command of [
    program,
    ...program.commands,
    ...program.commands.flatMap((each) => each.commands),
  ]) {
    command.configureOutput(quiet);
  }
  return run(program, ['node', 'flex-custody', ...args]);
}

test('help and version are no failure', async () => {
  expect(await call(['--help'])).toBe(0);
  expect(out).toContain('doctor');
  expect(out).toMatch(/Exit codes[\s\S]* 78 {2}/);
  expect(await call(['--version'])).toBe(0);
  expect(out).toContain('1.2.3');
});

test.each([
  [['nonsense']],
  [['recordings', 'list', '--state', 'lost']],
  [['recordings', 'list', '--limit', '0']],
  [['recordings', 'show', 'RE12']],
  [['alarms', 'clear', 'all']],
  [['alarms', 'clear', '0']],
  [['erase']],
  [['erase', '--dry-run']],
  [['erase', '--yes', '--reference', 'ticket 17']],
  [['recordings', 'retry']],
  [['recordings', 'retry', '--reason', 'media_short']],
  [['recordings', 'retry', `RE${'1'.repeat(32)}`, '--all']],
  [['reconcile', '--since', '2026-11-29', '--until', '2026-11-01']],
  [['reconcile', '--since', '2026-11-29', '--until', '2026-11-29']],
  [['certificates', 'show', 'x']],
  [['keys', 'generate', '--out', 'x']],
  [['keys', 'generate', '--kind', 'dsa', '--key-id', 'a', '--out', 'x']],
])('wrongly called: %j', async (args) => {
  expect(await call(args)).toBe(2);
  expect(err).toMatch(/^error: .{20,}\n/);
  // Once.
  expect(err.match(/^error:/gm)).toHaveLength(1);
});

test.each([
  [['recordings', 'retry'], 'name a recording, or give --all'],
  [['erase'], '--recording, --task, or --caller'],
  [['reconcile', '--since', '2026-11-29', '--until', '2026-11-01'], '--until must be later than --since'],
])('what is missing is named: %j', async (args, says) => {
  await call(args);
  expect(err).toContain(says);
});

test('whatever an action refuses of its arguments is said', async () => {
  const program = buildProgram({
    version: '1',
    serve: async () => {
      throw new CommanderError(1, 'any', 'a reason of its own');
    },
    more: [],
  });
  expect(await run(program, ['node', 'flex-custody', 'serve'])).toBe(2);
  expect(err).toBe('error: a reason of its own\n');
});

const failing = (error: unknown) => async () => {
  throw error;
};

test('what fails says its code and the next step of the error table', async () => {
  expect(await call(['serve'], failing(new CustodyError('recording_unknown', 'no such')))).toBe(1);
  expect(err).toMatch(/^recording_unknown: no such\n→ `flex-custody recordings list`/);
});

test('what only the environment can correct ends with 78', async () => {
  expect(
    await call(['serve'], failing(new CustodyError('config_invalid', 'A is missing\nB is missing'))),
  ).toBe(78);
  expect(err).toMatch(/^config_invalid:\nA is missing\nB is missing\n→ .*docs\/configuration\.md/);
});

test('what nobody foresaw says how to learn more, and --verbose prints where it was', async () => {
  expect(await call(['serve'], failing(new TypeError('x is undefined')))).toBe(1);
  expect(err).toMatch(/^unexpected: TypeError: x is undefined\n→ Run it again with --verbose/);
  expect(err).not.toContain('program.test.ts');
  expect(await call(['serve', '--verbose'], failing(new TypeError('x is undefined')))).toBe(1);
  expect(err).toContain('program.test.ts');
});

describe('with --json an error is the one value of standard output', () => {
  const environment = process.env;
  afterEach(() => {
    process.env = environment;
  });

  test('of the environment', async () => {
    process.env = {};
    expect(await call(['keys', 'status', '--json'])).toBe(78);
    const { error } = JSON.parse(out);
    expect(error).toMatchObject({
      code: 'config_invalid',
      next: expect.stringContaining('configuration.md'),
    });
    // What lists keys signs no links, and asks Twilio nothing.
    expect(error.message.match(/^\w+/gm)).toEqual([
      'TWILIO_ACCOUNT_SID',
      'AWS_REGION',
      'CUSTODY_BUCKET',
      'CUSTODY_KEY_KIND',
    ]);
  });

  test('of the arguments', async () => {
    expect(await call(['recordings', 'show', 'RE12', '--json'])).toBe(2);
    expect(JSON.parse(out)).toEqual({
      error: { code: 'usage', message: expect.stringContaining('RE and 32'), next: expect.any(String) },
    });
  });
});

test('every command but those that write a file or run until a signal takes --json', () => {
  const envelope = (program: Command) => registerEnvelopeCommands(program, () => ({}) as never);
  const all = buildProgram({ version: '1', serve: async () => undefined, more: [envelope] });
  const without = (command: Command, path: readonly string[]): string[] => {
    const isGroup = command.commands.length > 0 && !['alarms', 'completeness'].includes(command.name());
    const has = isGroup || command.options.some(({ long }) => long === '--json');
    return [
      ...(has ? [] : [path.join(' ')]),
      ...command.commands.flatMap((below) => without(below, [...path, below.name()])),
    ];
  };
  const none = all.commands.flatMap((command) => without(command, [command.name()]));
  expect(none).toEqual(['serve', 'encrypt', 'decrypt']);
});

test('an address of an archive that cannot be one is a wrong argument', async () => {
  expect(await call(['import', '--from', 's3://x/y'])).toBe(2);
  expect(err).toContain('at least 3 characters');
});

test('a new RSA key: private half in a file of its owner, public half for the Functions', async () => {
  const file = join(folder, 'key.pem');
  expect(await call(['keys', 'generate', '--key-id', '2026-01', '--out', file])).toBe(0);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(parseKeyFile(readFileSync(file, 'utf8'))).toMatchObject({
    kind: 'rsa',
    keys: [{ keyId: '2026-01' }],
  });
  const spki = /^CUSTODY_PUBLIC_KEY=(.*)$/m.exec(out)?.[1] ?? '';
  expect(spki).toHaveLength(392);
  const key = createPublicKey({ key: Buffer.from(spki, 'base64'), format: 'der', type: 'spki' });
  expect(key.asymmetricKeyDetails?.modulusLength).toBe(2048);
  expect(out).toContain('CUSTODY_KEY_ID=2026-01');
  expect(out).not.toContain('PRIVATE');
});

test('an existing key file is never overwritten', async () => {
  const file = join(folder, 'key');
  expect(await call(['keys', 'generate', '--kind', 'raw-aes', '--key-id', 'a', '--out', file])).toBe(0);
  const before = readFileSync(file, 'utf8');
  expect(parseKeyFile(before)).toMatchObject({ kind: 'raw-aes', keys: [{ keyId: 'a' }] });
  expect(await call(['keys', 'generate', '--key-id', 'b', '--out', file])).toBe(1);
  expect(readFileSync(file, 'utf8')).toBe(before);
  expect(err).toContain('choose another name');
});

test('a key id that no message could carry is refused before anything is written', async () => {
  expect(await call(['keys', 'generate', '--key-id', 'a b', '--out', join(folder, 'key')])).toBe(1);
  expect(err).toContain('key_invalid');
});

import { createPublicKey } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CustodyError } from '@flex-custody/core';
import { parseKeyFile } from '@flex-custody/vault';
import { CommanderError } from 'commander';
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

test('what fails says its code and the next step', async () => {
  const serve = async () => {
    throw new CustodyError('data_dir_locked', 'in use by process 12: stop that one');
  };
  expect(await call(['serve'], serve)).toBe(1);
  expect(err).toContain('data_dir_locked: in use by process 12: stop that one');
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

import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import { buildSync } from 'esbuild';

const room = mkdtempSync(join(tmpdir(), 'envelope-'));
const at = (name: string) => join(room, name);
const plain = randomBytes(300_000);
const key = (id: string) => `${id}:${randomBytes(32).toString('base64')}`;
const bound = ['--recording', `RE${'b'.repeat(32)}`, '--account', `AC${'a'.repeat(32)}`];

beforeAll(() => {
  // The real command line in a process of its own: pipes, signals and exit codes cannot be had otherwise.
  writeFileSync(
    at('entry.ts'),
    `import { Command } from 'commander';
     import { registerEnvelopeCommands } from './server/src/cli/envelope.ts';
     import { run } from './server/src/cli/program.ts';
     import { parseKeyFile } from '@flex-custody/vault';
     const program = new Command('flex-custody').exitOverride();
     registerEnvelopeCommands(program, () => parseKeyFile(process.env.KEYS ?? ''));
     run(program, process.argv).then((code) => { process.exitCode = code; });`,
  );
  buildSync({
    stdin: { contents: readFileSync(at('entry.ts'), 'utf8'), resolveDir: process.cwd(), loader: 'ts' },
    outfile: at('cli.cjs'),
    bundle: true,
    platform: 'node',
    format: 'cjs',
    // As build.mjs: jsonc-parser's other form asks for its parts when it runs.
    mainFields: ['module', 'main'],
    logLevel: 'error',
    external: ['@aws-crypto/kms-keyring-node', 'pg-native', '@electric-sql/pglite'],
  });
  writeFileSync(at('plain'), plain);
  writeFileSync(at('keys'), `${key('k1')}\n`, { mode: 0o600 });
}, 60_000);
afterAll(() => rmSync(room, { recursive: true }));

interface Ended {
  code: number | null;
  out: Buffer;
  err: string;
}

async function cli(
  args: string[],
  options: { input?: Buffer; env?: Record<string, string> } = {},
): Promise<Ended> {
  const child = spawn(process.execPath, [at('cli.cjs'), ...args], {
    env: { PATH: process.env['PATH'] ?? '', NODE_PATH: join(process.cwd(), 'node_modules'), ...options.env },
  });
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input);
  const code = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [out, err] = await Promise.all([buffer(child.stdout), text(child.stderr)]);
  return { code: await code, out, err };
}
const leftovers = () => readdirSync(room).filter((name) => name.endsWith('.part'));

test('a file goes in and out again, bound to its recording', async () => {
  const files = ['--key-file', at('keys'), '--in'];
  expect(await cli(['encrypt', ...files, at('plain'), '--out', at('sealed'), ...bound])).toMatchObject({
    code: 0,
    err: expect.stringMatching(/^Wrote \S+ \(\d+ bytes\): \S+, encrypted\.\n$/),
  });
  expect(readFileSync(at('sealed')).includes(plain.subarray(0, 32))).toBe(false);
  const opened = await cli(['decrypt', ...files, at('sealed'), '--out', '-', ...bound]);
  expect([opened.code, opened.out.equals(plain), opened.err]).toEqual([0, true, '']);
  // Whose it is need not be known to open it.
  expect((await cli(['decrypt', ...files, at('sealed'), '--out', at('opened')])).code).toBe(0);
  expect(readFileSync(at('opened')).equals(plain)).toBe(true);
  const other = ['--recording', `RE${'c'.repeat(32)}`, '--account', `AC${'a'.repeat(32)}`];
  const refused = await cli(['decrypt', ...files, at('sealed'), '--out', at('other'), ...other]);
  expect(refused).toMatchObject({ code: 1, err: expect.stringContaining('envelope_wrong_recording') });
  expect([existsSync(at('other')), leftovers()]).toEqual([false, []]);
});

test('pipes both ways, with the keys of the environment', async () => {
  const env = { KEYS: readFileSync(at('keys'), 'utf8') };
  const sealed = await cli(['encrypt', '--in', '-', '--out', '-'], { input: plain, env });
  const opened = await cli(['decrypt', '--in', '-', '--out', '-'], { input: sealed.out, env });
  expect([sealed.code, opened.code, opened.out.equals(plain)]).toEqual([0, 0, true]);
  const cut = await cli(['decrypt', '--in', '-', '--out', at('cut')], {
    input: sealed.out.subarray(0, -5),
    env,
  });
  expect(cut).toMatchObject({ code: 1, err: expect.stringContaining('envelope_truncated') });
  expect([existsSync(at('cut')), leftovers()]).toEqual([false, []]);
});

test('never overwrites unasked', async () => {
  writeFileSync(at('there'), 'precious');
  const args = ['encrypt', '--key-file', at('keys'), '--in', at('plain'), '--out', at('there')];
  expect(await cli(args)).toMatchObject({ code: 1, err: expect.stringContaining('--force') });
  expect(readFileSync(at('there'), 'utf8')).toBe('precious');
  expect((await cli([...args, '--force'])).code).toBe(0);
  expect(readFileSync(at('there'), 'utf8')).not.toBe('precious');
});

test.each([
  [
    'a key that does not fit',
    ['decrypt', '--in', 'sealed', '--key-file', 'otherkeys'],
    1,
    /envelope_wrong_key/,
  ],
  [
    'a key file that is not there',
    ['decrypt', '--in', 'sealed', '--key-file', 'nokeys'],
    1,
    /cannot be read/,
  ],
  ['an input that is not there', ['decrypt', '--in', 'nothing', '--key-file', 'keys'], 1, /does not exist/],
  ['an input that is a folder', ['decrypt', '--in', '.', '--key-file', 'keys'], 1, /is a folder/],
  ['no input', ['decrypt', '--key-file', 'keys'], 2, /--in/],
  [
    'half a context',
    ['decrypt', '--in', 'sealed', '--key-file', 'keys', '--recording', 'RE1'],
    2,
    /go together/,
  ],
])('%s is told, with its exit code', async (_what, args, code, says) => {
  writeFileSync(at('otherkeys'), key('k1'), { mode: 0o600 });
  const placed = args.map((arg, i) => (['--in', '--key-file'].includes(args[i - 1] ?? '') ? at(arg) : arg));
  const ended = await cli([...placed, '--out', at('never')]);
  expect([ended.code, ended.err]).toEqual([code, expect.stringMatching(says)]);
  expect([existsSync(at('never')), leftovers()]).toEqual([false, []]);
});

test('an output folder that is not there is told', async () => {
  const ended = await cli([
    'encrypt',
    '--key-file',
    at('keys'),
    '--in',
    at('plain'),
    '--out',
    at('no/where'),
  ]);
  expect(ended).toMatchObject({ code: 1, err: expect.stringContaining('the folder of') });
});

test('a reader that has seen enough is no failure, and Ctrl-C leaves nothing', async () => {
  writeFileSync(at('big'), Buffer.alloc(30_000_000));
  const child = spawn(process.execPath, [
    at('cli.cjs'),
    'encrypt',
    '--key-file',
    at('keys'),
    '--in',
    at('big'),
    '--out',
    '-',
  ]);
  child.stdout.once('data', () => child.stdout.destroy());
  const complaint = text(child.stderr);
  const piped = new Promise((resolve) => child.once('close', resolve));
  expect([await piped, await complaint]).toEqual([0, '']);
  const waiting = spawn(process.execPath, [
    at('cli.cjs'),
    'encrypt',
    '--key-file',
    at('keys'),
    '--in',
    '-',
    '--out',
    at('waiting'),
  ]);
  const ended = new Promise((resolve) => waiting.once('close', resolve));
  const said = text(waiting.stderr);
  waiting.stdin.write(Buffer.alloc(200_000));
  while (leftovers().length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  waiting.kill('SIGINT');
  expect([await ended, await said]).toEqual([1, expect.stringContaining('interrupted')]);
  expect([existsSync(at('waiting')), leftovers()]).toEqual([false, []]);
});

import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type RealHost, startRealHost } from './real-host.ts';

jest.setTimeout(240_000);

const names = ['TWILIO_AUTH_TOKEN', 'CUSTODY_FUNCTION_SECRETS'] as const;
let host: RealHost;
let values: string[];
/** All that any command has printed. */
let printed = '';
beforeAll(async () => {
  host = await startRealHost({ CUSTODY_ALARM_WEBHOOK: '' });
  values = names.map((name) => host.env[name] ?? '');
});
afterAll(() => host.stop());

const piped = (value: string, ...words: string[]) =>
  new Promise<number>((resolve) => {
    const options = { env: host.env };
    const child = execFile(
      process.execPath,
      ['server/bin/flex-custody.mjs', ...words],
      options,
      (error, out, err) => {
        printed += out + err;
        resolve(error ? Number(error.code) : 0);
      },
    );
    child.stdin?.end(`${value}\n`);
  });
const run = async (...words: string[]) => {
  const ended = await host.run(...words);
  printed += ended.out + ended.err;
  return ended;
};
const fromStore = async () => (await run('doctor', '--only', 'secrets', '--json')).out;

test('a host takes its secrets from the store that a command has filled while it runs, and works with them', async () => {
  for (const [at, name] of names.entries())
    expect(await piped(values[at] ?? '', 'secrets', 'set', name, '-')).toBe(0);
  expect(await fromStore()).toContain(`in both: ${names.join(', ')}`);

  await host.restart(Object.fromEntries(names.map((name) => [name, ''])), async () => {
    const folder = join(host.dataDir, 'host');
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true }))
      if (entry.isFile()) {
        const bytes = readFileSync(join(entry.parentPath, entry.name));
        for (const value of values) expect([entry.name, bytes.includes(value)]).toEqual([entry.name, false]);
      }
  });

  const { recordings } = await host.place({});
  const [sid = ''] = recordings;
  // The request is signed by the Functions' secret; the copy needs the auth token.
  expect((await host.announce(sid)).status).toBe(200);
  // The command has neither: it opens what the host, which has the database, sends it.
  expect((await run('reconcile', '--since', '2020-01-01', '--no-bucket')).code).toBe(0);
  await host.reaches(sid, 'verified');

  const found = JSON.parse(await fromStore()) as { checks: { name: string; ok: boolean; detail: string }[] };
  const check = found.checks.find(({ name }) => name === 'secrets');
  expect(check?.ok).toBe(true);
  expect(check?.detail).toContain(`from the store: ${names.join(', ')}`);
  for (const value of values) expect(printed).not.toContain(value);
});

test('without the secret the host does not start, and says which', async () => {
  expect((await run('secrets', 'remove', 'TWILIO_AUTH_TOKEN')).code).toBe(0);
  await host.restart({}, async () => {
    const { code, err } = await run('serve');
    expect([code, err]).toEqual([78, expect.stringContaining('TWILIO_AUTH_TOKEN is missing: ')]);
    host.env['TWILIO_AUTH_TOKEN'] = values[0] ?? '';
  });
});

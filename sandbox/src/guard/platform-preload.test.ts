import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

const preload = resolve('sandbox/src/guard/platform-preload.cjs');
/** Time passes when the script says so: `pass()` runs what waits for the platform's ten seconds. */
const byHand = `
  const wait = setTimeout;
  const waiting = [];
  globalThis.setTimeout = (f, ms) => (ms === 10_000 ? void waiting.push(f) : wait(f, ms));
  globalThis.pass = () => waiting.forEach((f) => f());
`;

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'preload-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

/** Runs a script as twilio-run is run; `lines` are what it, and what it forks, print. */
function run(script: string) {
  writeFileSync(join(folder, 'clock.cjs'), byHand);
  writeFileSync(join(folder, 'main.cjs'), script);
  const child = spawn(
    process.execPath,
    ['--require', join(folder, 'clock.cjs'), '--require', preload, join(folder, 'main.cjs')],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  started.push(child);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => String((await lines.next()).value);
  return { child, next };
}

const started: ReturnType<typeof spawn>[] = [];
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
});

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

test.each(['0', "'0'"])('what listens on port %s without an address listens on loopback', async (port) => {
  const { child, next } = run(`
    const server = require('node:http').createServer();
    server.listen(${port}, () => console.log(server.address().address));
  `);
  expect(await next()).toBe('127.0.0.1');
  child.kill();
});

test('an address that was asked for stays', async () => {
  const { child, next } = run(`
    const server = require('node:http').createServer();
    server.listen({ port: 0, host: '::1' }, () => console.log(server.address().address));
    server.on('error', () => console.log('::1'));
  `);
  expect(await next()).toBe('::1');
  child.kill();
});

/** The pid, once it runs; how it ended. */
const forking = (body: string, then = '') => `
  require('node:fs').writeFileSync(${JSON.stringify(join('FOLDER', 'functionRunner.js'))}, ${JSON.stringify(body)});
  const child = require('node:child_process').fork(${JSON.stringify(join('FOLDER', 'functionRunner.js'))});
  child.on('message', (pid) => {
    console.log(pid);
    ${then}
  });
  child.on('exit', (code, signal) => console.log(signal ?? code));
  setInterval(() => undefined, 1000);
`;
const inFolder = (script: string) => script.replaceAll('FOLDER', folder);

test('a Function is ended when its time is over, even one that never lets go of its thread', async () => {
  // Should the platform's clock fail, this one ends by itself, later.
  const busy =
    'process.send(process.pid); const end = Date.now() + 5_000; while (Date.now() < end); process.exit();';
  const { child, next } = run(inFolder(forking(busy, 'pass();')));
  const pid = Number(await next());
  expect(await next()).toBe('SIGKILL');
  expect(isAlive(pid)).toBe(false);
  child.kill();
});

test('one that ends in time is left alone', async () => {
  const { child, next } = run(inFolder(forking('process.send(process.pid); process.exit(7)')));
  await next();
  expect(await next()).toBe('7');
  child.kill();
});

test('nothing outlives whoever started it: neither the server nor its Functions', async () => {
  const { child, next } = run(inFolder(forking('process.send(process.pid); setInterval(() => 0, 1000)')));
  const pid = Number(await next());
  const ended = new Promise((done) => child.once('exit', done));
  child.stdin.end();
  await ended;
  for (let waited = 0; isAlive(pid) && waited < 20_000; waited += 20)
    await new Promise((done) => setTimeout(done, 20));
  const left = isAlive(pid);
  if (left) process.kill(pid, 'SIGKILL');
  expect(left).toBe(false);
});

/**
 * The real engines behind the tests and the bench: each is a script of this folder that starts one on loopback, prints
 * how it is reached, and stops it again. It uses nothing but Node.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

/** What radosgw.sh makes: a user of a store that nobody else can reach, and that goes with the run. */
export const radosgwUser = { accessKeyId: 'testkey', secretAccessKey: 'testsecret12345' };

const isRoot = () => process.getuid?.() === 0;
const nobody = 65534;

/** The script by standard input: who runs it may not be allowed into the checkout. Both engines refuse root. */
function command(args) {
  const asNobody = ['setpriv', '--reuid=nobody', '--regid=nogroup', '--clear-groups', 'env', 'HOME=/tmp'];
  const [program, ...rest] = [...(isRoot() ? asNobody : []), 'bash', '-s', '--', ...args];
  return { program, rest };
}

/** Both commands work from the root of the checkout; a bundle of this file lies elsewhere. */
const scriptOf = (name) => readFileSync(join('test/engines', `${name}.sh`));

export function isInstalled(name) {
  return spawnSync('bash', ['-s', '--', 'installed'], { input: scriptOf(name) }).status === 0;
}

/** Engines whose state lies under `folder`. */
export function createEngines(folder) {
  mkdirSync(folder, { recursive: true });
  if (isRoot()) {
    chownSync(folder, nobody, nobody);
    chmodSync(folder, 0o755);
  }
  const begun = [];
  const starting = new Set();
  return {
    /** Resolves with how it is reached. Rejects with its own last words; nothing of it is left running then. */
    async start(name) {
      const dir = join(folder, name);
      const port = await freePorts();
      begun.push(name);
      const { program, rest } = command(['start', dir, String(port)]);
      // A group of its own: Ctrl-C is for us, who end the engine in order.
      const child = spawn(program, rest, { detached: true });
      starting.add(child);
      const said = { stdout: '', stderr: '' };
      for (const stream of ['stdout', 'stderr']) child[stream].on('data', (data) => (said[stream] += data));
      child.stdin.on('error', () => undefined);
      child.stdin.end(scriptOf(name));
      // Not `close`: what the script leaves running may hold its output open.
      const status = await new Promise((resolve) => {
        child.once('exit', resolve);
        child.once('error', (error) => {
          said.stderr += error.message;
          resolve(1);
        });
      });
      // What it said last may still be on its way: the end of a process and the end of its words are two things.
      for (let waited = 0; status === 0 && said.stdout === '' && waited < 5_000; waited += 10)
        await new Promise((resolve) => setTimeout(resolve, 10));
      await new Promise(setImmediate);
      starting.delete(child);
      if (status === 0) return said.stdout.trim();
      throw new Error(said.stderr.trim().split('\n').slice(-3).join('\n') || `${name}.sh has failed`);
    },
    /** Ends it as a lost machine would, and starts it again at the same place. */
    crash(name) {
      const { program, rest } = command(['crash', join(folder, name)]);
      execFileSync(program, rest, { input: scriptOf(name), stdio: ['pipe', 'ignore', 'pipe'] });
    },
    /** Ends all that was begun, the unfinished too. */
    stop() {
      for (const { pid } of starting) {
        try {
          process.kill(-pid, 'SIGKILL');
        } catch {
          // It has ended by itself.
        }
      }
      for (const name of begun.splice(0).reverse()) {
        const { program, rest } = command(['stop', join(folder, name)]);
        try {
          execFileSync(program, rest, { input: scriptOf(name), stdio: ['pipe', 'ignore', 'ignore'] });
        } catch {
          // It never came up.
        }
      }
    },
  };
}

/** The first of three free ports in a row: radosgw.sh gives the next two to its monitor. */
async function freePorts() {
  for (;;) {
    // Below what the system hands to outgoing connections, of which tests have many: nobody takes them meanwhile.
    const first = 20_000 + Math.floor(Math.random() * 4_000) * 3;
    const free = await Promise.all([first, first + 1, first + 2].map(isFree));
    if (free.every(Boolean)) return first;
  }
}

function isFree(port) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export interface ChildOptions {
  /** For messages, and for the name of its log file. */
  name: string;
  /** Node's arguments, the script among them. */
  args: readonly string[];
  env: Readonly<Record<string, string>>;
  cwd: string;
  logFolder: string;
  onLine?: (line: string) => void;
}

export interface Child {
  readonly pid: number;
  /** Resolves when it has ended, for any reason. */
  readonly ended: Promise<void>;
  /** Polls until `isReady` says so. @throws Error with the child's last words where it ends or takes too long */
  ready(isReady: () => Promise<boolean>, withinMs?: number): Promise<void>;
  /** Asks it to end; after `graceMs` it is ended. */
  stop(graceMs: number): Promise<void>;
}

const lastWords = 15;
/** They load in seconds; a machine that has everything yet to read from its disk takes much longer. */
const readyMs = 90_000;

/**
 * Starts a Node process that cannot outlive this one: {@link file://../guard/end-with-parent.cjs}. It gets a process
 * group of its own, so that Ctrl-C reaches it through its parent, in the order in which things must close.
 */
export function startChild({ name, args, env, cwd, logFolder, onLine }: ChildOptions): Child {
  const child = spawn(process.execPath, args, { cwd, env, stdio: ['pipe', 'pipe', 'pipe'], detached: true });
  child.stdin.on('error', () => undefined);
  const tail: string[] = [];
  const log = createWriteStream(join(logFolder, `${name}.log`), { flags: 'a', mode: 0o600 });
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      tail.push(line);
      if (tail.length > lastWords) tail.shift();
      log.write(`${line}\n`);
      onLine?.(line);
    });
  }
  let over = false;
  const ended = new Promise<void>((resolve) => {
    const finish = () => {
      over = true;
      log.end();
      resolve();
    };
    child.once('close', finish);
    child.once('error', (error) => {
      tail.push(error.message);
      finish();
    });
  });

  return {
    pid: child.pid ?? 0,
    ended,
    async ready(isReady, withinMs = readyMs) {
      const until = performance.now() + withinMs;
      while (!over && performance.now() < until) {
        if (await isReady().catch(() => false)) return;
        await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 40))]);
      }
      const what = over ? 'ended before it was ready' : `was not ready within ${withinMs / 1000} s`;
      throw new Error([`${name} ${what}. Its last words:`, ...tail].join('\n  '));
    },
    stop: (graceMs) => stop(child, ended, graceMs),
  };
}

async function stop(child: ChildProcess, ended: Promise<void>, graceMs: number): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  child.kill('SIGTERM');
  const clock = setTimeout(() => child.kill('SIGKILL'), graceMs);
  await ended;
  clearTimeout(clock);
}

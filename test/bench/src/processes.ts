import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

export type Environment = Readonly<Record<string, string>>;

/** Starts a Node process and resolves with the first line of JSON it prints. It is ended by `stop`. */
export async function startSubject<T>(
  script: string,
  env: Environment,
): Promise<{ said: T; pid: number; stop: () => Promise<void> }> {
  const child = spawn(process.execPath, [script], {
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const words: string[] = [];
  child.stderr.on('data', (chunk: Buffer) => words.push(chunk.toString()));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const said = await Promise.race([
    firstJson<T>(child),
    ended.then((code) => {
      throw new Error(`${script} ended with ${code} and no word: ${words.join('').slice(-2000)}`);
    }),
  ]);
  return {
    said,
    pid: child.pid ?? 0,
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

function firstJson<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve) => {
    if (!child.stdout) return;
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line.startsWith('{')) resolve(JSON.parse(line) as T);
    });
  });
}

/** What `/usr/bin/time` would say, from Linux's own books: peak resident memory of a living process, in MB. */
export function peakRssMb(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? Number.NaN) / 1024;
}

/** CPU that a living process has used so far, user and system, in seconds; Linux counts in hundredths. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Makes `folder` this process's own: two stacks over one folder would delete each other's data.
 * @param url the start page of this stack, which `npm start` names to a second one
 * @returns gives it back
 * @throws Error that says who holds it
 */
export function lockFolder(folder: string, url: string): () => void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, 'stack.lock');
  const own = `${process.pid} ${startOf(process.pid)} ${url}\n`;
  for (let attempt = 0; ; attempt++) {
    try {
      writeFileSync(path, own, { flag: 'wx' });
      return () => {
        if (read(path) === own) rmSync(path, { force: true });
      };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || attempt > 0) throw error;
      const holder = read(path);
      const pid = Number.parseInt(holder, 10);
      if (pid > 0 && isAlive(pid) && holder.startsWith(`${pid} ${startOf(pid)} `)) {
        const at = holder.trim().split(' ')[2];
        throw new Error(`Already running at ${at} (process ${pid}). Its logs are in ${folder}.`);
      }
      // The process that left it has ended, even where another process has its number by now.
      rmSync(path, { force: true });
    }
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** When a process started, in the kernel's ticks; empty where there is no /proc to tell. */
function startOf(pid: number): string {
  const stat = read(`/proc/${pid}/stat`);
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}

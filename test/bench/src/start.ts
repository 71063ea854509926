import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import type { Figure } from './figures.ts';

/** Resident memory of a process and all its children, in MB: what the whole local stack takes at once. */
function treeRssMb(root: number): number {
  const parents = new Map<number, number[]>();
  const rss = new Map<number, number>();
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    try {
      const status = readFileSync(`/proc/${name}/status`, 'utf8');
      const parent = Number(/PPid:\s+(\d+)/.exec(status)?.[1]);
      rss.set(Number(name), Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024);
      parents.set(parent, [...(parents.get(parent) ?? []), Number(name)]);
    } catch {
      // It ended between the listing and the reading.
    }
  }
  const sum = (pid: number): number =>
    (rss.get(pid) ?? 0) + (parents.get(pid) ?? []).reduce((total, child) => total + sum(child), 0);
  return sum(root);
}

/** `npm start -- --exit` once installed: its time, and the most memory that all its processes held at once. */
export async function benchStart(): Promise<Figure[]> {
  const began = performance.now();
  const child = spawn(process.execPath, ['start.mjs', '--exit'], { stdio: ['ignore', 'ignore', 'inherit'] });
  let peak = 0;
  const timer = setInterval(() => {
    peak = Math.max(peak, treeRssMb(child.pid ?? 0));
  }, 100);
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  clearInterval(timer);
  const seconds = (performance.now() - began) / 1000;
  const figure = (name: string, unit: string, ours: number, floor: string, pass: boolean): Figure => ({
    name,
    unit,
    ours,
    peers: {},
    ratios: {},
    floor,
    pass,
  });
  return [
    figure('npm start -- --exit, once installed', 's', seconds, '< 60 s', code === 0 && seconds < 60),
    figure('npm start -- --exit, all processes', 'MB peak RSS', peak, '', code === 0),
  ];
}

import { randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { CustodyError } from '@flex-custody/core';
import { systemCode } from '../config/system-code.ts';

interface Holder {
  pid: number;
  host: string;
  /** Start time of that process in clock ticks, if the system shows it: pids are used again. */
  started?: string;
  nonce: string;
}

/** In the folder that is locked. */
export const lockFile = 'lock';

const beatMs = 5_000;
/** Whether a holder on another machine runs cannot be checked; without a beat for this time it does not. */
const silentMs = 60_000;

export interface DirectoryLock {
  release(): void;
}

/**
 * Locks the directory for this process. The embedded database itself does not lock it, and a second process in the same
 * directory destroys it.
 * @throws CustodyError `data_dir_locked`
 */
export function lockDirectory(directory: string): DirectoryLock {
  const file = join(directory, lockFile);
  const started = startOf(process.pid);
  const mine: Holder = {
    pid: process.pid,
    host: hostname(),
    ...(started && { started }),
    nonce: randomBytes(8).toString('hex'),
  };
  const text = JSON.stringify(mine);
  if (!create(file, text)) takeOver(file, text, directory);
  const beat = setInterval(() => touch(file), beatMs);
  beat.unref();
  return {
    release() {
      clearInterval(beat);
      if (read(file)?.nonce === mine.nonce) rmSync(file, { force: true });
    },
  };
}

function create(file: string, text: string): boolean {
  try {
    writeFileSync(file, text, { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Two processes may find the same stale lock: a folder, which only one can make, lets one at a time replace it. */
function takeOver(file: string, text: string, directory: string): void {
  const gate = `${file}.recovery`;
  if (existsSync(gate) && ageOf(gate) > silentMs) rmdirSync(gate);
  try {
    mkdirSync(gate);
  } catch (error) {
    if (systemCode(error) === 'EEXIST') throw locked(directory, undefined, true);
    throw error;
  }
  try {
    const holder = read(file);
    if (isAlive(file, holder)) throw locked(directory, holder, isSure(holder));
    rmSync(file, { force: true });
    if (!create(file, text)) throw locked(directory, read(file), true);
  } finally {
    rmdirSync(gate);
  }
}

function isAlive(file: string, holder: Holder | undefined): boolean {
  // Unreadable: another process writes it now, or a crash cut it short. Its age shows which.
  if (!holder) return ageOf(file) < silentMs;
  if (holder.host !== hostname()) return ageOf(file) < silentMs;
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    if (systemCode(error) === 'ESRCH') return false;
  }
  const started = startOf(holder.pid);
  return holder.started === undefined || started === undefined || holder.started === started;
}

/**
 * Whether the process with the holder's number is the holder. If the system does not show when a process started (only Linux
 * does), the number may belong to another process by now. The age of the lock does not decide either: a suspended holder can
 * continue, and two processes in one folder destroy the database. So a person must check.
 */
function isSure(holder: Holder | undefined): boolean {
  return (
    !holder ||
    holder.host !== hostname() ||
    (holder.started !== undefined && startOf(holder.pid) !== undefined)
  );
}

function locked(directory: string, holder: Holder | undefined, sure: boolean): CustodyError {
  const elsewhere =
    'set CUSTODY_DATA_DIR to another folder, or DATABASE_URL to a PostgreSQL that many may share';
  if (!holder || sure) {
    const who = holder ? `process ${holder.pid} on ${holder.host}` : 'another process';
    return new CustodyError(
      'data_dir_locked',
      `${directory} is in use by ${who}: stop that one, or ${elsewhere}`,
    );
  }
  const { pid } = holder;
  const look = process.platform === 'win32' ? `tasklist /FI "PID eq ${pid}"` : `ps -p ${pid}`;
  const file = join(directory, lockFile);
  return new CustodyError(
    'data_dir_locked',
    `${directory} is in use by process ${pid}, unless another program has that number now. Check with ${look}: if it is flex-custody, stop it; if no flex-custody runs, delete ${file}; or ${elsewhere}`,
  );
}

function read(file: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Holder;
  } catch {
    return undefined;
  }
}

function touch(file: string): void {
  try {
    utimesSync(file, new Date(), new Date());
  } catch {
    // The folder was removed; the database reports that itself.
  }
}

/** Milliseconds since the last beat; infinite when there is no such file. */
function ageOf(path: string): number {
  try {
    return Date.now() - statSync(path).mtimeMs;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/** Field 22 of /proc/PID/stat (proc(5)), counted after the name, which may contain spaces and brackets. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}

import { closeSync, fstatSync, openSync, readFileSync, type Stats, statSync } from 'node:fs';
import { CustodyError } from '@flex-custody/core';

/** What only this host may do with a file: read a secret, or write what decides its behaviour. */
export type Guarded = 'read' | 'write';

export interface RightsFault {
  /** Continues a sentence that begins with the file. */
  is: string;
  /** A command. */
  next: string;
}

/**
 * Says which other users may read or write a file; undefined if none may. The rule is PostgreSQL's for its own key: a file belongs to
 * this user, or to root, who may let this user's group read it. On Windows nothing is checked, since file modes say nothing there.
 * Source: https://www.postgresql.org/docs/current/ssl-tcp.html
 */
export function rightsFault(file: string, stats: Stats, guarded: Guarded): RightsFault | undefined {
  const me = process.getuid?.();
  if (me === undefined) return undefined;
  const { uid } = stats;
  const isStrange = me !== 0 && uid !== me && uid !== 0;
  const forbidden = guarded === 'write' ? 0o022 : uid === 0 && me !== 0 ? 0o037 : 0o077;
  const open = stats.mode & forbidden;
  if (isStrange) {
    return { is: 'belongs to another user', next: `chown ${me} ${file} && chmod ${modeOf(guarded)} ${file}` };
  }
  if (open === 0) return undefined;
  const ways = [(open & 0o055) !== 0 && 'read', (open & 0o022) !== 0 && 'written'].filter(Boolean);
  const mode = (stats.mode & 0o777).toString(8).padStart(4, '0');
  return {
    is: `may be ${ways.join(' and ')} by others (mode ${mode})`,
    next: `chmod ${modeOf(guarded)} ${file}`,
  };
}

const modeOf = (guarded: Guarded) => (guarded === 'read' ? '600' : 'go-w');

/** The same by a file's name. Undefined also if the file does not exist. */
export function rightsFaultOf(file: string, guarded: Guarded): RightsFault | undefined {
  const stats = statSync(file, { throwIfNoEntry: false });
  return stats && rightsFault(file, stats, guarded);
}

/**
 * The text of a file that no other user may read (a key), or write (a policy).
 * @throws CustodyError `file_open_to_others` with the next step, or the system's own error
 */
export function readPrivateFile(file: string, guarded: Guarded): string {
  const opened = openSync(file, 'r');
  try {
    const fault = rightsFault(file, fstatSync(opened), guarded);
    if (fault) throw new CustodyError('file_open_to_others', `${file}, which ${fault.is}: ${fault.next}`);
    return readFileSync(opened, 'utf8');
  } finally {
    closeSync(opened);
  }
}

export function isOpenToOthers(error: unknown): error is CustodyError {
  return error instanceof CustodyError && error.code === 'file_open_to_others';
}

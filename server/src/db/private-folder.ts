import { chmodSync, lstatSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { CustodyError } from '@flex-custody/core';
import { systemCode } from '../config/system-code.ts';

const shared = 0o1000;

/**
 * Makes the data folder with mode 0700, or sets the mode of an existing one, and 0600 of the database's files in it. A user who
 * could write there could change the catalog, the audit log and the owners of calls.
 * @param inside names of the database's files in it: nothing else is changed
 * @throws CustodyError `data_dir_open` with the next step, if the mode cannot be set
 */
export function privateFolder(folder: string, inside: readonly string[]): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const me = process.getuid?.();
  if (me === undefined) return;
  const { uid, mode } = statSync(folder);
  if (uid !== me)
    throw open(
      `${folder} belongs to another user`,
      `chown -R ${me} ${folder}, or set CUSTODY_DATA_DIR to another folder`,
    );
  if ((mode & shared) !== 0)
    throw open(`${folder} is a folder that all users share`, 'set CUSTODY_DATA_DIR to a folder of its own');
  try {
    if ((mode & 0o777) !== 0o700) chmodSync(folder, 0o700);
    for (const name of inside) close(join(folder, name));
  } catch (cause) {
    throw open(
      `the rights of ${folder} cannot be limited to this user (${systemCode(cause)})`,
      `chown -R ${me} ${folder} && chmod -R go-rwx ${folder}, or set CUSTODY_DATA_DIR to another folder`,
    );
  }
}

function close(path: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (!found || found.isSymbolicLink()) return;
  if ((found.mode & 0o077) !== 0) chmodSync(path, found.isDirectory() ? 0o700 : 0o600);
  if (found.isDirectory()) for (const name of readdirSync(path)) close(join(path, name));
}

const open = (what: string, next: string) => new CustodyError('data_dir_open', `${what}: ${next}`);

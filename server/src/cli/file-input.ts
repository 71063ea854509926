import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { CustodyError } from '@flex-custody/core';
import { systemCode } from '../config/system-code.ts';

const why: Readonly<Record<string, string>> = {
  ENOENT: 'is not there',
  EACCES: 'may not be read by you',
  EISDIR: 'is a folder',
};

/** A small file as text; `-` is standard input. @throws CustodyError `file_unreadable` */
export async function readText(path: string): Promise<string> {
  try {
    return path === '-' ? await text(process.stdin) : await readFile(path, 'utf8');
  } catch (error) {
    const code = systemCode(error);
    // Without its cause: what is wrong with a file is said here, and not as of the host's folders.
    throw new CustodyError('file_unreadable', `${path} ${why[code] ?? `cannot be read (${code})`}`);
  }
}

import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { CustodyError } from '@flex-custody/core';
import { systemCode } from '../config/system-code.ts';

/** Far more than any policy, certificate or list of callers. */
const mostBytes = 4 * 1024 * 1024;

const why: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  EACCES: 'is not readable by you',
  EISDIR: 'is a folder',
};

/**
 * A small file as text; `-` is standard input, which no process list and no shell history shows.
 * @throws CustodyError `file_unreadable`, also where it is longer than 4 MiB
 */
export async function readText(path: string, input: Readable = process.stdin): Promise<string> {
  if (path === '-') return textOf(input, 'standard input', mostBytes);
  try {
    const file = await open(path);
    return await textOf(file.createReadStream({ highWaterMark: 64 * 1024 }), path, mostBytes);
  } catch (error) {
    if (error instanceof CustodyError) throw error;
    const code = systemCode(error);
    // Without its cause, which would be explained as a fault of the host's own folders.
    throw new CustodyError('file_unreadable', `${path} ${why[code] ?? `cannot be read (${code})`}`);
  }
}

async function textOf(from: Readable, name: string, most: number): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of from) {
    const bytes = Buffer.from(chunk as Uint8Array);
    length += bytes.length;
    if (length > most) {
      from.destroy();
      throw new CustodyError(
        'file_unreadable',
        `${name} is longer than ${most / 1024 / 1024} MiB: give less at once`,
      );
    }
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString('utf8');
}

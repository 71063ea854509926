import { createWriteStream, existsSync } from 'node:fs';
import { rename, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Writable } from 'node:stream';
import { CustodyError } from '@flex-custody/core';

/** Where a command writes to: the file gets its name once it is written completely. */
export interface Output {
  stream: Writable;
  /** False for standard output, which the command must not close. */
  end: boolean;
  keep(): Promise<void>;
  discard(): Promise<void>;
}

/** `-` is standard output. Throws output_exists unless `force`. */
export function openOutput(path: string, force: boolean): Output {
  if (path === '-') {
    return {
      stream: process.stdout,
      end: false,
      keep: async () => undefined,
      discard: async () => undefined,
    };
  }
  refuseExisting(path, force);
  const part = join(dirname(path), `.${basename(path)}.${process.pid}.part`);
  const stream = createWriteStream(part, { flags: 'wx', mode: 0o600, highWaterMark: 1024 * 1024 });
  return {
    stream,
    end: true,
    async keep() {
      refuseExisting(path, force);
      await rename(part, path);
    },
    async discard() {
      stream.destroy();
      await unlink(part).catch(() => undefined);
    },
  };
}

function refuseExisting(path: string, force: boolean): void {
  if (force || !existsSync(path)) return;
  throw new CustodyError('output_exists', `${path} exists`);
}

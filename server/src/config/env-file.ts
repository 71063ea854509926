import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { CustodyError } from '@flex-custody/core';
import { type RightsFault, readPrivateFile, rightsFaultOf } from './private-file.ts';

interface Looked {
  file: string;
  isThere: boolean;
  /** Others may write it: it was not read. */
  refused?: RightsFault;
}

let looked: Looked | undefined;

/**
 * Reads `.env` of the current folder into the environment, where there is one, and nobody else may write it. What the environment has
 * already stays.
 */
export function loadEnvFile(file = resolve('.env')): void {
  const isThere = existsSync(file);
  const refused = isThere ? rightsFaultOf(file, 'write') : undefined;
  looked = { file, isThere, ...(refused && { refused }) };
  if (!isThere || refused) return;
  for (const [name, value] of Object.entries(parseEnv(readPrivateFile(file, 'write'))))
    process.env[name] ??= value;
}

/**
 * For whatever works by the environment: who may write the file says where secrets are sent.
 * @throws CustodyError `env_file_open` where others may write it
 */
export function checkEnvFile(): void {
  if (looked?.refused)
    throw new CustodyError('env_file_open', `${looked.file} ${looked.refused.is}: ${looked.refused.next}`);
}

/** The file that was read. */
export function readEnvFile(): string | undefined {
  return looked?.isThere && !looked.refused ? looked.file : undefined;
}

/** Which file was looked for, for messages about what is missing. Undefined where none was, or where it is refused. */
export function envFileNote(): string | undefined {
  if (!looked || looked.refused) return undefined;
  return looked.isThere
    ? `${looked.file} was read too.`
    : `There is no ${looked.file}: the environment alone was read. A .env is read from the folder that the command is run in.`;
}

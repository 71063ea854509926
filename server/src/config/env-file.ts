import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { CustodyError } from '@flex-custody/core';
import { type RightsFault, readPrivateFile, rightsFaultOf } from './private-file.ts';

interface Looked {
  file: string;
  isThere: boolean;
  /** Other users may write it, so it was not read. */
  refused?: RightsFault;
}

let looked: Looked | undefined;

/**
 * Reads `.env` of the current folder into the environment, if the file exists and no other user may write it. Variables that are
 * set already stay.
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
 * For every command that uses the environment: a user who can write the file decides where secrets are sent.
 * @throws CustodyError `env_file_open` if other users may write it
 */
export function checkEnvFile(): void {
  if (looked?.refused)
    throw new CustodyError('env_file_open', `${looked.file} ${looked.refused.is}: ${looked.refused.next}`);
}

/** The file that was read. */
export function readEnvFile(): string | undefined {
  return looked?.isThere && !looked.refused ? looked.file : undefined;
}

/** Which file was read or missing, for messages about missing variables. Undefined if none was looked for, or it was refused. */
export function envFileNote(): string | undefined {
  if (!looked || looked.refused) return undefined;
  return looked.isThere
    ? `${looked.file} was read too.`
    : `There is no ${looked.file}: only the environment was read. The command reads .env from the folder in which it is run.`;
}

import { CustodyError } from '@flex-custody/core';
import { type KeyConfig, parseKeyFile, readTwilioKeys, type TwilioKeys } from '@flex-custody/vault';
import { isOpenToOthers, readPrivateFile } from './private-file.ts';
import { systemCode } from './system-code.ts';
import type { Variables } from './variables.ts';

/** Keys that cannot be used. The message continues a sentence that begins with the variable. */
export class KeysFault extends Error {
  constructor(
    readonly variable: string,
    cause: unknown,
  ) {
    const why = cause instanceof CustodyError ? cause.message : 'unreadable';
    super(isOpenToOthers(cause) ? `names ${cause.message}` : `gives no usable keys: ${why}`);
  }
}

/** @throws KeysFault */
export function readKeys(env: Variables): KeyConfig | undefined {
  const { CUSTODY_KEY_KIND: kind, CUSTODY_KMS_KEY_IDS: keyIds, CUSTODY_KEY_FILE: file, CUSTODY_KEYS } = env;
  if (env.CUSTODY_STORAGE_MODE === 'sse-kms') return undefined;
  if (kind === 'kms') return keyIds && { kind, keyIds };
  // Exactly one of the two is set: `parse.ts` reports other combinations.
  if (kind === undefined || (file === undefined) === (CUSTODY_KEYS === undefined)) return undefined;
  return faultsOf(file === undefined ? 'CUSTODY_KEYS' : 'CUSTODY_KEY_FILE', () => {
    const keys = parseKeyFile(file === undefined ? (CUSTODY_KEYS ?? '') : textOf(file));
    if (keys.kind === kind) return keys;
    const why =
      keys.kind === 'rsa-public'
        ? 'a public key can only encrypt, and the host must decrypt: give the private key'
        : `they are of kind ${keys.kind}, but CUSTODY_KEY_KIND is ${kind}`;
    throw new CustodyError('key_invalid', why);
  });
}

/** @throws KeysFault */
export const readTwilioKeysOf = ({ CUSTODY_TWILIO_KEY_FILE: file }: Variables): TwilioKeys | undefined =>
  file === undefined ? undefined : faultsOf('CUSTODY_TWILIO_KEY_FILE', () => readTwilioKeys(textOf(file)));

function faultsOf<T>(variable: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new KeysFault(variable, error);
  }
}

function textOf(file: string): string {
  try {
    return readPrivateFile(file, 'read');
  } catch (cause) {
    if (isOpenToOthers(cause)) throw cause;
    const why = `the file cannot be read (${systemCode(cause) || 'unknown error'})`;
    throw new CustodyError('key_invalid', why, { cause });
  }
}

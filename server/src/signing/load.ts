import { linkSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { CustodyError } from '@flex-custody/core';
import { isOpenToOthers, readPrivateFile } from '../config/private-file.ts';
import { systemCode } from '../config/system-code.ts';
import type { SigningConfig } from '../config.ts';
import { createSigning, type SigningIdentity } from './identity.ts';
import { newSigningKey, readSigningKeys, type SigningKey, signingKeyError } from './key-file.ts';

/**
 * The identity that the configuration names: its own keys, followed by the key that signed certificates in earlier releases,
 * which signs if there is no other and no other is configured.
 * @throws CustodyError `signing_key_missing` if there is none, `signing_key` for other faults
 */
export function loadSigning(config: SigningConfig): SigningIdentity {
  const own = ownKeys(config);
  const older = keysOf(config.certificateKeyFile);
  if (!own && (!older || config.configured)) throw missing(config.file);
  const all = [...(own ?? []), ...(older ?? [])];
  return createSigning(
    all.filter(({ thumbprint }, at) => all.findIndex((key) => key.thumbprint === thumbprint) === at),
  );
}

/**
 * The same for a host that starts: makes the key if there is none and this is the custody's first start.
 * @param isFirst whether no text of this custody was ever signed
 * @returns `made`: the file, if it was written now
 * @throws CustodyError as {@link loadSigning}
 */
export async function openSigning(
  config: SigningConfig,
  isFirst: () => Promise<boolean>,
): Promise<{ signing: SigningIdentity; made?: string }> {
  try {
    return { signing: loadSigning(config) };
  } catch (error) {
    const isMissing = error instanceof CustodyError && error.code === 'signing_key_missing';
    if (!isMissing || config.keys !== undefined || !(await isFirst())) throw error;
  }
  const made = makeSigningKey(config.file);
  return { signing: loadSigning(config), ...(made && { made: config.file }) };
}

/** Makes the key if there is none. @returns false if there is one. @throws CustodyError `signing_key` */
export function makeSigningKey(file: string, keyId?: string): boolean {
  const whole = `${file}.${process.pid}.new`;
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(whole, newSigningKey(keyId), { flag: 'wx', mode: 0o600 });
    // Another process that starts now finds the complete file or none.
    linkSync(whole, file);
    return true;
  } catch (cause) {
    if (cause instanceof CustodyError) throw cause;
    if (systemCode(cause) === 'EEXIST') return false;
    throw signingKeyError(`${file} cannot be written (${systemCode(cause)})`, cause);
  } finally {
    rmSync(whole, { force: true });
  }
}

function ownKeys({ keys, file }: SigningConfig): SigningKey[] | undefined {
  return keys === undefined ? keysOf(file) : readSigningKeys(keys, 'CUSTODY_SIGNING_KEYS');
}

function keysOf(file: string): SigningKey[] | undefined {
  let text: string;
  try {
    text = readPrivateFile(file, 'read');
  } catch (cause) {
    if (isOpenToOthers(cause)) throw signingKeyError(`the signing key is in ${cause.message}`);
    const code = systemCode(cause);
    if (code === 'ENOENT') return undefined;
    throw signingKeyError(`the signing key cannot be read from ${file} (${code || 'unknown error'})`, cause);
  }
  return readSigningKeys(text, file);
}

const missing = (file: string) =>
  new CustodyError('signing_key_missing', `the signing key ${file} is missing`);

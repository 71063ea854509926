import { createPublicKey } from 'node:crypto';
import { type AccountSid, CustodyError, type StorageMode } from '@flex-custody/core';
import type { KeyConfig } from '@flex-custody/vault';
import type { Config } from '../config.ts';
import { loadSigning } from '../signing/load.ts';
import { callerFingerprint } from './caller-secret.ts';
import { fingerprint } from './fingerprint.ts';

/** The facts that a database, a bucket and an environment of one custody share. Secrets are only fingerprints. */
export interface CustodyFacts {
  accountSid: AccountSid;
  bucket: string;
  storageMode: StorageMode;
  /** Thumbprints of the signing identity's keys; absent if this process has none to compare. */
  signingKeys?: readonly string[];
  /** Absent if no caller secret is set. */
  callerSecret?: string;
  /** `<key id>:<fingerprint>`, or a KMS key's ARN; empty if S3 encrypts. */
  recordingKeys: readonly string[];
}

export type CustodyConfig = Pick<Config, 'accountSid' | 'store'> &
  Partial<Pick<Config, 'keyConfig' | 'callerSecret' | 'signing'>>;

/** @param signingKeys thumbprints of the signing identity's keys */
export function custodyFacts(
  config: CustodyConfig,
  signingKeys: readonly string[] | undefined = signingKeysOf(config),
): CustodyFacts {
  const { accountSid, callerSecret, keyConfig, store } = config;
  return {
    accountSid,
    bucket: store.bucket,
    storageMode: store.mode,
    ...(signingKeys && { signingKeys }),
    ...(callerSecret !== undefined && { callerSecret: callerFingerprint(callerSecret) }),
    recordingKeys: keyConfig ? recordingKeys(keyConfig) : [],
  };
}

/** Most commands need no signature; a command that needs one says that the keys are missing. */
function signingKeysOf({ signing }: CustodyConfig): readonly string[] | undefined {
  try {
    return signing && loadSigning(signing).thumbprints;
  } catch (error) {
    if (error instanceof CustodyError) return undefined;
    throw error;
  }
}

/** A key is the same only under the same id, since sealed recordings name their key by it. */
function recordingKeys(keys: KeyConfig): string[] {
  switch (keys.kind) {
    case 'kms':
      return [...keys.keyIds];
    case 'raw-aes':
      return keys.keys.map(({ keyId, key }) => `${keyId}:${fingerprint('recording key', key)}`);
    case 'rsa':
      return keys.keys.map(({ keyId, privateKeyPem }) => {
        const spki = createPublicKey(privateKeyPem).export({ type: 'spki', format: 'der' });
        return `${keyId}:${fingerprint('recording key', spki)}`;
      });
    case 'rsa-public':
      return [`${keys.keyId}:${fingerprint('recording key', Buffer.from(keys.spki, 'base64'))}`];
  }
}

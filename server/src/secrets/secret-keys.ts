import { createHash, createPrivateKey, hkdfSync } from 'node:crypto';
import { CustodyError } from '@flex-custody/core';
import { createKeys, type KeyConfig, type Keys, openBytes, sealBytes } from '@flex-custody/vault';
import type { Config } from '../config.ts';
import type { Sealed, SealedSecret } from './sealed-secrets.ts';

/** The keys under which secrets are sealed: those of the recordings, or CUSTODY_SECRETS_KEY where S3 encrypts. */
export interface SecretKeys {
  /** Id of the key that seals; undefined if there is none. */
  readonly keyId: string | undefined;
  readonly keyIds: readonly string[];
  /** Binds the value to the account and to the name. @throws CustodyError `secrets_key_missing`, `key_*` */
  seal(name: string, value: string): Promise<Sealed>;
  /** @throws CustodyError `secret_unreadable` with the name and the reason; `key_unavailable` if KMS does not answer */
  open(secret: Pick<SealedSecret, 'name' | 'sealed' | 'keyId'>): Promise<string>;
}

export function createSecretKeys({
  accountSid,
  keyConfig,
  secretsKeys,
}: Pick<Config, 'accountSid' | 'secretsKeys'> & Partial<Pick<Config, 'keyConfig'>>): SecretKeys {
  const all: Keys[] = [
    ...(keyConfig ? [createKeys(ofTheHostAlone(keyConfig))] : []),
    ...(secretsKeys.length > 0 ? [createKeys({ kind: 'raw-aes', keys: secretsKeys.map(named) })] : []),
  ];
  const [seals] = all;
  const keyIds = all.flatMap((keys) => keys.keyIds);
  const contextOf = (name: string) => ({ account: accountSid, secret: name });
  return {
    keyId: seals?.keyId,
    keyIds,
    async seal(name, value) {
      if (!seals)
        throw new CustodyError(
          'secrets_key_missing',
          'S3 encrypts the recordings of this host, so nothing encrypts a secret before it is stored',
        );
      const message = await sealBytes(seals, contextOf(name), Buffer.from(value, 'utf8'));
      return { name, sealed: message.toString('base64'), keyId: seals.keyId };
    },
    async open({ name, sealed, keyId }) {
      const keys = all.find((one) => one.keyIds.includes(keyId));
      if (!keys)
        throw new CustodyError(
          'secret_unreadable',
          `the secret ${name} is sealed by the key ${keyId}, which this host does not have`,
        );
      try {
        return (await openBytes(keys, contextOf(name), Buffer.from(sealed, 'base64'))).toString('utf8');
      } catch (cause) {
        if (cause instanceof CustodyError && cause.retryable) throw cause;
        const why = cause instanceof CustodyError ? (reasons[cause.code] ?? cause.message) : 'it is damaged';
        throw new CustodyError('secret_unreadable', `the secret ${name} cannot be opened: ${why}`, { cause });
      }
    },
  };
}

const reasons: Readonly<Record<string, string>> = {
  envelope_wrong_recording: 'it was stored under another name, or for another account',
  envelope_tampered: 'it was altered',
  envelope_malformed: 'it is damaged',
  envelope_truncated: 'it is damaged',
};

/**
 * Anyone may have the public half of an RSA key, and could seal a secret of their own with it. So secrets are under an AES key
 * that is derived from the private half, and has its id.
 */
function ofTheHostAlone(config: KeyConfig): KeyConfig {
  if (config.kind !== 'rsa') return config;
  const keys = config.keys.map(({ keyId, privateKeyPem }) => ({ keyId, key: derived(privateKeyPem) }));
  return { kind: 'raw-aes', keys };
}

/** From the key itself: the same in whichever form a PEM has it. */
function derived(privateKeyPem: string): Uint8Array {
  const key = createPrivateKey(privateKeyPem).export({ type: 'pkcs8', format: 'der' });
  return new Uint8Array(hkdfSync('sha256', key, '', 'flex-custody stored secrets', 32));
}

const idDigits = 16;

/** A key that is set without an id has one made of it. */
const named = (key: Uint8Array) => ({
  keyId: `secrets-${createHash('sha256').update('flex-custody secrets key\0').update(key).digest('hex').slice(0, idDigits)}`,
  key,
});

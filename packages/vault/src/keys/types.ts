import type {
  EncryptedDataKey,
  NodeDecryptionMaterial,
  NodeEncryptionMaterial,
} from '@aws-crypto/material-management-node';

/** Which keys wrap the data key of a message; the newest writes, all of them open. */
export type KeyConfig =
  /** Seals only: what a writer holds that must never be able to open. `spki`: base64 of the SPKI DER. */
  | { kind: 'rsa-public'; keyId: string; spki: string }
  | { kind: 'rsa'; keys: readonly { keyId: string; privateKeyPem: string }[] }
  /** Each key has 32 bytes. */
  | { kind: 'raw-aes'; keys: readonly { keyId: string; key: Uint8Array }[] }
  /** ARNs. `generateOnly`: these credentials may GenerateDataKey but not Decrypt. */
  | { kind: 'kms'; keyIds: readonly string[]; generateOnly?: boolean; credentials?: KmsCredentials };

/** For writers whose environment cannot use AWS's own variable names; elsewhere the SDK's chain finds them. */
export interface KmsCredentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}

/** Keys ready for use: what wraps a new data key, and what unwraps the one of an old message. */
export interface Keys {
  /** Id of the key that new messages are sealed with. */
  readonly keyId: string;
  /** Ids of all, newest first. */
  readonly keyIds: readonly string[];
  /** False when these keys can only seal. */
  readonly canOpen: boolean;
  /** A fresh data key, in clear and wrapped. */
  wrap(context: Readonly<Record<string, string>>): Promise<NodeEncryptionMaterial>;
  /** Rewraps an existing data key, by the newest key alone. Throws as wrap does. */
  rewrap(
    context: Readonly<Record<string, string>>,
    dataKey: NodeDecryptionMaterial,
  ): Promise<NodeEncryptionMaterial>;
  /** The same keys, with this one as the sealing key; undefined where it is not among them. */
  sealingBy(keyId: string): Keys | undefined;
  /** The data key of a message. Throws envelope_wrong_key, key_unavailable (retryable), or what kms-errors.ts says. */
  unwrap(
    context: Readonly<Record<string, string>>,
    dataKeys: readonly EncryptedDataKey[],
  ): Promise<{ material: NodeDecryptionMaterial; keyId: string }>;
}

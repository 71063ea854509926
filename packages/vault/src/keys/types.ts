/** Which keys wrap the data key of a message; the newest writes, all of them open. */
export type KeyConfig =
  /** Seals only: what a writer holds that must never be able to open. `spki`: base64 of the SPKI DER. */
  | { kind: 'rsa-public'; keyId: string; spki: string }
  | { kind: 'rsa'; keys: readonly { keyId: string; privateKeyPem: string }[] }
  /** Each key has 32 bytes. */
  | { kind: 'raw-aes'; keys: readonly { keyId: string; key: Uint8Array }[] }
  /** ARNs. `generateOnly`: these credentials may GenerateDataKey but not Decrypt. */
  | { kind: 'kms'; keyIds: readonly string[]; generateOnly?: boolean };

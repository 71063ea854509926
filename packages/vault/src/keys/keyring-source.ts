import type { KeyringNode } from '@aws-crypto/material-management-node';
import type { CustodyError } from '@flex-custody/core';

/** The keyrings for one message. */
export interface KeyringSession {
  /** One key alone, the newest unless named: every further one in it would wrap each data key once more. */
  writer(keyId?: string): KeyringNode;
  /** All keys, newest first. */
  reader(): KeyringNode;
  /** Why a keyring of this session failed, where it is a remote service that said so. */
  failure(): CustodyError | undefined;
}

export type KeyringSource = () => Promise<KeyringSession>;

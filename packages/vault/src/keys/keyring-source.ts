import type { KeyringNode } from '@aws-crypto/material-management-node';
import type { CustodyError } from '@flex-custody/core';

/** The keyrings for one message. */
export interface KeyringSession {
  /** The newest key alone: every further one in it would wrap each data key once more. */
  writer(): KeyringNode;
  /** All keys, newest first. */
  reader(): KeyringNode;
  /** Why a keyring of this session failed, where it is a remote service that said so. */
  failure(): CustodyError | undefined;
}

export type KeyringSource = () => Promise<KeyringSession>;

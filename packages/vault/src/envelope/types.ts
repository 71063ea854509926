import type { Readable } from 'node:stream';

/** What a sealed message is bound to: both stand in its encryption context, in clear, and are authenticated. */
export interface SealContext {
  account: string;
  recording: string;
}

/** The same of a secret, by its name: a message of one kind never opens as the other. */
export interface SecretContext {
  account: string;
  secret: string;
}

/** One pinned version of a stored object. */
export interface ObjectReader {
  /** Expected size of the object: a hint that saves the time of a read; it is always checked. */
  readonly expectedBytes?: number;
  /** The bytes [start, endInclusive], and the size of the whole object; an `end` past it is clamped. */
  read(
    start: number,
    endInclusive: number,
    signal?: AbortSignal,
  ): Promise<{ body: Readable; totalBytes: number }>;
}

/** A sealed object whose key, context and length are proven. */
export interface OpenedEnvelope {
  /** Exact: the final frame authenticates it. */
  readonly plaintextBytes: number;
  /** Id of the key that opened it. */
  readonly keyId: string;
  /** The plaintext bytes [start, end], both inclusive, each frame released only after its tag held. */
  read(start: number, end: number, signal?: AbortSignal): Readable;
}

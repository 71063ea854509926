import { createHash } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import { CustodyError, isSealedAtRest, type MediaSource, type SealedObject } from '@flex-custody/core';
import { openStream } from './envelope/open-stream.ts';
import type { Keys } from './keys/types.ts';
import { AudioProof } from './source/audio-proof.ts';
import type { Store } from './store/types.ts';

export interface VerifyInput {
  object: SealedObject;
  /** What Twilio says of the recording: `channels` are the most that it may have; without a duration none is compared. */
  source: MediaSource;
  /** The keys that playback uses: what they cannot open is not in custody. Undefined in sse-kms mode. */
  keys: Keys | undefined;
  store: Store;
  signal?: AbortSignal;
  /** Sees the audio as it is proven, in order. */
  onPlaintext?: (chunk: Uint8Array) => void;
}

export interface Verified {
  /** Of the audio. A copy that two processes have made does not know it before: its parts' digests stand for it. */
  plaintextSha256: string;
  /** Of the audio. */
  channels: 1 | 2;
}

/**
 * Verifies a copy by reading it again, exactly the version that was written: every frame opens, length and digests are
 * those that its writer reported, and what is inside is sound WAV of the length that Twilio states and of no more channels.
 * That the audio is Twilio's it does not prove: the writer's report may be a lie. Errors: object_mismatch, object_unencrypted,
 * object_not_audio, object_length, object_channels, envelope_*, object_missing, object_changed, store_unavailable (the only
 * retryable one).
 */
export async function verifyObject(input: VerifyInput): Promise<Verified> {
  const { object, source, keys, store, signal, onPlaintext } = input;
  if (object.mode === 'envelope' && !keys) {
    throw new CustodyError('key_invalid', 'a sealed copy is verified with the key that plays it back');
  }
  const { body, totalBytes, ...atRest } = await store.get(object.key, {
    ifMatch: object.etag,
    ...(object.versionId !== undefined && { versionId: object.versionId }),
    ...(signal && { signal }),
  });
  const hash = createHash('sha256');
  const parts =
    object.plaintextSha256 === undefined && object.parts ? new PartDigests(object.parts) : undefined;
  const sound = new AudioProof(source);
  const read = async (plaintext: AsyncIterable<Buffer>): Promise<void> => {
    for await (const chunk of plaintext) {
      hash.update(chunk);
      parts?.update(chunk);
      soundly(object, () => sound.push(chunk));
      onPlaintext?.(chunk);
    }
  };
  const options = signal ? { signal } : {};
  if (!isSealedAtRest(store, atRest)) {
    body.destroy();
    throw new CustodyError(
      'object_unencrypted',
      `S3 does not say that ${object.key} is encrypted by the KMS key`,
    );
  }
  if (totalBytes !== object.bytes) {
    body.destroy();
    throw mismatch(object, `it has ${totalBytes} bytes instead of ${object.bytes}`);
  }
  if (object.mode === 'envelope' && keys) {
    const opener = openStream(keys, { account: source.accountSid, recording: source.recordingSid });
    await pipeline(body, opener, read, options);
  } else {
    await pipeline(body, read, options);
  }
  if (sound.bytes !== object.plaintextBytes) {
    throw mismatch(object, `it holds ${sound.bytes} bytes of audio instead of ${object.plaintextBytes}`);
  }
  const plaintextSha256 = hash.digest('hex');
  const differs = object.plaintextSha256 !== undefined && object.plaintextSha256 !== plaintextSha256;
  if (differs || parts?.match() === false) throw mismatch(object, 'its audio has another digest');
  soundly(object, () => sound.end());
  const channels = sound.channels ?? 1;
  if (channels > source.channels) {
    throw new CustodyError('object_channels', `${object.key} has more channels than the recording`);
  }
  return { plaintextSha256, channels };
}

/** What would be wrong with a source for now is wrong with a sealed object for good. */
function soundly(object: SealedObject, look: () => void): void {
  try {
    look();
  } catch (error) {
    if (!(error instanceof CustodyError)) throw error;
    const isLength = error.code === 'media_short' || error.code === 'media_long';
    throw new CustodyError(
      isLength ? 'object_length' : 'object_not_audio',
      `${object.key} is no sound recording: ${error.message}`,
      { cause: error },
    );
  }
}

/** Compares audio with digests of its parts, in chunks of any size. */
class PartDigests {
  readonly #wanted: NonNullable<SealedObject['parts']>;
  readonly #found: string[] = [];
  #hash = createHash('sha256');
  #bytes = 0;

  constructor(wanted: NonNullable<SealedObject['parts']>) {
    this.#wanted = wanted;
  }

  update(chunk: Buffer): void {
    for (let at = 0; at < chunk.byteLength; ) {
      const piece = chunk.subarray(at, at + this.#wanted.bytes - this.#bytes);
      this.#hash.update(piece);
      this.#bytes += piece.byteLength;
      at += piece.byteLength;
      if (this.#bytes === this.#wanted.bytes) this.#next();
    }
  }

  match(): boolean {
    // A message whose audio fills its parts exactly ends with an empty one.
    if (this.#bytes > 0 || this.#found.length < this.#wanted.sha256.length) this.#next();
    return this.#found.join() === this.#wanted.sha256.join();
  }

  #next(): void {
    this.#found.push(this.#hash.digest('hex'));
    this.#hash = createHash('sha256');
    this.#bytes = 0;
  }
}

function mismatch(object: SealedObject, how: string): CustodyError {
  return new CustodyError('object_mismatch', `${object.key} is not what was copied: ${how}`);
}

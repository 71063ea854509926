import { Transform, type TransformCallback } from 'node:stream';
import { CustodyError } from '@flex-custody/core';
import type { Keys } from '../keys/types.ts';
import { collectYoungEvery } from '../young-buffers.ts';
import { FINAL_MARK, FRAME_LENGTH } from './format.ts';
import { sealFrame } from './frame.ts';
import { reopenHeader, type SealedHeader, sealHeader } from './header.ts';
import type { SealContext, SecretContext } from './types.ts';

const collectAfter = collectYoungEvery(2 * 1024 * 1024);

/** One message in the making: frames may be sealed one by one, in any order, but each number with one plaintext only. */
export interface Sealer {
  /** Header and tag: what comes first. */
  readonly header: Buffer;
  readonly frameLength: number;
  /** The frame in pieces. `sequence` counts from 1; every frame but the final one is full. */
  seal(sequence: number, plaintext: readonly Uint8Array[], final: boolean): Buffer[];
}

export async function createSealer(
  keys: Keys,
  context: SealContext | SecretContext | undefined,
  frameLength = FRAME_LENGTH,
): Promise<Sealer> {
  return sealerOf(await sealHeader(keys, context, frameLength), frameLength);
}

/** Continues a message whose header another process has written: {@link reopenHeader}. */
export async function resumeSealer(
  keys: Keys,
  context: SealContext,
  header: Buffer,
): Promise<Sealer & { keyId: string }> {
  const reopened = await reopenHeader(keys, header, context);
  return { ...sealerOf(reopened, reopened.frameLength), keyId: reopened.keyId };
}

function sealerOf({ bytes, messageId, getCipher }: SealedHeader, frameLength: number): Sealer {
  return {
    header: bytes,
    frameLength,
    seal(sequence, plaintext, final) {
      const length = plaintext.reduce((sum, piece) => sum + piece.byteLength, 0);
      if (sequence < 1 || sequence >= FINAL_MARK || (final ? length > frameLength : length !== frameLength)) {
        throw new CustodyError('envelope_malformed', `frame ${sequence} cannot have ${length} bytes`);
      }
      return sealFrame(getCipher, messageId, sequence, plaintext, length, final);
    },
  };
}

/**
 * Plaintext in, one sealed message out, in constant memory: one frame is held until it is full. Whatever was not ended
 * cleanly has no final frame, and no reader accepts it. Without a context the message is bound to no recording.
 */
export async function sealStream(
  keys: Keys,
  context: SealContext | SecretContext | undefined,
): Promise<Transform> {
  return new SealStream(await createSealer(keys, context));
}

class SealStream extends Transform {
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #sequence = 1;
  readonly #sealer: Sealer;

  constructor(sealer: Sealer) {
    // In object mode the reader gets the pieces as they are; as bytes they would be copied together once more.
    super({ readableObjectMode: true, readableHighWaterMark: 16, writableHighWaterMark: FRAME_LENGTH });
    this.#sealer = sealer;
    this.push(sealer.header);
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    try {
      let rest = chunk;
      while (this.#waitingBytes + rest.byteLength >= this.#sealer.frameLength) {
        const take = this.#sealer.frameLength - this.#waitingBytes;
        this.#waiting.push(rest.subarray(0, take));
        this.#flushFrame(false);
        rest = rest.subarray(take);
      }
      if (rest.byteLength > 0) {
        this.#waiting.push(rest);
        this.#waitingBytes += rest.byteLength;
      }
      done();
    } catch (error) {
      done(error as Error);
    }
  }

  override _flush(done: TransformCallback): void {
    try {
      this.#flushFrame(true);
      done();
    } catch (error) {
      done(error as Error);
    }
  }

  #flushFrame(final: boolean): void {
    for (const piece of this.#sealer.seal(this.#sequence, this.#waiting, final)) this.push(piece);
    this.#sequence += 1;
    collectAfter(this.#sealer.frameLength);
    this.#waiting = [];
    this.#waitingBytes = 0;
  }
}

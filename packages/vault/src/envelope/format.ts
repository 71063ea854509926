import { CustodyError } from '@flex-custody/core';

/**
 * The AWS Encryption SDK's message format, version 2, framed
 * (https://docs.aws.amazon.com/encryption-sdk/latest/developer-guide/message-format.html):
 *
 *     message = header(H) ‖ frame 1 … frame n ‖ final frame
 *     frame   = sequence(4) iv(12) ciphertext(F) tag(16)
 *     final   = FFFFFFFF(4) sequence = n+1(4) iv(12) length L(4) ciphertext(L) tag(16)     0 ≤ L ≤ F
 */
export const FRAME_LENGTH = 65_536;
/** Readers take the header's own frame length up to here: a frame is held in memory whole. */
export const MAX_FRAME_LENGTH = 1_048_576;
export const TAG_BYTES = 16;
export const IV_BYTES = 12;
export const FRAME_HEAD_BYTES = 4 + IV_BYTES;
export const FINAL_HEAD_BYTES = 4 + 4 + IV_BYTES + 4;
export const FRAME_OVERHEAD = FRAME_HEAD_BYTES + TAG_BYTES;
export const FINAL_OVERHEAD = FINAL_HEAD_BYTES + TAG_BYTES;
export const FINAL_MARK = 0xffffffff;

export type EnvelopeProblem =
  | 'malformed'
  | 'truncated'
  | 'trailing_bytes'
  | 'frame_order'
  | 'tampered'
  | 'wrong_recording'
  | 'wrong_key'
  | 'unsupported';

/** None is retryable: the same bytes will be as wrong next time. */
export function envelopeError(problem: EnvelopeProblem, message: string, cause?: unknown): CustodyError {
  return new CustodyError(`envelope_${problem}`, message, { cause });
}

export interface Geometry {
  headerBytes: number;
  frameLength: number;
  /** Size of the whole message. */
  totalBytes: number;
  /** Number of full frames before the final one. */
  fullFrames: number;
  /** Length of the final frame's plaintext. */
  lastLength: number;
  plaintextBytes: number;
}

/**
 * Offsets in a message of `totalBytes`, which is only the store's claim until the final frame was opened. Undefined
 * when no message has that size.
 */
export function geometry(totalBytes: number, headerBytes: number, frameLength: number): Geometry | undefined {
  const body = totalBytes - headerBytes - FINAL_OVERHEAD;
  const fullFrames = Math.floor(body / (frameLength + FRAME_OVERHEAD));
  const lastLength = body - fullFrames * (frameLength + FRAME_OVERHEAD);
  if (body < 0 || lastLength > frameLength) return undefined;
  const plaintextBytes = fullFrames * frameLength + lastLength;
  return { headerBytes, frameLength, totalBytes, fullFrames, lastLength, plaintextBytes };
}

/** Offset in the message of the frame with this index (0-based). */
export function frameOffset(
  { headerBytes, frameLength }: Pick<Geometry, 'headerBytes' | 'frameLength'>,
  index: number,
): number {
  return headerBytes + index * (frameLength + FRAME_OVERHEAD);
}

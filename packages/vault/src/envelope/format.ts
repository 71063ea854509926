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

/** Never retryable: the same bytes will be as wrong next time. */
export function envelopeError(problem: EnvelopeProblem, message: string, cause?: unknown): CustodyError {
  return new CustodyError(`envelope_${problem}`, message, cause === undefined ? {} : { cause });
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

/** Where everything lies in a message of `totalBytes`: a claim of the store until the final frame was opened. */
export function geometry(totalBytes: number, headerBytes: number, frameLength: number): Geometry {
  const body = totalBytes - headerBytes - FINAL_OVERHEAD;
  if (body < 0)
    throw envelopeError('truncated', `${totalBytes} bytes cannot hold a header and a final frame`);
  const fullFrames = Math.floor(body / (frameLength + FRAME_OVERHEAD));
  const lastLength = body - fullFrames * (frameLength + FRAME_OVERHEAD);
  if (lastLength > frameLength) throw envelopeError('truncated', 'the end is no whole frame');
  const plaintextBytes = fullFrames * frameLength + lastLength;
  return { headerBytes, frameLength, totalBytes, fullFrames, lastLength, plaintextBytes };
}

/** Offset in the message of the frame with this index (0-based). */
export function frameOffset(g: Geometry, index: number): number {
  return g.headerBytes + index * (g.frameLength + FRAME_OVERHEAD);
}

/** Size of a message with this much plaintext, as {@link import('./seal.ts').sealStream} writes it. */
export function sealedBytes(plaintextBytes: number, headerBytes: number, frameLength = FRAME_LENGTH): number {
  const fullFrames = Math.floor(plaintextBytes / frameLength);
  return headerBytes + plaintextBytes + fullFrames * FRAME_OVERHEAD + FINAL_OVERHEAD;
}

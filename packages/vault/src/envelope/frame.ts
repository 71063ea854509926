import type { GetCipher, GetDecipher } from '@aws-crypto/material-management-node';
import { ContentAADString } from '@aws-crypto/serialize';
import { envelopeError, FINAL_HEAD_BYTES, FINAL_MARK, FRAME_HEAD_BYTES, IV_BYTES } from './format.ts';

const FRAME_AAD = Buffer.from(ContentAADString.FRAME_STRING_ID);
const FINAL_AAD = Buffer.from(ContentAADString.FINAL_FRAME_STRING_ID);

/** What a frame's tag authenticates besides its bytes: which message, which place in it, how long, last or not. */
function frameAad(messageId: Uint8Array, sequence: number, length: number, final: boolean): Buffer {
  const kind = final ? FINAL_AAD : FRAME_AAD;
  const aad = Buffer.alloc(messageId.byteLength + kind.byteLength + 4 + 8);
  aad.set(messageId, 0);
  aad.set(kind, messageId.byteLength);
  aad.writeUInt32BE(sequence, aad.byteLength - 12);
  aad.writeUInt32BE(length, aad.byteLength - 4);
  return aad;
}

/** The IV is the sequence number: one number never seals two different plaintexts under one data key. */
function frameIv(sequence: number): Buffer {
  const iv = Buffer.alloc(IV_BYTES);
  iv.writeUInt32BE(sequence, IV_BYTES - 4);
  return iv;
}

/** The sealed frame in pieces: joining them would copy each byte once more. */
export function sealFrame(
  getCipher: GetCipher,
  messageId: Uint8Array,
  sequence: number,
  plaintext: readonly Uint8Array[],
  length: number,
  final: boolean,
): Buffer[] {
  const iv = frameIv(sequence);
  const head = Buffer.alloc(final ? FINAL_HEAD_BYTES : FRAME_HEAD_BYTES);
  let at = 0;
  if (final) at = head.writeUInt32BE(FINAL_MARK, at);
  at = head.writeUInt32BE(sequence, at);
  head.set(iv, at);
  if (final) head.writeUInt32BE(length, at + IV_BYTES);
  const cipher = getCipher(iv);
  cipher.setAAD(frameAad(messageId, sequence, length, final));
  const sealed = plaintext.map((piece) => cipher.update(asBuffer(piece)));
  cipher.final();
  return [head, ...sealed, cipher.getAuthTag()];
}

/** The fixed part before a frame's ciphertext. */
export interface FrameHead {
  final: boolean;
  sequence: number;
  /** Of the plaintext. */
  length: number;
  /** As read from the frame; in our messages it is the sequence number. */
  iv: Buffer;
  bytes: number;
}

/** Bytes of head needed to tell what follows: the first four say whether it is the final frame. */
export function frameHeadBytes(firstFour: Buffer): number {
  return firstFour.readUInt32BE(0) === FINAL_MARK ? FINAL_HEAD_BYTES : FRAME_HEAD_BYTES;
}

/** Reads a head and holds it to its place: the frame must be number `expected`. */
export function readFrameHead(head: Buffer, expected: number, frameLength: number): FrameHead {
  const final = head.readUInt32BE(0) === FINAL_MARK;
  const at = final ? 4 : 0;
  const sequence = head.readUInt32BE(at);
  if (sequence !== expected) {
    throw envelopeError('frame_order', `frame ${sequence} is in the place of frame ${expected}`);
  }
  const iv = head.subarray(at + 4, at + 4 + IV_BYTES);
  const length = final ? head.readUInt32BE(FINAL_HEAD_BYTES - 4) : frameLength;
  if (length > frameLength) {
    throw envelopeError(
      'malformed',
      `the final frame claims ${length} bytes, more than a frame of ${frameLength}`,
    );
  }
  return { final, sequence, length, iv, bytes: final ? FINAL_HEAD_BYTES : FRAME_HEAD_BYTES };
}

/**
 * The plaintext of a frame, released only when its tag held and its IV is its number. A genuine frame with another IV is of
 * a writer that counts otherwise: this is no damage, and such messages are not read.
 */
export function openFrame(
  getDecipher: GetDecipher,
  messageId: Uint8Array,
  head: FrameHead,
  ciphertext: readonly Buffer[],
  tag: Buffer,
): Buffer[] {
  const decipher = getDecipher(head.iv);
  decipher.setAAD(frameAad(messageId, head.sequence, head.length, head.final));
  decipher.setAuthTag(tag);
  const plaintext = ciphertext.map((piece) => decipher.update(piece));
  try {
    decipher.final();
  } catch (cause) {
    throw envelopeError(
      'tampered',
      `the tag of frame ${head.sequence} is wrong: the frame was altered`,
      cause,
    );
  }
  if (!head.iv.equals(frameIv(head.sequence))) {
    throw envelopeError('unsupported', `frame ${head.sequence} has a nonce that is not its number`);
  }
  return plaintext;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

import type { CustodyError } from '@flex-custody/core';
import {
  envelopeError,
  FINAL_HEAD_BYTES,
  FINAL_MARK,
  FINAL_OVERHEAD,
  FRAME_OVERHEAD,
  frameOffset,
} from './format.ts';
import { readBytes } from './object-bytes.ts';
import type { ObjectReader } from './types.ts';

/**
 * Names what is wrong with a message that does not end where its size says. Frames are numbered, so the place where the
 * numbering stops is found by halving, in a few small reads; nothing read here is trusted.
 */
export async function nameBrokenEnd(
  reader: ObjectReader,
  shape: { headerBytes: number; frameLength: number; totalBytes: number },
  signal?: AbortSignal,
): Promise<CustodyError> {
  const { headerBytes, frameLength, totalBytes } = shape;
  const headAt = async (index: number): Promise<Buffer> => {
    const offset = frameOffset(shape, index);
    const end = Math.min(offset + FINAL_HEAD_BYTES, totalBytes) - 1;
    return end < offset ? Buffer.alloc(0) : readBytes(reader, offset, end, signal);
  };
  let low = 0;
  let high = Math.max(0, Math.floor((totalBytes - headerBytes) / (frameLength + FRAME_OVERHEAD)));
  const frames = high;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (first4(await headAt(middle)) === middle + 1) low = middle + 1;
    else high = middle;
  }
  const head = await headAt(low);
  const mark = first4(head);
  if (mark === FINAL_MARK && head.byteLength === FINAL_HEAD_BYTES && head.readUInt32BE(4) === low + 1) {
    const end = frameOffset(shape, low) + FINAL_OVERHEAD + head.readUInt32BE(FINAL_HEAD_BYTES - 4);
    if (end < totalBytes)
      return envelopeError('trailing_bytes', `${totalBytes - end} bytes follow the final frame`);
  }
  if (mark !== undefined && mark !== FINAL_MARK && mark !== low + 1) {
    return mark >= 1 && mark <= frames
      ? envelopeError('frame_order', `frame ${mark} is in the place of frame ${low + 1}`)
      : envelopeError('malformed', `no frame is in the place of frame ${low + 1}`);
  }
  return envelopeError('truncated', `the message ends within frame ${low + 1}`);
}

function first4(bytes: Buffer): number | undefined {
  return bytes.byteLength < 4 ? undefined : bytes.readUInt32BE(0);
}

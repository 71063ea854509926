import { Transform, type TransformCallback } from 'node:stream';
import { byteRateOf, type WavLayout } from './wav.ts';

/**
 * What a size in a header may be wrong by: writers leave out or count twice the heads of file and chunks, a byte of padding,
 * a line's end. It is 8 ms of a call's two channels, so audio that lacks more is never taken for whole.
 */
export const MAX_REPAIR_BYTES = 256;

/** The two sizes of a WAV file's header as they should be. */
export interface HeaderRepair {
  /** As read from the header that is right. */
  layout: WavLayout;
  /** Where the header changes, and into what: every other byte stays. */
  patches: readonly { at: number; bytes: Uint8Array }[];
}

/**
 * The header that a file of so many bytes should have, where its own is wrong by a few. Its samples and all that follows
 * stay where they are; bytes that make no whole sample are left behind the samples.
 * @returns undefined where the sizes are wrong by more, or of 64 bits
 */
export function repairOf(layout: WavLayout, totalBytes: number): HeaderRepair | undefined {
  const { bitsPerSample, channels, dataStart, isLarge, wholeBytes } = layout;
  const there = totalBytes - dataStart;
  const frame = byteRateOf(layout) > 0 ? (channels * bitsPerSample) / 8 : 1;
  const stated = layout.dataBytes ?? there;
  const isNear =
    stated - there <= MAX_REPAIR_BYTES &&
    Math.abs((wholeBytes ?? totalBytes) - totalBytes) <= MAX_REPAIR_BYTES;
  if (isLarge || there < frame || totalBytes > 0xffff_0000 || !isNear) return undefined;
  const dataBytes = stated <= there && layout.dataBytes !== undefined ? stated : there - (there % frame);
  return {
    layout: { ...layout, dataBytes, wholeBytes: totalBytes },
    patches: [
      { at: 4, bytes: uint32(totalBytes - 8) },
      { at: dataStart - 4, bytes: uint32(dataBytes) },
    ],
  };
}

/** Puts the header right in a file that streams by, from the byte `start` on. */
export function repairing({ patches }: HeaderRepair, start: number): Transform {
  let at = start;
  return new Transform({
    transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback) {
      const from = at;
      at += chunk.byteLength;
      const ours = patches.filter((patch) => patch.at < at && patch.at + patch.bytes.byteLength > from);
      if (ours.length === 0) return done(null, chunk);
      const changed = Buffer.from(chunk);
      for (const patch of ours)
        for (const [index, byte] of patch.bytes.entries()) {
          const offset = patch.at + index - from;
          if (offset >= 0 && offset < changed.byteLength) changed[offset] = byte;
        }
      done(null, changed);
    },
  });
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

import { createHash, type Hash } from 'node:crypto';
import type { Sealer } from '../envelope/seal.ts';
import { collectYoungEvery } from '../young-buffers.ts';

const collectAfter = collectYoungEvery(2 * 1024 * 1024);

export interface CutPart {
  /** From 0. */
  index: number;
  /** SHA-256 of its audio, hexadecimal. */
  sha256: string;
  /** Sealed, in `buffer`; undefined where only the digest is wanted. */
  body: Buffer | undefined;
  buffer: Buffer | undefined;
  /** The source ended with it. */
  last: boolean;
  /** Of all the audio, with the last part of what was read from its beginning. */
  wholeSha256?: string;
}

export interface CutOptions {
  /** Undefined: the audio stays as it is. */
  sealer: Sealer | undefined;
  frameLength: number;
  framesPerPart: number;
  /** The part that the body begins with. */
  first: number;
  /** Parts before this one are only hashed. */
  sealFrom: number;
  takeBuffer(): Buffer | Promise<Buffer>;
  /** Sees the audio as it comes, before it is sealed; what it throws ends the cutting. */
  onAudio(chunk: Uint8Array): void;
}

/** Size of the largest part. */
export function partCapacity({
  sealer,
  frameLength,
  framesPerPart,
}: Pick<CutOptions, 'sealer' | 'frameLength' | 'framesPerPart'>): number {
  // Frame heads and tags; the final frame's are eight bytes longer.
  return (sealer?.header.byteLength ?? 0) + framesPerPart * (frameLength + (sealer ? 32 : 0)) + 8;
}

/** Size of so much audio, whole, where that is less than a part: a short recording does not ask for the memory of a long one. */
export function wholeCapacity(
  { sealer, frameLength }: Pick<CutOptions, 'sealer' | 'frameLength'>,
  audioBytes: number,
): number {
  const frames = Math.floor(audioBytes / frameLength) + 1;
  return (sealer?.header.byteLength ?? 0) + audioBytes + frames * (sealer ? 32 : 0) + 8;
}

/**
 * Cuts audio into parts of whole frames, sealed into the buffers that `takeBuffer` gives. Where a part begins in the
 * audio, and the numbers of its frames, follow from its index alone, so that any process can continue at any of them.
 */
export async function* cutParts(
  body: AsyncIterable<Uint8Array>,
  options: CutOptions,
): AsyncGenerator<CutPart> {
  const { sealer, frameLength, framesPerPart, sealFrom } = options;
  let index = options.first;
  let sequence = index * framesPerPart + 1;
  let hash = createHash('sha256');
  /** Of all so far; the first part's own digest does for as long as there is no other. */
  let whole: Hash | undefined;
  let buffer: Buffer | undefined;
  let filled = 0;
  let frames = 0;
  let waiting: Uint8Array[] = [];
  let waitingBytes = 0;
  let partBytes = 0;

  const put = (piece: Uint8Array) => {
    buffer?.set(piece, filled);
    filled += piece.byteLength;
  };
  const begin = async () => {
    hash = createHash('sha256');
    filled = 0;
    frames = 0;
    partBytes = 0;
    buffer = index >= sealFrom ? await options.takeBuffer() : undefined;
    if (buffer && sealer && index === 0) put(sealer.header);
  };
  const putFrame = (final: boolean) => {
    if (buffer) for (const piece of sealer ? sealer.seal(sequence, waiting, final) : waiting) put(piece);
    collectAfter(waitingBytes);
    sequence += 1;
    frames += 1;
    waiting = [];
    waitingBytes = 0;
  };
  const part = (last: boolean): CutPart => {
    if (index === 0 && !last) whole = hash.copy();
    const sha256 = hash.digest('hex');
    const ofAll = index === 0 ? sha256 : last ? whole?.digest('hex') : undefined;
    return {
      index,
      sha256,
      body: buffer?.subarray(0, filled),
      buffer,
      last,
      ...(last && ofAll !== undefined && { wholeSha256: ofAll }),
    };
  };

  await begin();
  for await (const chunk of body) {
    options.onAudio(chunk);
    for (let at = 0; at < chunk.byteLength; ) {
      const piece = chunk.subarray(at, at + frameLength - waitingBytes);
      hash.update(piece);
      whole?.update(piece);
      waiting.push(piece);
      waitingBytes += piece.byteLength;
      partBytes += piece.byteLength;
      at += piece.byteLength;
      if (waitingBytes < frameLength) continue;
      putFrame(false);
      if (frames < framesPerPart) continue;
      yield part(false);
      index += 1;
      await begin();
    }
  }
  // A sealed message always has a final frame, if an empty one.
  if (sealer || waitingBytes > 0) putFrame(true);
  if (sealer || partBytes > 0 || index === 0) yield part(true);
}

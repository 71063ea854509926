import { createHash } from 'node:crypto';
import { AudioProof, type StatedLength } from './audio-proof.ts';
import { SampleDigest } from './sample-digest.ts';
import type { OpenedMedia } from './types.ts';

/** What a source was seen to hold, from its first byte to its last. */
export interface SeenMedia {
  bytes: number;
  /** Hexadecimal. */
  sha256: string;
  /** Digest of format and samples alone: see SampleDigest. */
  samples: string | undefined;
}

/**
 * Reads media once and keeps none of it, to compare it with a copy. The media must be whole: media that breaks off says
 * nothing about the copy.
 * @param onBytes called with each piece that has come
 * @throws CustodyError `media_*`
 */
export async function readMedia(
  media: OpenedMedia,
  stated: StatedLength,
  onBytes: () => void = () => undefined,
): Promise<SeenMedia> {
  const proof = new AudioProof(stated);
  const hash = createHash('sha256');
  const samples = new SampleDigest();
  try {
    for await (const chunk of media.body as AsyncIterable<Buffer>) {
      onBytes();
      proof.push(chunk);
      hash.update(chunk);
      samples.push(chunk);
    }
    proof.end();
  } finally {
    media.body.destroy();
  }
  return { bytes: proof.bytes, sha256: hash.digest('hex'), samples: samples.end() };
}

import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { CustodyError } from '@flex-custody/core';
import { createSealer } from '../src/envelope/seal.ts';
import type { ObjectReader, SealContext } from '../src/envelope/types.ts';
import { createKeys } from '../src/keys/keys.ts';
import type { Keys } from '../src/keys/types.ts';

export const context: SealContext = { account: `AC${'a'.repeat(32)}`, recording: `RE${'b'.repeat(32)}` };

export function aesKeys(...ids: string[]): Keys {
  return createKeys({
    kind: 'raw-aes',
    keys: ids.map((keyId) => ({ keyId, key: new Uint8Array(randomBytes(32)) })),
  });
}

export function rsaPair(modulusLength = 2048): { privateKeyPem: string; spki: string } {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength });
  return {
    privateKeyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    spki: publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
  };
}

/** A message of short frames, so that every one of its bytes can be tried. */
export async function sealSmall(
  keys: Keys,
  plaintext: Buffer,
  frameLength: number,
  options: { context?: SealContext; fullFinal?: boolean } = {},
): Promise<Buffer> {
  const sealer = await createSealer(keys, options.context ?? context, frameLength);
  const parts = [sealer.header];
  let at = 0;
  let sequence = 1;
  const more = () =>
    options.fullFinal ? plaintext.length - at > frameLength : plaintext.length - at >= frameLength;
  for (; more(); at += frameLength, sequence += 1) {
    parts.push(...sealer.seal(sequence, [plaintext.subarray(at, at + frameLength)], false));
  }
  parts.push(...sealer.seal(sequence, [plaintext.subarray(at)], true));
  return Buffer.concat(parts);
}

/** The bytes in chunks of the given sizes, over and over. */
export function inChunks(bytes: Buffer, ...sizes: number[]): Readable {
  return Readable.from(
    (function* () {
      for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
        const size = sizes[turn % sizes.length] ?? bytes.length;
        yield bytes.subarray(at, at + size);
        at += size;
      }
    })(),
  );
}

/** A stored object in memory, which notes what was asked of it. */
export function memoryReader(bytes: Buffer): ObjectReader & { reads: [number, number][] } {
  const reads: [number, number][] = [];
  return {
    reads,
    async read(start, end) {
      reads.push([start, end]);
      return { body: inChunks(bytes.subarray(start, end + 1), 1000, 37), totalBytes: bytes.length };
    },
  };
}

export function collect(stream: Readable): Promise<Buffer> {
  return buffer(stream);
}

/** The code of the error that the work ends in; fails when it ends in none. */
export async function codeOf(work: Promise<unknown> | (() => unknown)): Promise<string> {
  try {
    await (typeof work === 'function' ? work() : work);
  } catch (error) {
    if (error instanceof CustodyError) return error.code;
    throw error;
  }
  throw new Error('nothing was refused');
}

/** A small generator, so that a failing case can be run again. */
export function seeded(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** A WAV file of so many seconds: 8 kHz, 16 bit. */
export function wav(
  seconds: number,
  channels: 1 | 2 = 2,
  sizes: { riff?: number; data?: number } = {},
): Buffer {
  const byteRate = 8000 * 2 * channels;
  const data = Buffer.alloc(Math.round(seconds * 8000) * 2 * channels);
  for (let at = 0; at < data.length; at += 1) data[at] = (at * 7919) % 251;
  const head = Buffer.alloc(44);
  head.write('RIFF', 0);
  head.writeUInt32LE(sizes.riff ?? 36 + data.length, 4);
  head.write('WAVEfmt ', 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(channels, 22);
  head.writeUInt32LE(8000, 24);
  head.writeUInt32LE(byteRate, 28);
  head.writeUInt16LE(2 * channels, 32);
  head.writeUInt16LE(16, 34);
  head.write('data', 36);
  head.writeUInt32LE(sizes.data ?? data.length, 40);
  return Buffer.concat([head, data]);
}

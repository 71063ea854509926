import { buffer } from 'node:stream/consumers';
import type { Keys } from '../keys/types.ts';
import { openStream } from './open-stream.ts';
import { sealStream } from './seal.ts';
import type { SealContext, SecretContext } from './types.ts';

/** A small message whole in memory, sealed as recordings are. */
export async function sealBytes(
  keys: Keys,
  context: SealContext | SecretContext,
  bytes: Uint8Array,
): Promise<Buffer> {
  const sealer = await sealStream(keys, context);
  sealer.end(bytes);
  return buffer(sealer);
}

/** @throws CustodyError `envelope_*`, `key_*` */
export async function openBytes(
  keys: Keys,
  context: SealContext | SecretContext,
  bytes: Uint8Array,
): Promise<Buffer> {
  const opener = openStream(keys, context);
  opener.end(bytes);
  return buffer(opener);
}

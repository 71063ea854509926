import { randomBytes } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { CustodyError } from '@flex-custody/core';
import { createKeys, openStream, sealStream } from '@flex-custody/vault';
import { advice, type Seen } from './finding.ts';
import type { Scene } from './scene.ts';

/** Seals with the newest key and opens as playback does. */
export async function key({ config }: Scene): Promise<Seen> {
  if (!config.keyConfig) return 'mode sse-kms: S3 seals';
  const keys = createKeys(config.keyConfig);
  const context = { account: config.accountSid, recording: 'doctor' };
  const plain = randomBytes(1_024);
  const sealed = await naming('kms:GenerateDataKey', async () => {
    const seal = await sealStream(keys, context);
    seal.end(plain);
    return buffer(seal);
  });
  const opened = await naming('kms:Decrypt', async () => {
    const open = openStream(keys, context);
    open.end(sealed);
    return buffer(open);
  });
  if (!opened.equals(plain)) throw advice('1 KiB came back changed', 'stop using this key, and report it');
  const { kind } = config.keyConfig;
  const all =
    kind === 'kms'
      ? config.keyConfig.keyIds.length
      : kind === 'rsa-public'
        ? 1
        : config.keyConfig.keys.length;
  const older = all > 1 ? `; ${all - 1} older can open` : '';
  return `${keys.keyId} seals and opens${older}`;
}

/** Names the right that the KMS refuses: sealing and opening each need their own. */
async function naming<T>(right: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    // Only a refusal is about the right; a disabled or unknown key has an error of its own.
    const isRefused = error instanceof CustodyError && errorNameOf(error.cause) === 'AccessDeniedException';
    if (!isRefused) throw error;
    throw advice(`the KMS refuses ${right}`, `allow ${right} to this host, in its policy and in the key's`);
  }
}

const errorNameOf = (error: unknown): string => (error instanceof Error ? error.name : '');

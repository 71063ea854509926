import {
  constants,
  createCipheriv,
  generateKeyPairSync,
  type KeyObject,
  publicEncrypt,
  randomBytes,
} from 'node:crypto';
import { Readable } from 'node:stream';
import type { WavSource } from './media.ts';
import { newSid } from './sids.ts';

const tagBytes = 16;

/** A public key of the account, and the half that Twilio never sees. */
export interface RecordingKey {
  /** CR… */
  sid: string;
  publicKey: KeyObject;
  /** PEM, PKCS8. */
  privateKey: string;
}

/** With what one recording is sealed: https://www.twilio.com/docs/voice/tutorials/voice-recording-encryption */
export interface RecordingSeal {
  publicKeySid: string;
  encryptedCek: string;
  cek: Buffer;
  iv: Buffer;
}

export function makeRecordingKey(): RecordingKey {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return {
    sid: newSid('CR'),
    publicKey,
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

export function sealFor({ sid, publicKey }: RecordingKey): RecordingSeal {
  const cek = randomBytes(32);
  const wrapped = publicEncrypt(
    { key: publicKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' },
    cek,
  );
  return { publicKeySid: sid, encryptedCek: wrapped.toString('base64'), cek, iv: randomBytes(12) };
}

/** The same media as Twilio gives it then: ciphertext and tag. There is no mixing it, whatever is asked for. */
export function sealedMedia(plain: WavSource, { cek, iv }: RecordingSeal): WavSource {
  const bytes = plain.size(plain.channels) + tagBytes;
  async function* sealed(start: number, end: number) {
    const cipher = createCipheriv('aes-256-gcm', cek, iv);
    let at = 0;
    const wanted = (piece: Buffer) => {
      const from = at;
      at += piece.length;
      return piece.subarray(Math.max(0, start - from), Math.max(0, end + 1 - from));
    };
    for await (const chunk of plain.stream(
      plain.channels,
      0,
      bytes - tagBytes - 1,
    ) as AsyncIterable<Buffer>) {
      const piece = wanted(cipher.update(chunk));
      if (piece.length > 0) yield piece;
      if (at > end) return;
    }
    cipher.final();
    const piece = wanted(cipher.getAuthTag());
    if (piece.length > 0) yield piece;
  }
  return {
    channels: plain.channels,
    size: () => bytes,
    stream: (_channels, start, end) => Readable.from(sealed(start, end), { objectMode: false }),
    // Digest of the plaintext; the ciphertext changes with every encryption, so its own digest is beside it.
    sha256: async () => `${iv.toString('hex')}${await plain.sha256(plain.channels)}`,
  };
}

/** By the names of the guide and the callback, or by those of the REST reference: real answers have been seen with either. */
export function encryptionDetails(
  seal: RecordingSeal | undefined,
  names: 'guide' | 'reference',
): Record<string, string> | null {
  if (!seal) return null;
  const { publicKeySid, encryptedCek } = seal;
  const iv = seal.iv.toString('base64');
  return names === 'guide'
    ? { public_key_sid: publicKeySid, encrypted_cek: encryptedCek, iv }
    : { encryption_public_key_sid: publicKeySid, encryption_cek: encryptedCek, encryption_iv: iv };
}

import { constants, type KeyObject, privateDecrypt } from 'node:crypto';
import { CustodyError, type RecordingEncryption } from '@flex-custody/core';
import { readNamedPems } from '../keys/key-file.ts';

const KEY_SID = /^CR[0-9a-f]{32}$/;
const CEK_BYTES = 32;

/** The private halves of the public keys for which Twilio seals recordings. */
export interface TwilioKeys {
  /** CR…, as in the file. */
  readonly sids: readonly string[];
  /**
   * The content key of a recording: AES-256.
   * @throws CustodyError `twilio_key_unknown` where there is no such key, `twilio_key_wrong` where it does not fit
   */
  unwrap(encryption: RecordingEncryption): Buffer;
}

/**
 * Reads the private keys, PEM (PKCS8), each behind a line `# key id: CR…` that names the public key at Twilio it is the
 * other half of.
 * @throws CustodyError `key_invalid`, naming the key and never its content
 */
export function readTwilioKeys(text: string): TwilioKeys {
  const keys = new Map<string, KeyObject>();
  for (const { line, name, key } of readNamedPems(text)) {
    if (name === undefined || !KEY_SID.test(name)) {
      throw new CustodyError(
        'key_invalid',
        `the key on line ${line} needs a line before it that names it: # key id: CR… (the SID of the public key at Twilio)`,
      );
    }
    if (key.type !== 'private')
      throw new CustodyError('key_invalid', `${name} is a public key: the private half opens`);
    if (keys.has(name)) throw new CustodyError('key_invalid', `${name} is there twice`);
    keys.set(name, key);
  }
  return {
    sids: [...keys.keys()],
    unwrap({ publicKeySid, encryptedCek }) {
      const key = keys.get(publicKeySid);
      if (!key) {
        throw new CustodyError(
          'twilio_key_unknown',
          `Twilio sealed it for its public key ${publicKeySid}, whose private half is not in CUSTODY_TWILIO_KEY_FILE: it may use any of the account's keys (16107)`,
        );
      }
      let cek: Buffer | undefined;
      try {
        cek = privateDecrypt(
          { key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' },
          Buffer.from(encryptedCek, 'base64'),
        );
      } catch {
        // Said below, without what the padding looked like.
      }
      if (cek?.byteLength === CEK_BYTES) return cek;
      throw new CustodyError(
        'twilio_key_wrong',
        `the private key named ${publicKeySid} in CUSTODY_TWILIO_KEY_FILE is not the half of what Twilio has under that name`,
      );
    },
  };
}

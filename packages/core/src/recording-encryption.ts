import { CustodyError } from './errors.ts';

/**
 * What opens a recording that Twilio has sealed (Voice Recording Encryption): AES-256-GCM, its key wrapped for one of the
 * account's public keys. Source: https://www.twilio.com/docs/voice/tutorials/voice-recording-encryption
 */
export interface RecordingEncryption {
  /** CR…: Twilio may use any of the account's public keys (16107). */
  publicKeySid: string;
  /** The content key, by RSAES-OAEP with SHA-256; base64. */
  encryptedCek: string;
  /** 12 bytes; base64. */
  iv: string;
}

/** Each field under the name of the guide, the samples and the callback, and under that of the REST reference. */
const names = {
  publicKeySid: ['public_key_sid', 'encryption_public_key_sid'],
  encryptedCek: ['encrypted_cek', 'encryption_cek'],
  iv: ['iv', 'encryption_iv'],
} as const;

const shapes: Readonly<Record<keyof typeof names, RegExp>> = {
  publicKeySid: /^CR[0-9a-f]{32}$/,
  encryptedCek: /^[A-Za-z0-9+/]{100,2000}={0,2}$/,
  iv: /^[A-Za-z0-9+/]{16}$/,
};

/**
 * Reads `encryption_details` or `EncryptionDetails`, as JSON text or as an object; undefined where there are none.
 * @throws CustodyError `twilio_encryption_unreadable` that names the field at fault, without its value
 */
export function readEncryption(details: unknown): RecordingEncryption | undefined {
  if (details === null || details === undefined || details === '') return undefined;
  const fields = objectOf(details);
  // The one type there has ever been; another would need another decryption.
  const { type } = fields;
  if (type !== undefined && type !== null && type !== 'rsa-aes')
    throw unreadable('of another type than rsa-aes');
  const found: Partial<RecordingEncryption> = {};
  for (const name of ['publicKeySid', 'encryptedCek', 'iv'] as const) {
    const given = names[name]
      .map((spelling) => fields[spelling])
      .filter((value) => value !== undefined && value !== null);
    if (new Set(given).size > 1) throw unreadable(`contradict each other about ${names[name].join(' and ')}`);
    const [value] = given;
    if (typeof value !== 'string' || !shapes[name].test(value))
      throw unreadable(`have no ${names[name].join(' or ')}`);
    found[name] = value;
  }
  return found as RecordingEncryption;
}

function objectOf(details: unknown): Readonly<Record<string, unknown>> {
  let value = details;
  if (typeof value === 'string') {
    try {
      value = JSON.parse(value);
    } catch {
      throw unreadable('are no JSON');
    }
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw unreadable('are no object');
  return value as Readonly<Record<string, unknown>>;
}

function unreadable(how: string): CustodyError {
  return new CustodyError('twilio_encryption_unreadable', `Twilio's encryption details ${how}`);
}

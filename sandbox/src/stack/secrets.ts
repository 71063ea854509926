import { createHmac, generateKeyPairSync, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What an operator makes once, and a stack for every start. */
export interface StackSecrets {
  keyId: string;
  /** Base64 SPKI DER: all that the Functions hold. */
  publicKey: string;
  /** PEM file that the host alone reads. */
  keyFile: string;
  /** Where the host keeps the key that it signs by; its first start makes it. */
  signingKeyFile: string;
  functionSecret: string;
  mediaSecret: string;
  /** What the host's command line signs with. */
  operatorSecret: string;
}

export function makeSecrets(folder: string): StackSecrets {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const media = randomBytes(32);
  const keyId = `local-${new Date().toISOString().slice(0, 10)}`;
  const keyFile = join(folder, 'recordings.pem');
  writeFileSync(keyFile, `# key id: ${keyId}\n${privateKey}`, { mode: 0o600 });
  return {
    keyId,
    publicKey: publicKey.toString('base64'),
    keyFile,
    signingKeyFile: join(folder, 'signing-key.pem'),
    functionSecret: randomBytes(32).toString('base64url'),
    mediaSecret: media.toString('base64'),
    operatorSecret: createHmac('sha256', media).update('flex-custody operators').digest('hex'),
  };
}

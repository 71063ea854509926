import { createCipheriv, createDecipheriv, randomBytes, randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** An error by the name that KMS gives it. */
export class KmsError extends Error {
  constructor(
    readonly type: string,
    message: string,
    readonly status = 400,
  ) {
    super(message);
  }
}

export type KeyState = 'Enabled' | 'Disabled' | 'PendingDeletion';

interface Key {
  arn: string;
  state: KeyState;
  /** Base64 of 32 bytes. */
  material: string;
}

const ivBytes = 12;
const tagBytes = 16;

/** Keys that never leave it, and what they have wrapped. They lie in one file, so that they outlast the process. */
export class KmsKeys {
  readonly #file: string;
  readonly #keys = new Map<string, Key>();
  readonly #prefix: string;

  constructor(directory: string, region: string, accountId: string) {
    this.#file = join(directory, 'kms.json');
    this.#prefix = `arn:aws:kms:${region}:${accountId}:key/`;
    try {
      for (const key of JSON.parse(readFileSync(this.#file, 'utf8')) as Key[]) this.#keys.set(key.arn, key);
    } catch {
      // There were none yet.
    }
  }

  create(): Key {
    const key: Key = {
      arn: this.#prefix + randomUUID(),
      state: 'Enabled',
      material: randomBytes(32).toString('base64'),
    };
    this.#keys.set(key.arn, key);
    this.#save();
    return key;
  }

  /** By ARN or key id. */
  find(id: string | undefined): Key {
    const key = this.#keys.get(id ?? '') ?? this.#keys.get(this.#prefix + id);
    if (!key) throw new KmsError('NotFoundException', `Key '${id}' does not exist`);
    return key;
  }

  change(id: string | undefined, state: KeyState): Key {
    const key = this.find(id);
    key.state = state;
    this.#save();
    return key;
  }

  encrypt(id: string | undefined, plaintext: Buffer, context: object): { arn: string; blob: Buffer } {
    const key = this.#usable(id);
    const iv = randomBytes(ivBytes);
    const cipher = createCipheriv('aes-256-gcm', Buffer.from(key.material, 'base64'), iv);
    cipher.setAAD(canonical(context));
    const name = Buffer.from(key.arn);
    const sealed = Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
    return { arn: key.arn, blob: Buffer.concat([Buffer.from([name.length]), name, iv, sealed]) };
  }

  /** @param id the key that it must have been wrapped by, where the caller says so */
  decrypt(id: string | undefined, blob: Buffer, context: object): { arn: string; plaintext: Buffer } {
    const nameEnd = 1 + (blob[0] ?? 0);
    const arn = blob.subarray(1, nameEnd).toString();
    if (!this.#keys.has(arn)) throw invalid();
    if (id !== undefined && this.find(id).arn !== arn)
      throw new KmsError(
        'IncorrectKeyException',
        'The key ID in the request does not identify a CMK that can perform this operation.',
      );
    const key = this.#usable(arn);
    const iv = blob.subarray(nameEnd, nameEnd + ivBytes);
    const sealed = blob.subarray(nameEnd + ivBytes);
    try {
      const decipher = createDecipheriv('aes-256-gcm', Buffer.from(key.material, 'base64'), iv);
      decipher.setAAD(canonical(context));
      decipher.setAuthTag(sealed.subarray(-tagBytes));
      const plaintext = Buffer.concat([decipher.update(sealed.subarray(0, -tagBytes)), decipher.final()]);
      return { arn, plaintext };
    } catch {
      throw invalid();
    }
  }

  #usable(id: string | undefined): Key {
    const key = this.find(id);
    if (key.state === 'Disabled') throw new KmsError('DisabledException', `${key.arn} is disabled.`);
    if (key.state === 'PendingDeletion')
      throw new KmsError('KMSInvalidStateException', `${key.arn} is pending deletion.`);
    return key;
  }

  #save(): void {
    writeFileSync(this.#file, JSON.stringify([...this.#keys.values()]), { mode: 0o600 });
  }
}

const invalid = () => new KmsError('InvalidCiphertextException', 'The ciphertext is not one of ours.');

/** The same context in another order is the same. */
function canonical(context: object): Buffer {
  const pairs = Object.entries(context).sort(([a], [b]) => (a < b ? -1 : 1));
  return Buffer.from(JSON.stringify(pairs));
}

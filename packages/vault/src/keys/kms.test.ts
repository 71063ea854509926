import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { codeOf, context, memoryReader, sealSmall } from '../../test/support.ts';
import { openEnvelope } from '../envelope/open-envelope.ts';
import { createKeys } from './keys.ts';
import type { KeyConfig } from './types.ts';

const arn = (id: string) => `arn:aws:kms:eu-west-1:123456789012:key/${id}`;
const credentials = { accessKeyId: 'AKIATEST', secretAccessKey: 'secret' };

interface DataKeyRequest {
  KeyId: string;
  NumberOfBytes: number;
  CiphertextBlob: string;
  EncryptionContext: object;
}

/** A KMS with keys of its own that binds each data key to its encryption context, as the real one does. */
class KmsDouble {
  readonly calls: string[] = [];
  refuse: { status: number; type: string } | undefined;
  readonly #keys = new Map<string, Buffer>();
  readonly #server: Server = createServer(async (request, response) => {
    const action = String(request.headers['x-amz-target']).replace('TrentService.', '');
    const input = JSON.parse(await text(request)) as DataKeyRequest;
    this.calls.push(`${action} ${input.KeyId}`);
    const reply = (status: number, body: object) => {
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body));
    };
    if (this.refuse) return reply(this.refuse.status, { __type: this.refuse.type, message: 'no' });
    try {
      reply(200, action === 'GenerateDataKey' ? this.#generate(input) : this.#decrypt(input));
    } catch {
      reply(400, { __type: 'InvalidCiphertextException' });
    }
  });

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #key(id: string): Buffer {
    const key = this.#keys.get(id) ?? randomBytes(32);
    this.#keys.set(id, key);
    return key;
  }

  #generate(input: DataKeyRequest): object {
    const plaintext = randomBytes(input.NumberOfBytes);
    const iv = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', this.#key(input.KeyId), iv);
    cipher.setAAD(Buffer.from(JSON.stringify(input.EncryptionContext)));
    const blob = Buffer.concat([iv, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
    return {
      KeyId: input.KeyId,
      Plaintext: plaintext.toString('base64'),
      CiphertextBlob: blob.toString('base64'),
    };
  }

  #decrypt(input: DataKeyRequest): object {
    const blob = Buffer.from(input.CiphertextBlob, 'base64');
    const decipher = createDecipheriv('aes-256-gcm', this.#key(input.KeyId), blob.subarray(0, 12));
    decipher.setAAD(Buffer.from(JSON.stringify(input.EncryptionContext)));
    decipher.setAuthTag(blob.subarray(-16));
    const plaintext = Buffer.concat([decipher.update(blob.subarray(12, -16)), decipher.final()]);
    return { KeyId: input.KeyId, Plaintext: plaintext.toString('base64') };
  }
}

const double = new KmsDouble();
const config = (...ids: string[]): KeyConfig => ({ kind: 'kms', keyIds: ids.map(arn), credentials });

beforeAll(async () => {
  process.env['AWS_ENDPOINT_URL_KMS'] = await double.start();
});
afterAll(() => {
  delete process.env['AWS_ENDPOINT_URL_KMS'];
  double.stop();
});
beforeEach(() => {
  double.calls.length = 0;
  double.refuse = undefined;
});

test('one GenerateDataKey by the newest key seals, one Decrypt opens, an old key stays readable', async () => {
  const message = await sealSmall(createKeys(config('old')), Buffer.from('hello'), 64);
  const both = createKeys(config('new', 'old'));
  await sealSmall(both, Buffer.from('hello'), 64);
  expect(double.calls).toEqual([`GenerateDataKey ${arn('old')}`, `GenerateDataKey ${arn('new')}`]);
  const opened = await openEnvelope(both, memoryReader(message), context);
  expect(opened).toMatchObject({ plaintextBytes: 5, keyId: arn('old') });
  expect(double.calls.slice(2)).toEqual([`Decrypt ${arn('old')}`]);
});

test('a key that is not ours is not even asked for', async () => {
  const message = await sealSmall(createKeys(config('theirs')), Buffer.from('hello'), 64);
  double.calls.length = 0;
  expect(await codeOf(openEnvelope(createKeys(config('ours')), memoryReader(message), context))).toBe(
    'envelope_wrong_key',
  );
  expect(double.calls).toEqual([]);
});

test('a writer that may only generate says so instead of trying', async () => {
  const writer = createKeys({ ...config('a'), generateOnly: true } as KeyConfig);
  const message = await sealSmall(writer, Buffer.from('hello'), 64);
  expect(writer.canOpen).toBe(false);
  expect(await codeOf(openEnvelope(writer, memoryReader(message), context))).toBe('envelope_wrong_key');
});

test.each([
  [400, 'AccessDeniedException', 'key_denied', false],
  [400, 'DisabledException', 'key_denied', false],
  [500, 'KMSInternalException', 'key_unavailable', true],
  [400, 'InvalidCiphertextException', 'envelope_wrong_key', false],
])('%i %s becomes %s', async (status, type, code, retryable) => {
  const keys = createKeys(config('a'));
  const message = await sealSmall(keys, Buffer.from('hello'), 64);
  double.refuse = { status, type };
  await expect(openEnvelope(keys, memoryReader(message), context)).rejects.toMatchObject({ code, retryable });
  if (code !== 'envelope_wrong_key') {
    await expect(sealSmall(keys, Buffer.from('hello'), 64)).rejects.toMatchObject({ code, retryable });
  }
});

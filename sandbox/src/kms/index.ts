import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { S3Error } from '../s3/errors.ts';
import { accessKeyOf, type Credentials, verifySignature } from '../s3/sigv4.ts';
import { KmsError, KmsKeys } from './keys.ts';

export interface OwnKms {
  /** For AWS_ENDPOINT_URL_KMS. */
  endpoint: string;
  /** Operation and key of each call, in order. */
  readonly calls: string[];
  /** Answers every call so, while it is set. */
  refuse: { status: number; type: string } | undefined;
  /** A new key's ARN. */
  createKey(): string;
  close(): Promise<void>;
}

interface Input {
  KeyId?: string;
  SourceKeyId?: string;
  DestinationKeyId?: string;
  NumberOfBytes?: number;
  KeySpec?: string;
  Plaintext?: string;
  CiphertextBlob?: string;
  EncryptionContext?: Record<string, string>;
  SourceEncryptionContext?: Record<string, string>;
  DestinationEncryptionContext?: Record<string, string>;
  PendingWindowInDays?: number;
}

const accountId = '123456789012';
const target = 'TrentService.';
const mostPlaintext = 4_096;

/**
 * AWS's Key Management Service, as far as wrapping data keys goes: signed requests, keys that are bound to their
 * encryption context, and that can be disabled or deleted.
 * Source: https://docs.aws.amazon.com/kms/latest/APIReference/Welcome.html
 */
export async function startKms(options: {
  directory: string;
  region: string;
  /** Who may ask. */
  credentials: readonly Pick<Credentials, 'accessKeyId' | 'secretAccessKey'>[];
}): Promise<OwnKms> {
  const keys = new KmsKeys(options.directory, options.region, accountId);
  const server = createServer(async (request, response) => {
    const body = await buffer(request);
    const reply = (status: number, answer: object) => {
      response
        .writeHead(status, {
          'content-type': 'application/x-amz-json-1.1',
          'x-amzn-requestid': randomBytes(16).toString('hex'),
        })
        .end(JSON.stringify(answer));
    };
    try {
      const { method = '', url = '', headers } = request;
      const accessKeyId = accessKeyOf({ url, headers });
      const known = options.credentials.find((one) => one.accessKeyId === accessKeyId);
      const { region, credentials } = options;
      const [first = { accessKeyId: '', secretAccessKey: '' }] = credentials;
      verifySignature({ method, url, headers }, { ...(known ?? first), region }, Date.now(), {
        service: 'kms',
        body,
      });
      const action = String(headers['x-amz-target'] ?? '').replace(target, '');
      const input = JSON.parse(body.toString('utf8')) as Input;
      own.calls.push(`${action} ${input.KeyId ?? input.DestinationKeyId ?? ''}`.trim());
      if (own.refuse) throw new KmsError(own.refuse.type, 'refused', own.refuse.status);
      reply(200, perform(keys, action, input));
    } catch (error) {
      reply(...refusal(error));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const own: OwnKms = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls: [],
    refuse: undefined,
    createKey: () => keys.create().arn,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return own;
}

function refusal(error: unknown): [number, object] {
  if (error instanceof KmsError) return [error.status, { __type: error.type, message: error.message }];
  // What is wrong with a signature is said by other names here.
  if (error instanceof S3Error) {
    const type =
      error.code === 'InvalidAccessKeyId' ? 'UnrecognizedClientException' : 'InvalidSignatureException';
    return [400, { __type: type, message: error.message }];
  }
  return [400, { __type: 'SerializationException', message: `${error}` }];
}

const bytesOf = (text: string | undefined): Buffer => Buffer.from(text ?? '', 'base64');

function perform(keys: KmsKeys, action: string, input: Input): object {
  const context = input.EncryptionContext ?? {};
  switch (action) {
    case 'CreateKey':
      return { KeyMetadata: metadata(keys.create()) };
    case 'DescribeKey':
      return { KeyMetadata: metadata(keys.find(input.KeyId)) };
    case 'EnableKey':
      keys.change(input.KeyId, 'Enabled');
      return {};
    case 'DisableKey':
      keys.change(input.KeyId, 'Disabled');
      return {};
    case 'ScheduleKeyDeletion': {
      const days = input.PendingWindowInDays ?? 30;
      if (days < 7 || days > 30)
        throw new KmsError('ValidationException', 'PendingWindowInDays must be from 7 to 30');
      const { arn, state } = keys.change(input.KeyId, 'PendingDeletion');
      return {
        KeyId: arn,
        KeyState: state,
        PendingWindowInDays: days,
        DeletionDate: Date.now() / 1000 + days * 86_400,
      };
    }
    case 'GenerateDataKey': {
      const plaintext = randomBytes(input.NumberOfBytes ?? (input.KeySpec === 'AES_128' ? 16 : 32));
      const { arn, blob } = keys.encrypt(input.KeyId, plaintext, context);
      return { KeyId: arn, Plaintext: plaintext.toString('base64'), CiphertextBlob: blob.toString('base64') };
    }
    case 'Encrypt': {
      const plaintext = bytesOf(input.Plaintext);
      if (plaintext.length === 0 || plaintext.length > mostPlaintext)
        throw new KmsError('ValidationException', 'Plaintext must have 1 to 4096 bytes');
      const { arn, blob } = keys.encrypt(input.KeyId, plaintext, context);
      return {
        KeyId: arn,
        CiphertextBlob: blob.toString('base64'),
        EncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
      };
    }
    case 'Decrypt': {
      const { arn, plaintext } = keys.decrypt(input.KeyId, bytesOf(input.CiphertextBlob), context);
      return {
        KeyId: arn,
        Plaintext: plaintext.toString('base64'),
        EncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
      };
    }
    case 'ReEncrypt': {
      const from = keys.decrypt(
        input.SourceKeyId,
        bytesOf(input.CiphertextBlob),
        input.SourceEncryptionContext ?? {},
      );
      const to = keys.encrypt(
        input.DestinationKeyId,
        from.plaintext,
        input.DestinationEncryptionContext ?? {},
      );
      return { SourceKeyId: from.arn, KeyId: to.arn, CiphertextBlob: to.blob.toString('base64') };
    }
  }
  throw new KmsError('UnknownOperationException', `${action} is not one of the operations here`);
}

function metadata({ arn, state }: ReturnType<KmsKeys['find']>): object {
  return {
    Arn: arn,
    KeyId: arn.split('/')[1],
    AWSAccountId: accountId,
    Enabled: state === 'Enabled',
    KeyState: state,
    KeyUsage: 'ENCRYPT_DECRYPT',
    KeySpec: 'SYMMETRIC_DEFAULT',
  };
}

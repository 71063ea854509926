import { randomUUID } from 'node:crypto';
import {
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  type GetObjectCommandInput,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
  type S3ServiceException,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import type { Ways } from './ways.ts';

/** An S3 that is running. */
export interface Engine {
  endpoint: string;
  accessKeyId: string;
  secretAccessKey: string;
  /** It stays when the test ends: what was made there is to be removed. */
  shared: boolean;
  close(): Promise<void>;
}

/** An engine under test, with a fresh bucket that keeps versions, and the calls that the suite makes of it. */
export class Subject {
  readonly bucket = `conformance-${randomUUID()}`;
  #engine: Engine | undefined;
  #s3: S3Client | undefined;

  constructor(
    private readonly begun: () => Promise<Engine>,
    readonly ways: Ways,
  ) {}

  get engine(): Engine {
    return this.#engine!;
  }

  get s3(): S3Client {
    return this.#s3!;
  }

  async start(): Promise<void> {
    this.#engine = await this.begun();
    this.#s3 = this.client();
    const Bucket = this.bucket;
    await this.s3.send(new CreateBucketCommand({ Bucket }));
    await this.s3.send(
      new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }),
    );
  }

  async stop(): Promise<void> {
    this.s3.destroy();
    await this.engine.close();
  }

  readonly client = (changes: { secretAccessKey?: string; checksums?: 'WHEN_SUPPORTED' } = {}) =>
    new S3Client({
      endpoint: this.engine.endpoint,
      region: 'us-east-1',
      forcePathStyle: true,
      credentials: {
        accessKeyId: this.engine.accessKeyId,
        secretAccessKey: changes.secretAccessKey ?? this.engine.secretAccessKey,
      },
      requestChecksumCalculation: changes.checksums ?? 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      maxAttempts: 1,
    });

  readonly send = ((command: Parameters<S3Client['send']>[0]) =>
    this.s3.send(command)) as unknown as S3Client['send'];

  readonly put = (Key: string, Body: Uint8Array | string) =>
    this.s3.send(new PutObjectCommand({ Bucket: this.bucket, Key, Body }));

  readonly get = async (input: Omit<GetObjectCommandInput, 'Bucket'>) => {
    const answer = await this.s3.send(new GetObjectCommand({ Bucket: this.bucket, ...input }));
    const body = Buffer.from((await answer.Body?.transformToByteArray()) ?? []);
    return { ...answer, body };
  };

  readonly begin = async (Key: string): Promise<string> =>
    (await this.s3.send(new CreateMultipartUploadCommand({ Bucket: this.bucket, Key }))).UploadId ?? '';

  readonly part = (Key: string, UploadId: string, PartNumber: number, Body: Uint8Array) =>
    this.s3.send(new UploadPartCommand({ Bucket: this.bucket, Key, UploadId, PartNumber, Body }));
}

/** How a call was refused; `accepted` and 200 when it was not. */
export async function refusal(sent: Promise<unknown>): Promise<{ name: string; status: number | undefined }> {
  try {
    await sent;
  } catch (error) {
    const known = error as S3ServiceException;
    return { name: known.name, status: known.$metadata?.httpStatusCode };
  }
  return { name: 'accepted', status: 200 };
}

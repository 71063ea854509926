import {
  GetBucketCorsCommand,
  GetBucketEncryptionCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketPolicyCommand,
  GetPublicAccessBlockCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { errorCode } from '@flex-custody/core';
import { createClient } from './client.ts';
import { storeError } from './errors.ts';
import { failureOf } from './failure.ts';
import { legalHoldOf, lockConfigurationOf, retentionOf, unavailableBy, versioningOf } from './locks.ts';
import type { Setting, StoreConfig, Versioning } from './types.ts';

export interface CorsRule {
  origins: readonly string[];
  methods: readonly string[];
}

const CHECK_KEY = 'recordings/.check';

/** How a bucket is set up. Reading it changes nothing. */
export interface BucketLook {
  versioning: Setting<Versioning>;
  /** Whether all four ways to make objects public are blocked. */
  publicAccessBlocked: Setting<boolean>;
  cors: Setting<readonly CorsRule[]>;
  /** `AES256`, `aws:kms`; undefined where objects are not encrypted by default. */
  encryption: Setting<string | undefined>;
  /** Whether a policy denies writes by how they are to be encrypted. */
  deniesUnencrypted: Setting<boolean>;
  objectLock: Setting<boolean>;
  /** Whether the locks of versions can be asked about. */
  retention: Setting<unknown>;
  legalHold: Setting<unknown>;
  /** Whether a rule removes uploads that were begun and never completed. */
  abortsUploads: Setting<boolean>;
  /** The store's clock minus ours in ms; undefined where its answers have no Date. */
  aheadMs: number | undefined;
}

/** @throws CustodyError `store_denied`, `store_unavailable` where the bucket as a whole cannot be asked */
export async function lookAtBucket(config: StoreConfig): Promise<BucketLook> {
  const client = createClient(config);
  const clock = readClock(client);
  const Bucket = config.bucket;
  const settingOf = async <T>(ask: Promise<T>, unset?: T): Promise<Setting<T>> => {
    try {
      return { value: await ask };
    } catch (error) {
      const { status, name } = failureOf(error);
      if (status === 404 && name !== 'NoSuchBucket' && unset !== undefined) return { value: unset };
      const unavailable = unavailableBy(error);
      if (unavailable) return { unavailable };
      // Any other 4xx is about this one question; what is wrong with the whole has a name of its own.
      const found = storeError(error, Bucket);
      if (found.code === 'store_settings' || found.code === 'object_missing')
        return { unavailable: 'unsupported' };
      throw found;
    }
  };
  try {
    const [
      versioning,
      publicAccessBlocked,
      cors,
      encryption,
      deniesUnencrypted,
      objectLock,
      abortsUploads,
      retention,
      legalHold,
    ] = await Promise.all([
      versioningOf(client, Bucket).catch(orUnsupported),
      settingOf(
        client
          .send(new GetPublicAccessBlockCommand({ Bucket }))
          .then(({ PublicAccessBlockConfiguration: block }) =>
            [
              block?.BlockPublicAcls,
              block?.IgnorePublicAcls,
              block?.BlockPublicPolicy,
              block?.RestrictPublicBuckets,
            ].every((blocked) => blocked === true),
          ),
        false,
      ),
      settingOf(
        client.send(new GetBucketCorsCommand({ Bucket })).then(({ CORSRules = [] }) =>
          CORSRules.map(({ AllowedOrigins: origins = [], AllowedMethods: methods = [] }) => ({
            origins,
            methods,
          })),
        ),
        [],
      ),
      settingOf(
        client
          .send(new GetBucketEncryptionCommand({ Bucket }))
          .then(
            ({ ServerSideEncryptionConfiguration: found }) =>
              found?.Rules?.[0]?.ApplyServerSideEncryptionByDefault?.SSEAlgorithm ?? '',
          ),
        '',
      ),
      settingOf(
        client
          .send(new GetBucketPolicyCommand({ Bucket }))
          .then(({ Policy }) => deniesByEncryption(Policy ?? '')),
        false,
      ),
      lockConfigurationOf(client, Bucket).catch(orUnsupported),
      settingOf(
        client
          .send(new GetBucketLifecycleConfigurationCommand({ Bucket }))
          .then(({ Rules = [] }) =>
            Rules.some((rule) => rule.Status === 'Enabled' && rule.AbortIncompleteMultipartUpload),
          ),
        false,
      ),
      // Of an object that is not there: rights are judged first.
      retentionOf(client, Bucket, CHECK_KEY),
      legalHoldOf(client, Bucket, CHECK_KEY),
    ]);
    return {
      versioning,
      publicAccessBlocked,
      cors,
      encryption: 'value' in encryption ? { value: encryption.value || undefined } : encryption,
      deniesUnencrypted,
      objectLock,
      abortsUploads,
      retention,
      legalHold,
      aheadMs: clock.aheadMs(),
    };
  } finally {
    client.destroy();
  }
}

/** A 4xx that is about nothing else is about this one question; what is wrong with the whole has a meaning of its own. */
function orUnsupported(error: unknown): { unavailable: 'unsupported' } {
  const code = errorCode(error);
  if (code !== 'store_settings' && code !== 'object_missing') throw error;
  return { unavailable: 'unsupported' };
}

interface Statement {
  Effect?: string;
  Action?: string | string[];
  Condition?: unknown;
}

const isWrite = /^(\*|s3:(\*|Put\*|PutObject\*?))$/i;
const ofEncryption = /"s3:x-amz-server-side-encryption"/i;

/** Whether it denies writes under a condition on the encryption that they ask for; what it wants instead is not judged. */
function deniesByEncryption(policy: string): boolean {
  const { Statement = [] } = JSON.parse(policy || '{}') as { Statement?: Statement | Statement[] };
  return [Statement]
    .flat()
    .some(
      ({ Effect, Action = [], Condition }) =>
        Effect === 'Deny' &&
        [Action].flat().some((action) => isWrite.test(action)) &&
        ofEncryption.test(JSON.stringify(Condition ?? {})),
    );
}

/** Reads the Date of every answer, also of those that are errors. */
function readClock(client: S3Client): { aheadMs(): number | undefined } {
  let ahead: number | undefined;
  const read = (response: unknown, sentAt: number) => {
    const { headers } = (response ?? {}) as { headers?: Record<string, string> };
    const theirs = Date.parse(headers?.['date'] ?? '');
    // It states whole seconds, rounded down.
    if (!Number.isNaN(theirs)) ahead = theirs + 500 - (sentAt + Date.now()) / 2;
  };
  client.middlewareStack.add(
    (next) => async (args) => {
      const sentAt = Date.now();
      try {
        const result = await next(args);
        read(result.response, sentAt);
        return result;
      } catch (error) {
        read((error as { $response?: unknown }).$response, sentAt);
        throw error;
      }
    },
    { step: 'deserialize', name: 'readClock' },
  );
  return { aheadMs: () => ahead };
}

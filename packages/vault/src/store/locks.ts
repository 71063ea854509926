import {
  GetBucketVersioningCommand,
  GetObjectLegalHoldCommand,
  GetObjectLockConfigurationCommand,
  GetObjectRetentionCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { isUnsupported, storeError } from './errors.ts';
import { failureOf } from './failure.ts';
import { meaningOf } from './meanings.ts';
import type { ObjectLock, Setting, Versioning } from './types.ts';

/** How long the answer "no Object Lock" counts; an operator may switch it on. */
const believedMs = 3 * 60_000;

/** What each version's lock is asked by. */
export interface Locks {
  /** See {@link Store.lockOf}. */
  lockOf(key: string, versionId?: string): Promise<ObjectLock | 'unknown' | undefined>;
}

export function createLocks(client: S3Client, bucket: string, now: () => number = Date.now): Locks {
  let withoutUntil = 0;

  const hasNone = async (): Promise<boolean> => {
    if (now() < withoutUntil) return true;
    const setting = await lockConfigurationOf(client, bucket);
    // A store that knows no such setting locks nothing.
    const isWithout = 'value' in setting ? !setting.value : setting.unavailable === 'unsupported';
    if (isWithout) withoutUntil = now() + believedMs;
    return isWithout;
  };

  return {
    async lockOf(key, versionId) {
      if (await hasNone()) return undefined;
      const [retention, hold] = await Promise.all([
        retentionOf(client, bucket, key, versionId),
        legalHoldOf(client, bucket, key, versionId),
      ]);
      const until = 'value' in retention ? retention.value : undefined;
      if ('value' in hold && hold.value) return { ...(until && { until }), legalHold: true };
      if ([retention, hold].some((setting) => 'unavailable' in setting && setting.unavailable === 'denied'))
        return 'unknown';
      return until && { until, legalHold: false };
    },
  };
}

/** Whether its versions can be locked. @throws CustodyError `store_*` */
export function lockConfigurationOf(client: S3Client, Bucket: string): Promise<Setting<boolean>> {
  return ask(
    Bucket,
    undefined,
    client
      .send(new GetObjectLockConfigurationCommand({ Bucket }))
      .then(({ ObjectLockConfiguration: lock }) => lock?.ObjectLockEnabled === 'Enabled'),
    false,
  );
}

/** Until when a version is kept; undefined: no longer, or the version is not there. @throws CustodyError `store_*` */
export function retentionOf(
  client: S3Client,
  Bucket: string,
  Key: string,
  VersionId?: string,
): Promise<Setting<Date | undefined>> {
  return ask(
    Bucket,
    Key,
    client
      .send(new GetObjectRetentionCommand({ Bucket, Key, VersionId }))
      .then(({ Retention }) => Retention?.RetainUntilDate),
    undefined,
  );
}

/** Whether a version is under a legal hold. @throws CustodyError `store_*` */
export function legalHoldOf(
  client: S3Client,
  Bucket: string,
  Key: string,
  VersionId?: string,
): Promise<Setting<boolean>> {
  return ask(
    Bucket,
    Key,
    client
      .send(new GetObjectLegalHoldCommand({ Bucket, Key, VersionId }))
      .then(({ LegalHold }) => LegalHold?.Status === 'ON'),
    false,
  );
}

/** Whether the bucket keeps versions now. @throws CustodyError `store_*` */
export function versioningOf(client: S3Client, Bucket: string): Promise<Setting<Versioning>> {
  return ask(
    Bucket,
    undefined,
    client
      .send(new GetBucketVersioningCommand({ Bucket }))
      .then(({ Status }) =>
        Status === 'Enabled' ? 'enabled' : Status === 'Suspended' ? 'suspended' : 'never',
      ),
  );
}

/** Of AWS, MinIO and radosgw: nothing was set, or there is nothing that it could be set on. */
const unsetNames = new Set([
  'ObjectLockConfigurationNotFoundError',
  'NoSuchObjectLockConfiguration',
  'NoSuchKey',
  'NoSuchVersion',
]);

/** Why a store does not state a setting; undefined where the failure is about something else. */
export function unavailableBy(error: unknown): 'denied' | 'unsupported' | undefined {
  // Also of a bucket that was made without Object Lock, and of a delete marker.
  if (isUnsupported(error)) return 'unsupported';
  const failure = failureOf(error);
  if (failure.deleteMarker) return 'unsupported';
  const isRefused = failure.status === 401 || failure.status === 403;
  return isRefused && meaningOf(failure).code === 'store_denied' ? 'denied' : undefined;
}

/**
 * A setting, or why it is unavailable. Any other refusal is an error: it says nothing about a lock.
 * @param unset what it means where the store says that nothing was set
 * @throws CustodyError `store_denied`, `store_unavailable`
 */
async function ask<T>(
  bucket: string,
  key: string | undefined,
  answer: Promise<T>,
  ...unset: [T] | []
): Promise<Setting<T>> {
  try {
    return { value: await answer };
  } catch (error) {
    const [value] = unset;
    if (unset.length > 0 && unsetNames.has(failureOf(error).name)) return { value: value as T };
    const unavailable = unavailableBy(error);
    if (!unavailable) throw storeError(error, bucket, key);
    return { unavailable };
  }
}

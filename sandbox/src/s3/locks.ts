import { readText } from './body.ts';
import { S3Error } from './errors.ts';
import { find } from './find.ts';
import { answer, type S3Request } from './request.ts';
import type { Version } from './storage.ts';
import { elements } from './xml.ts';

/** Object Lock: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html */
export async function putRetention(request: S3Request): Promise<void> {
  const version = locked(request);
  const text = await readText(request.incoming);
  const [mode = ''] = elements(text, 'Mode');
  const until = Date.parse(elements(text, 'RetainUntilDate')[0] ?? '');
  if (!/^(GOVERNANCE|COMPLIANCE)$/.test(mode) || Number.isNaN(until))
    throw new S3Error(400, 'MalformedXML', 'The XML you provided was not well-formed');
  if (version.lock?.mode === 'COMPLIANCE' && until < (version.lock.until ?? 0)) throw denied();
  await request.bucket.setLock(version, { mode, until });
  answer(request, 200);
}

export async function putLegalHold(request: S3Request): Promise<void> {
  const version = locked(request);
  const [status = ''] = elements(await readText(request.incoming), 'Status');
  await request.bucket.setLock(version, { legalHold: status === 'ON' });
  answer(request, 200);
}

function locked(request: S3Request): Version {
  if (!request.bucket.locks)
    throw new S3Error(400, 'InvalidRequest', 'Bucket is missing Object Lock Configuration');
  return find(request);
}

const isLocked = ({ lock }: Version): boolean => lock?.legalHold === true || (lock?.until ?? 0) > Date.now();

/** A version under a lock is not deleted; a marker in front of it may always be put. */
export function refuseLocked(version: Version | undefined): void {
  if (version && isLocked(version)) throw denied();
}

/** Left out for who may not know: to them a lock looks like none. */
export function lockHeaders({ rights, key }: S3Request, { lock }: Version): Record<string, string> {
  const retention = lock !== undefined && rights.may('s3:GetObjectRetention', key);
  const legalHold = lock !== undefined && rights.may('s3:GetObjectLegalHold', key);
  return {
    ...(retention && lock.mode && { 'x-amz-object-lock-mode': lock.mode }),
    ...(retention &&
      lock.until && { 'x-amz-object-lock-retain-until-date': new Date(lock.until).toISOString() }),
    ...(legalHold && lock.legalHold && { 'x-amz-object-lock-legal-hold': 'ON' }),
  };
}

const denied = () =>
  new S3Error(403, 'AccessDenied', 'Access Denied because object protected by object lock.');

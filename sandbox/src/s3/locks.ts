import type { IncomingHttpHeaders } from 'node:http';
import { readText } from './body.ts';
import { S3Error } from './errors.ts';
import { find } from './find.ts';
import { answer, type S3Request } from './request.ts';
import type { Bucket, DefaultRetention, Lock, LockMode, Version } from './storage.ts';
import { document, type Element, elements } from './xml.ts';

/** Object Lock: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html */
export async function getLockConfiguration(request: S3Request): Promise<void> {
  const { locks, defaultRetention } = request.bucket;
  if (!locks)
    throw new S3Error(
      404,
      'ObjectLockConfigurationNotFoundError',
      'Object Lock configuration does not exist for this bucket',
    );
  const rule: Element[] = defaultRetention
    ? [
        [
          'Rule',
          [
            [
              'DefaultRetention',
              [
                ['Mode', defaultRetention.mode],
                [defaultRetention.unit, defaultRetention.count],
              ],
            ],
          ],
        ],
      ]
    : [];
  answer(request, 200, document('ObjectLockConfiguration', [['ObjectLockEnabled', 'Enabled'], ...rule]));
}

/** Switches Object Lock on, also for a bucket that is there already; nothing switches it off again. */
export async function putLockConfiguration(request: S3Request): Promise<void> {
  const { bucket } = request;
  const text = await readText(request.incoming);
  if (elements(text, 'ObjectLockEnabled')[0] !== 'Enabled') throw malformed();
  if (bucket.versioning !== 'Enabled')
    throw new S3Error(
      409,
      'InvalidBucketState',
      "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration",
    );
  bucket.locks = true;
  bucket.defaultRetention = defaultOf(elements(text, 'DefaultRetention')[0]);
  answer(request, 200);
}

function defaultOf(text: string | undefined): DefaultRetention | undefined {
  if (text === undefined) return undefined;
  const mode = modeOf(elements(text, 'Mode')[0]);
  const unit = elements(text, 'Years').length > 0 ? 'Years' : 'Days';
  const count = Number(elements(text, unit)[0]);
  if (!Number.isInteger(count) || count < 1) throw malformed();
  return { mode, unit, count };
}

export async function getRetention(request: S3Request): Promise<void> {
  const { lock } = lockable(request);
  if (lock?.mode === undefined || lock.until === undefined) throw noLock();
  const body = document('Retention', [
    ['Mode', lock.mode],
    ['RetainUntilDate', new Date(lock.until).toISOString()],
  ]);
  answer(request, 200, body);
}

/** No user shortens a compliance lock; a governance lock only one who has the right to bypass it and asks for that. */
export async function putRetention(request: S3Request): Promise<void> {
  const version = lockable(request);
  const text = await readText(request.incoming);
  const [modeText] = elements(text, 'Mode');
  const until = Date.parse(elements(text, 'RetainUntilDate')[0] ?? '');
  const wanted =
    modeText === undefined && Number.isNaN(until) ? undefined : { mode: modeOf(modeText), until };
  if (wanted && Number.isNaN(until)) throw malformed();
  const { lock } = version;
  const isKept = (lock?.until ?? 0) > request.bucket.now();
  const isLess =
    !wanted ||
    wanted.until < (lock?.until ?? 0) ||
    (lock?.mode === 'COMPLIANCE' && wanted.mode !== 'COMPLIANCE');
  if (isKept && isLess && !(lock?.mode === 'GOVERNANCE' && bypasses(request))) throw locked();
  await request.bucket.setLock(version, wanted ?? { mode: undefined, until: undefined });
  answer(request, 200);
}

export async function getLegalHold(request: S3Request): Promise<void> {
  const { lock } = lockable(request);
  if (lock?.legalHold === undefined) throw noLock();
  answer(request, 200, document('LegalHold', [['Status', lock.legalHold ? 'ON' : 'OFF']]));
}

export async function putLegalHold(request: S3Request): Promise<void> {
  const version = lockable(request);
  const [status = ''] = elements(await readText(request.incoming), 'Status');
  if (status !== 'ON' && status !== 'OFF') throw malformed();
  await request.bucket.setLock(version, { legalHold: status === 'ON' });
  answer(request, 200);
}

/** A version under a lock is not deleted; a marker in front of it may always be put. */
export function refuseLocked(request: S3Request, version: Version | undefined): void {
  const { lock } = version ?? {};
  if (lock?.legalHold === true) throw locked();
  const isKept = (lock?.until ?? 0) > request.bucket.now();
  if (isKept && !(lock?.mode === 'GOVERNANCE' && bypasses(request))) throw locked();
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

/** What a new version is locked by: what its request asks for, else the bucket's default. */
export function lockOfNew(
  { bucket, key, rights }: Pick<S3Request, 'bucket' | 'key' | 'rights'>,
  headers: IncomingHttpHeaders,
): Lock | undefined {
  const text = (name: string) => headers[`x-amz-object-lock-${name}`] as string | undefined;
  const [mode, until, hold] = [text('mode'), text('retain-until-date'), text('legal-hold')];
  if (mode === undefined && hold === undefined) return byDefault(bucket);
  if (!bucket.locks) throw withoutLocks();
  if (mode !== undefined) rights.require('s3:PutObjectRetention', key);
  if (hold !== undefined) rights.require('s3:PutObjectLegalHold', key);
  return {
    ...(mode === undefined ? byDefault(bucket) : { mode: modeOf(mode), until: Date.parse(until ?? '') }),
    ...(hold !== undefined && { legalHold: hold === 'ON' }),
  };
}

const dayMs = 24 * 3_600_000;

function byDefault({ defaultRetention, now }: Bucket): Lock | undefined {
  if (!defaultRetention) return undefined;
  const { mode, unit, count } = defaultRetention;
  return { mode, until: now() + count * (unit === 'Years' ? 365 : 1) * dayMs };
}

function bypasses({ incoming, key, rights }: S3Request): boolean {
  return (
    incoming.headers['x-amz-bypass-governance-retention'] === 'true' &&
    rights.may('s3:BypassGovernanceRetention', key)
  );
}

function lockable(request: S3Request): Version {
  if (!request.bucket.locks) throw withoutLocks();
  return find(request);
}

function modeOf(text: string | undefined): LockMode {
  if (text !== 'GOVERNANCE' && text !== 'COMPLIANCE') throw malformed();
  return text;
}

const withoutLocks = () => new S3Error(400, 'InvalidRequest', 'Bucket is missing Object Lock Configuration');
const noLock = () =>
  new S3Error(
    404,
    'NoSuchObjectLockConfiguration',
    'The specified object does not have a ObjectLock configuration',
  );
const malformed = () => new S3Error(400, 'MalformedXML', 'The XML you provided was not well-formed');
const locked = () =>
  new S3Error(403, 'AccessDenied', 'Access Denied because object protected by object lock.');

import { randomBytes } from 'node:crypto';
import { S3Error } from './errors.ts';
import { judge, type Policy } from './policy.ts';

/** The holder of a key of the account. */
export interface Identity {
  /** As refusals name it. */
  name: string;
  accessKeyId: string;
  secretAccessKey: string;
  /** With the names of its buckets; undefined: the account's own, which may do everything. A test may take rights away. */
  policy: Policy | undefined;
}

export const newIdentity = (name: string, policy?: Policy): Identity => ({
  name,
  accessKeyId: `AKIA${randomBytes(8).toString('hex').toUpperCase()}`,
  secretAccessKey: randomBytes(20).toString('hex'),
  policy,
});

/** What one identity may do in one bucket. */
export interface Rights {
  /** @param key undefined for the bucket itself */
  may(action: string, key?: string): boolean;
  /** @throws S3Error 403 as S3 words it */
  require(action: string, key?: string): void;
}

export function rightsOf({ name, policy }: Identity, bucket: string): Rights {
  const arn = (key: string | undefined) =>
    key === undefined ? `arn:aws:s3:::${bucket}` : `arn:aws:s3:::${bucket}/${key}`;
  const verdict = (action: string, key: string | undefined) =>
    policy ? judge(policy, action, arn(key)) : 'allowed';
  return {
    may: (action, key) => verdict(action, key) === 'allowed',
    require(action, key) {
      const found = verdict(action, key);
      if (found === 'allowed') return;
      // Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/troubleshoot-403-errors.html
      const why =
        found === 'denied'
          ? 'with an explicit deny in an identity-based policy'
          : `because no identity-based policy allows the ${action} action`;
      throw new S3Error(
        403,
        'AccessDenied',
        `User: arn:aws:iam::123456789012:user/${name} is not authorized to perform: ${action} on resource: "${arn(key)}" ${why}`,
      );
    },
  };
}

type Asks = (query: URLSearchParams) => string | undefined;
const by =
  (names: Readonly<Record<string, string>>, otherwise?: string): Asks =>
  (query) =>
    Object.entries(names).find(([name]) => query.has(name))?.[1] ?? otherwise;

/** Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html */
const actions: Readonly<Record<string, Asks>> = {
  'HEAD bucket': by({}, 's3:ListBucket'),
  'GET bucket': by(
    {
      location: 's3:GetBucketLocation',
      versioning: 's3:GetBucketVersioning',
      versions: 's3:ListBucketVersions',
      uploads: 's3:ListBucketMultipartUploads',
      publicAccessBlock: 's3:GetBucketPublicAccessBlock',
      cors: 's3:GetBucketCORS',
      encryption: 's3:GetEncryptionConfiguration',
      'object-lock': 's3:GetBucketObjectLockConfiguration',
      lifecycle: 's3:GetLifecycleConfiguration',
      policy: 's3:GetBucketPolicy',
    },
    's3:ListBucket',
  ),
  'PUT bucket': by(
    {
      versioning: 's3:PutBucketVersioning',
      'object-lock': 's3:PutBucketObjectLockConfiguration',
    },
    's3:CreateBucket',
  ),
  'HEAD object': by({ versionId: 's3:GetObjectVersion' }, 's3:GetObject'),
  'GET object': by(
    {
      uploadId: 's3:ListMultipartUploadParts',
      retention: 's3:GetObjectRetention',
      'legal-hold': 's3:GetObjectLegalHold',
      versionId: 's3:GetObjectVersion',
    },
    's3:GetObject',
  ),
  'PUT object': by(
    { retention: 's3:PutObjectRetention', 'legal-hold': 's3:PutObjectLegalHold' },
    's3:PutObject',
  ),
  'POST object': by({}, 's3:PutObject'),
  'DELETE object': by(
    { uploadId: 's3:AbortMultipartUpload', versionId: 's3:DeleteObjectVersion' },
    's3:DeleteObject',
  ),
};

/** The right that a request needs, such as `s3:PutObject`; for one that is not known here a right that no policy names. */
export function actionOf(method: string, key: string, query: URLSearchParams): string {
  const asked = `${method} ${key === '' ? 'bucket' : 'object'}`;
  return actions[asked]?.(query) ?? `unknown:${asked}`;
}

import type { Policy } from './policy.ts';

/** The policies of docs/deploy.md, by which the local bucket judges; a test holds them to that page. */
export const functionsPolicy: Policy = {
  Version: '2012-10-17',
  Statement: [
    {
      Sid: 'SealedRecordings',
      Effect: 'Allow',
      Action: ['s3:PutObject', 's3:AbortMultipartUpload', 's3:ListMultipartUploadParts'],
      Resource: 'arn:aws:s3:::YOUR-BUCKET/recordings/*',
    },
    {
      Sid: 'NoSidecars',
      Effect: 'Deny',
      Action: 's3:*',
      Resource: 'arn:aws:s3:::YOUR-BUCKET/recordings/*.json',
    },
  ],
};

export const hostPolicy: Policy = {
  Version: '2012-10-17',
  Statement: [
    {
      Sid: 'Recordings',
      Effect: 'Allow',
      Action: [
        's3:PutObject',
        's3:GetObject',
        's3:GetObjectVersion',
        's3:GetObjectRetention',
        's3:GetObjectLegalHold',
        's3:DeleteObject',
        's3:DeleteObjectVersion',
        's3:AbortMultipartUpload',
        's3:ListMultipartUploadParts',
      ],
      Resource: 'arn:aws:s3:::YOUR-BUCKET/recordings/*',
    },
    {
      Sid: 'Certificates',
      Effect: 'Allow',
      Action: ['s3:PutObject', 's3:AbortMultipartUpload'],
      Resource: 'arn:aws:s3:::YOUR-BUCKET/certificates/*',
    },
    {
      Sid: 'Statements',
      Effect: 'Allow',
      Action: ['s3:PutObject', 's3:AbortMultipartUpload'],
      Resource: 'arn:aws:s3:::YOUR-BUCKET/statements/*',
    },
    {
      Sid: 'Bucket',
      Effect: 'Allow',
      Action: [
        's3:ListBucket',
        's3:ListBucketVersions',
        's3:ListBucketMultipartUploads',
        's3:GetBucketVersioning',
        's3:GetBucketPublicAccessBlock',
        's3:GetBucketCORS',
        's3:GetEncryptionConfiguration',
        's3:GetBucketObjectLockConfiguration',
        's3:GetLifecycleConfiguration',
        's3:GetBucketPolicy',
      ],
      Resource: 'arn:aws:s3:::YOUR-BUCKET',
    },
  ],
};

/** What `import` needs beside it on a bucket of before; the last statement is for `--delete-plain` alone. */
export const oldBucketPolicy: Policy = {
  Version: '2012-10-17',
  Statement: [
    {
      Sid: 'List',
      Effect: 'Allow',
      Action: ['s3:ListBucket', 's3:ListBucketVersions'],
      Resource: 'arn:aws:s3:::OLD-BUCKET',
    },
    {
      Sid: 'Read',
      Effect: 'Allow',
      Action: ['s3:GetObject', 's3:GetObjectVersion'],
      Resource: 'arn:aws:s3:::OLD-BUCKET/*',
    },
    {
      Sid: 'DeletePlain',
      Effect: 'Allow',
      Action: ['s3:DeleteObject', 's3:DeleteObjectVersion'],
      Resource: 'arn:aws:s3:::OLD-BUCKET/*',
    },
  ],
};

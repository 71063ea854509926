import type { ErrorCode } from '@flex-custody/core';
import type { StoreFailure } from './failure.ts';

/** What an answer of a store means for the caller, whichever request it answers. */
export interface Meaning {
  code: ErrorCode;
  /** `fault: next step`. */
  says(of: About): string;
}

export interface About extends StoreFailure {
  bucket: string;
  /** The object where there is one, else the bucket. */
  where: string;
}

type Says = Meaning['says'];

const answered = ({ status, name }: StoreFailure) => `${status ?? 'no answer'}, ${name}`;
const meaning = (code: ErrorCode, says: Says): Meaning => ({ code, says });

/** A temporary failure. */
const later = meaning(
  'store_unavailable',
  (of) =>
    `S3 failed on ${of.where} (${answered(of)}): check that it runs, and the network and proxy on the way`,
);
/** This store cannot do it, now or later; another store can. */
const never = meaning(
  'store_unsupported',
  (of) =>
    `this store does not do what was asked of ${of.where} (${answered(of)}): use an S3 that does (docs/deploy.md)`,
);
/** Nothing is wrong with any recording, and nothing changes before an operator changes a setting. */
const setting = (code: ErrorCode) => (says: Says) => meaning(code, says);

const denied = setting('store_denied');
const credentials = setting('store_credentials');
const settings = setting('store_settings');
const key = setting('store_key');

const unknownCredentials = credentials(
  ({ name }) =>
    `S3 does not know these credentials (${name}): check the access key id and its secret (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY)`,
);
const expiredCredentials = credentials(
  ({ name }) =>
    `the credentials have expired (${name}): renew AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN together, or run where a role renews them`,
);
const noCredentials = credentials(
  () => 'no credentials: give an access key (AWS_ACCESS_KEY_ID), or run where a role lends them',
);
const clock = setting('store_clock')(
  ({ name }) => `the clock of this machine differs from that of S3 (${name}): set it by NTP`,
);
const full = setting('store_full')(
  (of) => `the store has no room left for ${of.where} (${answered(of)}): free space, or raise its quota`,
);
const account = settings(
  ({ bucket, name }) =>
    `the account that owns bucket ${bucket} may not use S3 (${name}): see the account at the provider of the store`,
);
const region = setting('store_region')(({ bucket, region: named, endpoint, name, status }) => {
  if (named !== undefined)
    return `bucket ${bucket} is in another region (${name}): set AWS_REGION to ${named}`;
  if (endpoint !== undefined)
    return `S3 sends requests for bucket ${bucket} to ${endpoint} (${name}): set AWS_REGION to the region of the bucket, or AWS_ENDPOINT_URL_S3 to that endpoint`;
  return `bucket ${bucket} is in another region (${status ?? ''} ${name}): set AWS_REGION to its own`;
});
/** A lifecycle rule did it: the object is there, and cannot be read. */
const archived = meaning(
  'store_archived',
  ({ where }) =>
    `${where} was moved to an archive, where nothing is read from: restore it, and take recordings/ out of the lifecycle rule that moves objects to Glacier`,
);
const locked = denied(
  ({ where, name }) =>
    `${where} is kept by Object Lock (${name}): wait for the end of its retention, or have its legal hold taken off`,
);

const kmsKey = (what: string, next: string) =>
  key(
    ({ bucket, name }) =>
      `the KMS key of bucket ${bucket} ${what} (${name}): ${next} (CUSTODY_SSE_KMS_KEY_ID)`,
  );

const kmsDenied = kmsKey(
  'is refused to these credentials',
  'allow kms:GenerateDataKey and kms:Decrypt on it',
);

/** S3 passes on what KMS says, with `KMS.` before its name. */
const byKms: readonly [RegExp, Meaning][] = [
  [/Throttling|Internal|DependencyTimeout|KeyUnavailable|LimitExceeded/, later],
  [/AccessDenied/, kmsDenied],
  [/Disabled/, kmsKey('is disabled', 'enable it')],
  [/NotFound/, kmsKey('is not there', "name one that is in the bucket's region")],
  [/InvalidState/, kmsKey('cannot be used as it is', 'cancel its deletion, or finish its import')],
  [/KeyUsage/, kmsKey('is not for this', 'name a symmetric key for encryption')],
  [/./, kmsKey('cannot be used', 'see the key and its policy in AWS KMS')],
];

const each = (names: string, means: Meaning): [string, Meaning][] =>
  names
    .trim()
    .split(/\s+/)
    .map((name) => [name, means]);

/**
 * By the name that the store gives the failure, at AWS and at MinIO, radosgw, R2 and others.
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
 */
const byName: ReadonlyMap<string, Meaning> = new Map([
  ...each(
    `SlowDown ServiceUnavailable InternalError RequestTimeout RequestTimeoutException Throttling
     ThrottlingException ThrottledException RequestThrottled RequestThrottledException TooManyRequests
     TooManyRequestsException RequestLimitExceeded BandwidthLimitExceeded OperationAborted
     ConditionalRequestConflict IncompleteBody BadDigest InvalidPart InvalidPartOrder EntityTooSmall
     XAmzContentSHA256Mismatch XMinioServerNotInitialized`,
    later,
  ),
  ...each(
    `InvalidAccessKeyId SignatureDoesNotMatch InvalidSecurity InvalidClientTokenId UnrecognizedClientException
     MissingSecurityHeader MissingAuthenticationToken AuthFailure InvalidTokenId AuthorizationQueryParametersError`,
    unknownCredentials,
  ),
  ...each('ExpiredToken ExpiredTokenException TokenRefreshRequired InvalidToken', expiredCredentials),
  ...each('CredentialsProviderError TokenProviderError', noCredentials),
  ...each('RequestTimeTooSkewed RequestExpired RequestInTheFuture', clock),
  ...each(
    `AuthorizationHeaderMalformed PermanentRedirect TemporaryRedirect Redirect IncorrectEndpoint
     IllegalLocationConstraintException InvalidLocationConstraint InvalidRegionName BucketRegionError`,
    region,
  ),
  ...each(
    `QuotaExceeded XMinioStorageFull XMinioAdminBucketQuotaExceeded StorageFull ServiceQuotaExceeded
     ServiceQuotaExceededException InsufficientStorage`,
    full,
  ),
  ...each('AccountProblem AllAccessDisabled NotSignedUp UnauthorizedAccess InvalidPayer', account),
  [
    'NoSuchBucket',
    denied(
      ({ bucket }) => `bucket ${bucket} does not exist: create it, or correct its name (CUSTODY_BUCKET)`,
    ),
  ],
  [
    'InvalidBucketName',
    settings(({ bucket }) => `"${bucket}" is no name of a bucket: correct CUSTODY_BUCKET`),
  ],
  [
    'InvalidStorageClass',
    settings(
      ({ bucket, name }) =>
        `the store of bucket ${bucket} has no such storage class (${name}): correct CUSTODY_STORAGE_CLASS`,
    ),
  ],
  ['InvalidObjectState', archived],
  ...each('ObjectLocked ObjectLockedByRetention InvalidObjectLockState', locked),
  ...each(
    `NotImplemented XNotImplemented MethodNotAllowed UnsupportedOperation UnsupportedParameter UnsupportedArgument
     UnsupportedSignature InvalidRequest InvalidArgument MalformedXML`,
    never,
  ),
]);

const missing = meaning('object_missing', ({ where }) => `${where} is not there`);
const refused = denied(
  ({ where, name }) =>
    `S3 refuses ${where} (${name}): allow it to these credentials (docs/deploy.md has the whole policy)`,
);
const untrusted = settings(
  ({ where, name }) =>
    `the certificate of the store of ${where} is not accepted (${name}): name its authority in NODE_EXTRA_CA_CERTS, or correct AWS_ENDPOINT_URL_S3`,
);
const unnamed = settings(({ bucket, region: named, ...of }) => {
  const where = named === undefined ? '' : `, its region is ${named}`;
  return `S3 takes no request for bucket ${bucket} (${answered(of)}${where}): check AWS_REGION, AWS_ENDPOINT_URL_S3, CUSTODY_BUCKET and the credentials`;
});

/** By the HTTP status, where the name says nothing: answers to HEAD have none, and a proxy's page has its own. */
const byStatus: ReadonlyMap<number, Meaning> = new Map([
  [401, refused],
  [403, refused],
  [404, missing],
  [405, never],
  [407, settings(() => 'the proxy on the way asks for credentials: give them in HTTPS_PROXY')],
  [408, later],
  [409, later],
  [410, missing],
  [412, meaning('object_changed', ({ where }) => `${where} is not the version that was asked for`)],
  [416, meaning('object_range', ({ where }) => `${where} has no such range`)],
  [425, later],
  [429, later],
  [505, never],
  [507, full],
]);

const notTrusted =
  /^(CERT_|SELF_SIGNED|DEPTH_ZERO_SELF_SIGNED|UNABLE_TO_(GET|VERIFY)|ERR_TLS_CERT|HOSTNAME_MISMATCH|INVALID_CA)/;

/** One meaning for one answer, whichever request it answers. */
export function meaningOf(failure: StoreFailure): Meaning {
  const { status, name, message, deleteMarker } = failure;
  if (deleteMarker) return missing;
  // Whatever it is called: the status says that it is never.
  if (status === 501) return never;
  const kms = /^(KMS\.|XMinioKMS|KMS)(.*)/.exec(name);
  if (kms) return byKms.find(([pattern]) => pattern.test(kms[2] || '?'))?.[1] ?? later;
  if (status === 400 || status === 403) {
    if (/object.?lock|\bWORM\b/i.test(message) && name !== 'InvalidRequest') return locked;
    if (status === 403 && /\bkms:/i.test(message)) return kmsDenied;
  }
  const named = byName.get(name);
  // What calls itself a failure of its own and answers 403 refuses all the same.
  const isContradicted = name === 'InternalError' && status !== undefined && status < 500;
  if (named && !isContradicted) return named;
  if (status === undefined) return notTrusted.test(name) ? untrusted : later;
  const plain = byStatus.get(status);
  if (plain) return plain;
  if (status >= 300 && status < 400) return region;
  return status >= 400 && status < 500 ? unnamed : later;
}

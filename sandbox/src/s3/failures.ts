import type { Fault } from '../faults.ts';

/** An answer by which a store refuses for good, or until a setting is corrected. */
export interface Failure {
  status: number;
  code: string;
  /** Further elements of its document; a region is a header as well. */
  region?: string;
  endpoint?: string;
}

/** How S3 says that a setting is wrong, none of which is an outage. Source: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html */
export const settingFailures: readonly Failure[] = [
  { status: 400, code: 'ExpiredToken' },
  { status: 400, code: 'TokenRefreshRequired' },
  { status: 400, code: 'InvalidToken' },
  { status: 403, code: 'InvalidAccessKeyId' },
  { status: 403, code: 'SignatureDoesNotMatch' },
  { status: 403, code: 'RequestTimeTooSkewed' },
  { status: 403, code: 'AccessDenied' },
  { status: 403, code: 'AccountProblem' },
  { status: 403, code: 'AllAccessDisabled' },
  { status: 400, code: 'AuthorizationHeaderMalformed', region: 'eu-central-1' },
  { status: 400, code: 'IllegalLocationConstraintException' },
  { status: 301, code: 'PermanentRedirect', endpoint: 'custody.s3.eu-central-1.amazonaws.com' },
  { status: 307, code: 'TemporaryRedirect', endpoint: 'custody.s3.eu-central-1.amazonaws.com' },
  { status: 400, code: 'InvalidBucketName' },
  { status: 404, code: 'NoSuchBucket' },
  { status: 400, code: 'KMS.DisabledException' },
  { status: 400, code: 'KMS.NotFoundException' },
  { status: 400, code: 'KMS.InvalidStateException' },
  { status: 400, code: 'KMSInvalidKeyUsage' },
  { status: 403, code: 'QuotaExceeded' },
];

/** As a fault of the sandbox, until it is cleared. */
export const failureFault = ({ status: value, ...failure }: Failure, match?: string): Fault => ({
  target: 's3',
  kind: 'status',
  value,
  failure,
  times: 0,
  ...(match !== undefined && { match }),
});

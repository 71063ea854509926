import { storeError } from './errors.ts';
import { failureOf } from './failure.ts';

/** As the SDK throws it. */
const thrown = (
  status: number | undefined,
  name: string,
  more: { message?: string; Region?: string; Endpoint?: string; headers?: Record<string, string> } = {},
) => {
  const { message = 'UnknownError', headers = {}, ...fields } = more;
  return Object.assign(new Error(message), {
    name,
    ...fields,
    $metadata: { httpStatusCode: status },
    $response: { headers },
  });
};
const meant = (...of: Parameters<typeof thrown>) => storeError(thrown(...of), 'calls', 'recordings/k');

describe('a setting is no outage, and its next step names what to set', () => {
  test.each([
    [400, 'ExpiredToken', 'store_credentials', 'AWS_SESSION_TOKEN'],
    [400, 'TokenRefreshRequired', 'store_credentials', 'AWS_SESSION_TOKEN'],
    [400, 'InvalidToken', 'store_credentials', 'AWS_SESSION_TOKEN'],
    [403, 'InvalidAccessKeyId', 'store_credentials', 'AWS_ACCESS_KEY_ID'],
    [403, 'SignatureDoesNotMatch', 'store_credentials', 'AWS_SECRET_ACCESS_KEY'],
    [undefined, 'CredentialsProviderError', 'store_credentials', 'AWS_ACCESS_KEY_ID'],
    [403, 'RequestTimeTooSkewed', 'store_clock', 'NTP'],
    [400, 'RequestTimeTooSkewed', 'store_clock', 'NTP'],
    [400, 'AuthorizationHeaderMalformed', 'store_region', 'AWS_REGION'],
    [400, 'IllegalLocationConstraintException', 'store_region', 'AWS_REGION'],
    [301, 'PermanentRedirect', 'store_region', 'AWS_REGION'],
    [307, 'TemporaryRedirect', 'store_region', 'AWS_REGION'],
    [301, 'Unknown', 'store_region', 'AWS_REGION'],
    [404, 'NoSuchBucket', 'store_denied', 'CUSTODY_BUCKET'],
    [400, 'InvalidBucketName', 'store_settings', 'CUSTODY_BUCKET'],
    [400, 'InvalidStorageClass', 'store_settings', 'CUSTODY_STORAGE_CLASS'],
    [403, 'AccountProblem', 'store_settings', 'account'],
    [403, 'AllAccessDisabled', 'store_settings', 'account'],
    [400, 'Unknown', 'store_settings', 'AWS_REGION'],
    [407, 'Unknown', 'store_settings', 'HTTPS_PROXY'],
    [undefined, 'DEPTH_ZERO_SELF_SIGNED_CERT', 'store_settings', 'NODE_EXTRA_CA_CERTS'],
    [403, 'AccessDenied', 'store_denied', 'docs/deploy.md'],
    [403, 'InternalError', 'store_denied', 'docs/deploy.md'],
    [400, 'KMS.DisabledException', 'store_key', 'enable it'],
    [400, 'KMS.NotFoundException', 'store_key', 'CUSTODY_SSE_KMS_KEY_ID'],
    [400, 'KMS.InvalidStateException', 'store_key', 'cancel its deletion'],
    [400, 'KMS.KMSInvalidStateException', 'store_key', 'cancel its deletion'],
    [400, 'KMSInvalidKeyUsage', 'store_key', 'symmetric'],
    [400, 'KMS.AccessDeniedException', 'store_key', 'kms:GenerateDataKey'],
    [403, 'QuotaExceeded', 'store_full', 'quota'],
    [507, 'XMinioStorageFull', 'store_full', 'free space'],
  ])('%s %s is %s: %s', (status, name, code, next) => {
    const error = meant(status, name);
    expect(error).toMatchObject({ code, status: 503, retryable: true });
    expect(error.message.slice(error.message.lastIndexOf(': '))).toContain(next);
  });

  test.each([
    ['in the body', { Region: 'eu-central-1' }],
    ['in a header', { headers: { 'x-amz-bucket-region': 'eu-central-1' } }],
  ])('the region that S3 names %s is passed on', (_where, more) => {
    expect(meant(400, 'AuthorizationHeaderMalformed', more).message).toMatch(
      /set AWS_REGION to eu-central-1$/,
    );
    expect(meant(301, 'PermanentRedirect', more).message).toContain('set AWS_REGION to eu-central-1');
  });

  test.each([
    ['in the body', { Endpoint: 'calls.s3-eu.example' }],
    ['as a location', { headers: { location: 'https://calls.s3-eu.example/recordings/k' } }],
  ])('so is the endpoint %s', (_where, more) => {
    expect(meant(307, 'TemporaryRedirect', more).message).toContain(
      'sends requests for bucket calls to calls.s3-eu.example',
    );
  });

  test('what S3 refuses for the key of its encryption names the right at KMS', () => {
    const message = 'User: arn:… is not authorized to perform: kms:GenerateDataKey on resource: arn:…';
    expect(meant(403, 'AccessDenied', { message })).toMatchObject({ code: 'store_key' });
  });
});

test.each([
  [501, 'NotImplemented'],
  [501, 'Unknown'],
  [501, 'InternalError'],
  [405, 'MethodNotAllowed'],
  [400, 'NotImplemented'],
  [400, 'MalformedXML'],
  [400, 'UnsupportedParameter'],
])('%i %s is never, and not later', (status, name) => {
  expect(meant(status, name)).toMatchObject({ code: 'store_unsupported', retryable: false });
});

test.each([
  [503, 'SlowDown'],
  [500, 'InternalError'],
  [502, 'Unknown'],
  [400, 'RequestTimeout'],
  [429, 'TooManyRequests'],
  [400, 'KMS.ThrottlingException'],
  [409, 'OperationAborted'],
  [undefined, 'ECONNREFUSED'],
])('%s %s is an outage', (status, name) => {
  expect(meant(status, name)).toMatchObject({ code: 'store_unavailable', status: 503, retryable: true });
});

test('what is about the one object says nothing of the store', () => {
  expect(meant(404, 'NoSuchKey').code).toBe('object_missing');
  expect(meant(405, 'Unknown', { headers: { 'x-amz-delete-marker': 'true' } }).code).toBe('object_missing');
  expect(meant(403, 'InvalidObjectState')).toMatchObject({ code: 'store_archived', retryable: false });
  const locked = meant(403, 'AccessDenied', {
    message: 'Access Denied because object protected by object lock.',
  });
  expect([locked.code, locked.message]).toEqual(['store_denied', expect.stringContaining('Object Lock')]);
});

test('nothing of what a stranger answers is repeated, but a name, a region and a host that look like one', () => {
  const bad = 'x\u001b[2Jy';
  const error = thrown(301, bad, { message: bad, Region: bad, Endpoint: bad, headers: { location: bad } });
  expect(failureOf(error)).toEqual({ status: 301, name: 'unknown', message: bad });
  expect(storeError(error, 'calls').message).not.toContain('\u001b');
});

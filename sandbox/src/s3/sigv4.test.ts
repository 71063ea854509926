import type { S3Error } from './errors.ts';
import { type SignedRequest, verifySignature } from './sigv4.ts';

/**
 * Amazon's own examples:
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html and …/sigv4-query-string-auth.html
 */
const known = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  region: 'us-east-1',
};
const now = Date.parse('2013-05-24T00:00:00Z');
const empty = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
const host = 'examplebucket.s3.amazonaws.com';
const authorization = (signedHeaders: string, signature: string) =>
  `AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=${signedHeaders},Signature=${signature}`;

const get: SignedRequest = {
  method: 'GET',
  url: '/test.txt',
  headers: {
    host,
    range: 'bytes=0-9',
    'x-amz-content-sha256': empty,
    'x-amz-date': '20130524T000000Z',
    authorization: authorization(
      'host;range;x-amz-content-sha256;x-amz-date',
      'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
    ),
  },
};
const list: SignedRequest = {
  method: 'GET',
  url: '/?max-keys=2&prefix=J',
  headers: {
    host,
    'x-amz-content-sha256': empty,
    'x-amz-date': '20130524T000000Z',
    authorization: authorization(
      'host;x-amz-content-sha256;x-amz-date',
      '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
    ),
  },
};
const put: SignedRequest = {
  method: 'PUT',
  url: '/test%24file.text',
  headers: {
    host,
    date: 'Fri, 24 May 2013 00:00:00 GMT',
    'x-amz-date': '20130524T000000Z',
    'x-amz-storage-class': 'REDUCED_REDUNDANCY',
    'x-amz-content-sha256': '44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072',
    authorization: authorization(
      'date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class',
      '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
    ),
  },
};
const presigned: SignedRequest = {
  method: 'GET',
  url: '/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404',
  headers: { host },
};

const refusal = (request: SignedRequest, at = now, credentials = known): string => {
  try {
    verifySignature(request, credentials, at);
  } catch (error) {
    return (error as S3Error).code;
  }
  return 'accepted';
};

test.each([
  ['GET', get],
  ['list', list],
  ['PUT', put],
  ['presigned', presigned],
])("Amazon's %s example fits", (_name, request) => {
  expect(refusal(request)).toBe('accepted');
});

test.each<[string, SignedRequest]>([
  ['another path', { ...get, url: '/test2.txt' }],
  ['another method', { ...get, method: 'DELETE' }],
  ['another query', { ...list, url: '/?max-keys=2&prefix=K' }],
  ['one more parameter', { ...list, url: '/?max-keys=2&prefix=J&x=1' }],
  ['another signed header', { ...get, headers: { ...get.headers, range: 'bytes=0-10' } }],
  ['another host', { ...get, headers: { ...get.headers, host: 'other' } }],
  ['another payload', { ...get, headers: { ...get.headers, 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' } }],
  ['a longer life', { ...presigned, url: presigned.url.replace('=86400', '=86401') }],
  ['a cut signature', { ...presigned, url: presigned.url.slice(0, -1) }],
])('%s does not', (_what, request) => {
  expect(refusal(request)).toBe('SignatureDoesNotMatch');
});

test('nor does another secret, and another key is unknown', () => {
  expect(refusal(get, now, { ...known, secretAccessKey: 'other' })).toBe('SignatureDoesNotMatch');
  expect(refusal(get, now, { ...known, accessKeyId: 'OTHER' })).toBe('InvalidAccessKeyId');
});

test('a request is good for a quarter of an hour, a presigned URL until it expires', () => {
  const minutes = 60_000;
  expect(refusal(get, now + 14 * minutes)).toBe('accepted');
  expect(refusal(get, now + 16 * minutes)).toBe('RequestTimeTooSkewed');
  expect(refusal(get, now - 16 * minutes)).toBe('RequestTimeTooSkewed');
  expect(refusal(presigned, now + 86_400_000)).toBe('accepted');
  expect(refusal(presigned, now + 86_401_000)).toBe('AccessDenied');
  expect(refusal(presigned, now - 16 * minutes)).toBe('AccessDenied');
});

test('without a signature, or for another region, nothing is let in', () => {
  expect(refusal({ ...get, headers: { host } })).toBe('AccessDenied');
  expect(refusal(get, now, { ...known, region: 'eu-west-1' })).toBe('AuthorizationHeaderMalformed');
});

import type { ServerResponse } from 'node:http';
import { FakeS3, refuse } from '../../test/fake-s3.ts';
import { lookAtBucket } from './look.ts';
import type { StoreConfig } from './types.ts';

const s3 = new FakeS3();
let config: StoreConfig;
beforeAll(async () => {
  config = await s3.start();
});
afterAll(() => s3.stop());
beforeEach(() => s3.reset());

const settings = [
  'retention',
  'legal-hold',
  'versioning',
  'publicAccessBlock',
  'cors',
  'encryption',
  'policy',
  'object-lock',
  'lifecycle',
] as const;
type Setting = (typeof settings)[number];

/** Answers each question with its XML, or refuses it. */
const answers = (all: Partial<Record<Setting, string | [number, string]>>) => {
  s3.fault = ({ query }, response: ServerResponse) => {
    const asked = settings.find((name) => query.has(name));
    const answer = asked && all[asked];
    if (answer === undefined) return false;
    if (typeof answer === 'string')
      response.writeHead(200, { 'content-type': 'application/xml' }).end(answer);
    else refuse(response, ...answer);
    return true;
  };
};
const each = (answer: [number, string]) =>
  Object.fromEntries(settings.map((name) => [name, answer])) as Record<Setting, [number, string]>;

const encryptionIsNot = (wanted: string) => ({
  StringNotEquals: { 's3:x-amz-server-side-encryption': wanted },
});

test('everything that a bucket says of itself', async () => {
  answers({
    versioning: '<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>',
    publicAccessBlock:
      '<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls><IgnorePublicAcls>true</IgnorePublicAcls><BlockPublicPolicy>true</BlockPublicPolicy><RestrictPublicBuckets>true</RestrictPublicBuckets></PublicAccessBlockConfiguration>',
    cors: '<CORSConfiguration><CORSRule><AllowedOrigin>https://flex.twilio.com</AllowedOrigin><AllowedMethod>GET</AllowedMethod><AllowedMethod>HEAD</AllowedMethod></CORSRule></CORSConfiguration>',
    encryption:
      '<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>aws:kms</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>',
    policy: JSON.stringify({
      Statement: [
        { Effect: 'Allow', Action: 's3:*' },
        {
          Effect: 'Deny',
          Action: 's3:PutObject',
          Condition: { StringNotEquals: { 's3:x-amz-server-side-encryption': 'aws:kms' } },
        },
      ],
    }),
    'object-lock':
      '<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>',
    lifecycle:
      '<LifecycleConfiguration><Rule><ID>a</ID><Status>Enabled</Status><Filter><Prefix></Prefix></Filter><AbortIncompleteMultipartUpload><DaysAfterInitiation>1</DaysAfterInitiation></AbortIncompleteMultipartUpload></Rule></LifecycleConfiguration>',
  });
  const { aheadMs, ...look } = await lookAtBucket(config);
  expect(look).toEqual({
    versioning: { value: 'enabled' },
    publicAccessBlocked: { value: true },
    cors: { value: [{ origins: ['https://flex.twilio.com'], methods: ['GET', 'HEAD'] }] },
    encryption: { value: 'aws:kms' },
    deniesUnencrypted: { value: true },
    objectLock: { value: true },
    // Asked of an object that is not there.
    retention: { value: undefined },
    legalHold: { value: false },
    abortsUploads: { value: true },
  });
  expect(Math.abs(aheadMs ?? Number.NaN)).toBeLessThan(2_000);
});

test('what is not set up; one public way left open is open', async () => {
  answers({
    versioning: '<VersioningConfiguration/>',
    publicAccessBlock:
      '<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls><IgnorePublicAcls>true</IgnorePublicAcls><BlockPublicPolicy>false</BlockPublicPolicy><RestrictPublicBuckets>true</RestrictPublicBuckets></PublicAccessBlockConfiguration>',
    cors: [404, 'NoSuchCORSConfiguration'],
    encryption: [404, 'ServerSideEncryptionConfigurationNotFoundError'],
    policy: [404, 'NoSuchBucketPolicy'],
    'object-lock': [404, 'ObjectLockConfigurationNotFoundError'],
    lifecycle: [404, 'NoSuchLifecycleConfiguration'],
  });
  expect(await lookAtBucket(config)).toMatchObject({
    versioning: { value: 'never' },
    publicAccessBlocked: { value: false },
    cors: { value: [] },
    encryption: { value: undefined },
    deniesUnencrypted: { value: false },
    objectLock: { value: false },
    abortsUploads: { value: false },
  });
});

test.each([
  ['an Allow', { Effect: 'Allow', Action: 's3:PutObject', Condition: { Null: {} } }],
  ['of reading', { Effect: 'Deny', Action: ['s3:GetObject'], Condition: encryptionIsNot('aws:kms') }],
  [
    'of unencrypted transport',
    { Effect: 'Deny', Action: '*', Condition: { Bool: { 'aws:SecureTransport': 'false' } } },
  ],
])('a policy %s is not one that denies writes in the clear', async (_name, statement) => {
  answers({
    ...each([404, 'NoSuchKey']),
    policy: JSON.stringify({ Statement: statement }),
  });
  expect(await lookAtBucket(config)).toMatchObject({ deniesUnencrypted: { value: false } });
});

test('what may not be read, and what the store does not know, is not told', async () => {
  answers(each([403, 'AccessDenied']));
  expect(await lookAtBucket(config)).toMatchObject({
    versioning: { unavailable: 'denied' },
    retention: { unavailable: 'denied' },
    legalHold: { unavailable: 'denied' },
    abortsUploads: { unavailable: 'denied' },
  });
  answers(each([501, 'NotImplemented']));
  expect(await lookAtBucket(config)).toMatchObject({
    publicAccessBlocked: { unavailable: 'unsupported' },
    cors: { unavailable: 'unsupported' },
  });
});

test('a bucket that is not there, or that does not know us, is no answer', async () => {
  answers(each([404, 'NoSuchBucket']));
  await expect(lookAtBucket(config)).rejects.toMatchObject({ code: 'store_denied' });
  answers(each([403, 'InvalidAccessKeyId']));
  await expect(lookAtBucket(config)).rejects.toMatchObject({ code: 'store_credentials' });
  answers(each([400, 'ExpiredToken']));
  await expect(lookAtBucket(config)).rejects.toMatchObject({ code: 'store_credentials' });
});

import type { BucketLook } from '@flex-custody/vault';
import type { Config } from '../../config.ts';
import { cors, encryption, objectLock, publicAccess, unfinished, versions } from './bucket.ts';
import type { Seen } from './finding.ts';
import type { Scene } from './scene.ts';

const good: BucketLook = {
  versioning: { value: 'enabled' },
  publicAccessBlocked: { value: true },
  cors: { value: [{ origins: ['https://*.twilio.com'], methods: ['GET', 'HEAD'] }] },
  encryption: { value: 'AES256' },
  deniesUnencrypted: { value: true },
  objectLock: { value: true },
  retention: { value: undefined },
  legalHold: { value: false },
  abortsUploads: { value: true },
  aheadMs: undefined,
};
const flexOrigins = ['https://flex.twilio.com'];
const scene = (
  look: Partial<BucketLook>,
  mode: 'envelope' | 'sse-kms' = 'envelope',
  deleteSourceAfterHours?: number,
): Scene =>
  ({
    config: { store: { mode }, flexOrigins, deleteSourceAfterHours } as unknown as Config,
    bucket: async () => ({ ...good, ...look }),
  }) as unknown as Scene;
const detail = (seen: Seen) => (typeof seen === 'string' ? seen : `note: ${seen.detail}`);

test('a bucket as it should be', async () => {
  const all = [versions, publicAccess, encryption, objectLock, unfinished];
  expect(await Promise.all(all.map(async (look) => detail(await look(scene({})))))).toEqual([
    'kept',
    'blocked',
    'by default AES256, beside our own envelope',
    'on: a locked recording is erased when its lock ends',
    'a rule removes unfinished uploads',
  ]);
});

test('one that could be better is noted, one that is open must be shut', async () => {
  expect(detail(await versions(scene({ versioning: { value: 'suspended' } })))).toMatch(/^note: not kept/);
  expect(detail(await unfinished(scene({ abortsUploads: { value: false } })))).toMatch(/^note: no rule/);
  expect(detail(await objectLock(scene({ objectLock: { value: false } })))).toBe('off');
  expect(detail(await encryption(scene({ encryption: { value: undefined } }, 'sse-kms')))).toBe(
    'none by default; a policy denies other writes',
  );
  await expect(publicAccess(scene({ publicAccessBlocked: { value: false } }))).rejects.toMatchObject({
    detail: expect.stringContaining('not blocked'),
  });
});

test.each<[BucketLook['versioning'], string, string]>([
  [{ value: 'suspended' }, 'suspended, and originals', 'put-bucket-versioning --bucket'],
  [{ value: 'never' }, 'not kept, and originals', 'put-bucket-versioning --bucket'],
  [{ unavailable: 'denied' }, 'not known', 's3:GetBucketVersioning'],
  [{ unavailable: 'unsupported' }, 'does not say', 'keeps versions'],
])(
  'where originals are to be deleted, versions must be kept: %p is to be fixed',
  async (versioning, detail, next) => {
    await expect(versions(scene({ versioning }, 'envelope', 24))).rejects.toMatchObject({
      detail: expect.stringContaining(detail),
      next: expect.stringContaining(next),
    });
    expect(await versions(scene({ versioning }))).toMatchObject({ detail: expect.any(String) });
    expect(await versions(scene({}, 'envelope', 24))).toBe('kept');
  },
);

const denied = { unavailable: 'denied' } as const;
test.each<[Partial<BucketLook>, string]>([
  [{ retention: denied, legalHold: denied }, 'allow s3:GetObjectRetention and s3:GetObjectLegalHold'],
  [{ legalHold: denied }, 'allow s3:GetObjectLegalHold on'],
  [{ objectLock: denied, retention: denied }, 'allow s3:GetObjectRetention on'],
])('a bucket that may have locks which may not be asked about is to be fixed: %p', async (look, next) => {
  await expect(objectLock(scene(look))).rejects.toMatchObject({ next: expect.stringContaining(next) });
});

test('without Object Lock nothing is asked of a version', async () => {
  const none = { retention: denied, legalHold: denied };
  expect(await objectLock(scene({ ...none, objectLock: { value: false } }))).toBe('off');
  expect(await objectLock(scene({ objectLock: denied }))).toMatchObject({
    next: expect.stringContaining('s3:GetBucketObjectLockConfiguration'),
  });
});

test('what a store does not tell is noted, with the right that would show it', async () => {
  expect(await publicAccess(scene({ publicAccessBlocked: { unavailable: 'unsupported' } }))).toMatchObject({
    detail: expect.stringContaining('not known'),
  });
  expect(await publicAccess(scene({ publicAccessBlocked: { unavailable: 'denied' } }))).toMatchObject({
    next: expect.stringContaining('allow s3:GetBucketPublicAccessBlock on the bucket'),
  });
});

test('in mode sse-kms a bucket that takes writes in the clear is noted', async () => {
  const told = async (deniesUnencrypted: BucketLook['deniesUnencrypted']) =>
    encryption(scene({ deniesUnencrypted, encryption: { value: 'aws:kms' } }, 'sse-kms'));
  expect(await told({ value: true })).toBe('by default aws:kms; a policy denies other writes');
  expect(await told({ value: false })).toMatchObject({ next: expect.stringContaining('docs/deploy.md') });
  expect(await told({ unavailable: 'denied' })).toMatchObject({
    next: expect.stringContaining('s3:GetBucketPolicy'),
  });
  expect(detail(await encryption(scene({ deniesUnencrypted: { value: false } })))).not.toContain('note');
});

describe('CORS', () => {
  const rule = (origins: string[], methods = ['GET']) => ({ cors: { value: [{ origins, methods }] } });

  test('is of no concern where the host plays', async () => {
    expect(await cors(scene({ cors: { value: [] } }))).toMatch(/^not needed/);
  });

  test.each([
    [['*'], ['GET'], true],
    [['https://flex.twilio.com'], ['GET'], true],
    [['https://*.twilio.com'], ['GET'], true],
    [['https://flex.twilio.com'], ['PUT'], false],
    [['https://other.example'], ['GET'], false],
    [['https://flex.twilio.com*.twilio.com'], ['GET'], false],
  ])('in mode sse-kms %p with %p: %p', async (origins, methods, enough) => {
    const looked = cors(scene(rule(origins, methods), 'sse-kms'));
    if (enough) expect(await looked).toMatch(/^GET is allowed/);
    else await expect(looked).rejects.toMatchObject({ next: expect.stringContaining('CORS rule') });
  });
});

test('a store that knows no versions: what works and what does not is said', async () => {
  const seen = await versions(scene({ versioning: { unavailable: 'unsupported' } }));
  expect(seen).toMatchObject({
    detail: expect.stringMatching(/has no versions.*erase and import work; rotate-keys does not/),
    next: expect.stringContaining('CUSTODY_ACCEPT_UNVERSIONED'),
  });
  const risky = scene({ versioning: { unavailable: 'unsupported' } }, 'envelope', 24);
  Object.assign(risky.config, { acceptUnversioned: true });
  expect(await versions(risky)).toEqual(seen);
});

import type { ServerResponse } from 'node:http';
import { FakeS3, refuse } from '../../test/fake-s3.ts';
import { createClient } from './client.ts';
import { createLocks } from './locks.ts';
import { createStore } from './s3-store.ts';
import type { Store, StoreConfig } from './types.ts';

const s3 = new FakeS3();
let config: StoreConfig;
let store: Store;
beforeAll(async () => {
  config = await s3.start();
});
afterAll(() => s3.stop());
beforeEach(() => {
  s3.reset();
  store = createStore(config);
});
afterEach(() => store.close());

type Answer = string | [status: number, code: string];
interface Answers {
  'object-lock': Answer;
  retention: Answer;
  'legal-hold': Answer;
}
const answers = (all: Partial<Answers & { versioning: Answer }>) => {
  s3.fault = ({ query }, response: ServerResponse) => {
    const asked = (['object-lock', 'retention', 'legal-hold', 'versioning'] as const).find((name) =>
      query.has(name),
    );
    const answer = asked && all[asked];
    if (answer === undefined) return false;
    if (typeof answer === 'string')
      response.writeHead(200, { 'content-type': 'application/xml' }).end(answer);
    else refuse(response, ...answer);
    return true;
  };
};
const configured =
  '<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>';
const until = new Date('2027-01-01T00:00:00Z');
const retained = `<Retention><Mode>GOVERNANCE</Mode><RetainUntilDate>${until.toISOString()}</RetainUntilDate></Retention>`;
const hold = (status: string) => `<LegalHold><Status>${status}</Status></LegalHold>`;
const denied: Answer = [403, 'AccessDenied'];
const none: Answer = [404, 'NoSuchObjectLockConfiguration'];

test.each<[string, Answers, unknown]>([
  ['nothing', { 'object-lock': configured, retention: none, 'legal-hold': none }, undefined],
  [
    'a retention',
    { 'object-lock': configured, retention: retained, 'legal-hold': none },
    { until, legalHold: false },
  ],
  [
    'a legal hold',
    { 'object-lock': configured, retention: none, 'legal-hold': hold('ON') },
    { legalHold: true },
  ],
  ['a hold taken off', { 'object-lock': configured, retention: none, 'legal-hold': hold('OFF') }, undefined],
  [
    'both',
    { 'object-lock': configured, retention: retained, 'legal-hold': hold('ON') },
    { until, legalHold: true },
  ],
])('of a version with %s the lock is what S3 answers', async (_what, all, wanted) => {
  answers(all);
  expect(await store.lockOf('k', 'v')).toEqual(wanted);
});

test.each<[string, Answers]>([
  ['both', { 'object-lock': configured, retention: denied, 'legal-hold': denied }],
  ['the retention', { 'object-lock': configured, retention: denied, 'legal-hold': none }],
  ['the legal hold', { 'object-lock': configured, retention: retained, 'legal-hold': denied }],
  ['all three', { 'object-lock': denied, retention: denied, 'legal-hold': denied }],
])('who may not ask for %s does not know, and that is no lack of a lock', async (_what, all) => {
  answers(all);
  expect(await store.lockOf('k', 'v')).toBe('unknown');
});

test('a legal hold that is seen counts, whatever else may not be asked', async () => {
  answers({ 'object-lock': denied, retention: denied, 'legal-hold': hold('ON') });
  expect(await store.lockOf('k', 'v')).toEqual({ legalHold: true });
});

test('where the bucket may not be asked, its versions are', async () => {
  answers({ 'object-lock': denied, retention: none, 'legal-hold': none });
  expect(await store.lockOf('k', 'v')).toBeUndefined();
  const bare: Answer = [400, 'InvalidRequest'];
  answers({ 'object-lock': denied, retention: bare, 'legal-hold': bare });
  expect(await store.lockOf('k', 'v')).toBeUndefined();
});

test.each<[string, Answer]>([
  ['AWS and MinIO', [404, 'ObjectLockConfigurationNotFoundError']],
  ['radosgw', [400, 'InvalidRequest']],
  ['a store without Object Lock', [501, 'NotImplemented']],
])('a bucket without Object Lock, as %s says so, is asked nothing more', async (_store, answer) => {
  answers({ 'object-lock': answer, retention: denied, 'legal-hold': denied });
  expect([await store.lockOf('k', 'v'), await store.lockOf('l', 'v')]).toEqual([undefined, undefined]);
  expect(s3.requests).toHaveLength(1);
});

test('for some minutes: somebody may switch it on', async () => {
  const client = createClient(config);
  let now = 0;
  const { lockOf } = createLocks(client, config.bucket, () => now);
  answers({ 'object-lock': [404, 'ObjectLockConfigurationNotFoundError'] });
  expect(await lockOf('k', 'v')).toBeUndefined();
  answers({ 'object-lock': configured, retention: none, 'legal-hold': hold('ON') });
  expect(await lockOf('k', 'v')).toBeUndefined();
  now += 5 * 60_000;
  expect(await lockOf('k', 'v')).toEqual({ legalHold: true });
  client.destroy();
});

test.each<[string, Answer]>([
  ['an expired token', [400, 'ExpiredToken']],
  ["a proxy's own page", [404, 'None']],
  ['a bucket that is not there', [404, 'NoSuchBucket']],
])('%s says nothing of locks', async (_what, answer) => {
  answers({ 'object-lock': configured, retention: answer, 'legal-hold': none });
  await expect(store.lockOf('k', 'v')).rejects.toMatchObject({ name: 'CustodyError' });
});

test.each<[Answer, boolean, unknown]>([
  ['<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>', true, { value: 'enabled' }],
  [
    '<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>',
    false,
    { value: 'suspended' },
  ],
  ['<VersioningConfiguration/>', false, { value: 'never' }],
  [denied, false, { unavailable: 'denied' }],
  [[501, 'NotImplemented'], false, { unavailable: 'unsupported' }],
])('versions: %p is %p', async (versioning, kept, told) => {
  answers({ versioning });
  expect([await store.keepsVersions(), await store.versioning()]).toEqual([kept, told]);
});

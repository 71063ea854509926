import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createStore } from '@flex-custody/vault';
import { createFaults } from '../../../../sandbox/src/faults.ts';
import { failureFault, settingFailures } from '../../../../sandbox/src/s3/failures.ts';
import { type OwnS3, startS3 } from '../../../../sandbox/src/s3/index.ts';
import { hostPolicy, oldBucketPolicy } from '../../../../sandbox/src/s3/policies.ts';
import { type Policy, policyOf, without } from '../../../../sandbox/src/s3/policy.ts';
import { newIdentity } from '../../../../sandbox/src/s3/rights.ts';
import type { Config } from '../../config.ts';
import { bucket } from './bucket.ts';
import { archive, erasing, sidecars } from './bucket-erasing.ts';
import { diagnosis, type Finding } from './finding.ts';
import { textOf } from './print.ts';
import type { Scene } from './scene.ts';

const accountSid = `AC${'a'.repeat(32)}`;
const own = policyOf(hostPolicy, 'calls');
const old = policyOf(oldBucketPolicy, 'archive');
const both: Policy = { ...own, Statement: [...own.Statement, ...old.Statement] };
const host = newIdentity('host', both);
const faults = createFaults();
let folder: string;
let s3: OwnS3;
let scene: Scene;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'doctor-'));
  s3 = await startS3({
    directory: folder,
    region: 'us-east-1',
    buckets: ['calls', 'archive'],
    faults,
    identities: [host],
  });
  const store = {
    ...s3,
    ...host,
    bucket: 'calls',
    region: 'us-east-1',
    pathStyle: true,
    mode: 'envelope' as const,
  };
  scene = {
    config: { accountSid, store } as unknown as Config,
    options: { importFrom: 's3://archive/2024' },
  } as unknown as Scene;
});
afterAll(async () => {
  await s3.close();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  faults.clear();
  host.policy = both;
});

const foundIn = (look: (of: Scene) => Promise<unknown>) =>
  look(scene).then(
    (seen) => ({ detail: String(seen), next: '' }),
    (error: unknown) => diagnosis(error),
  );

test.each(settingFailures.map((failure) => [failure.code, failure] as const))(
  '%s is told as what it is, with its next step',
  async (code, failure) => {
    faults.add(failureFault(failure));
    const { detail, next } = await foundIn(bucket);
    const isOwn = code === 'AccessDenied' || code === 'InvalidBucketName' || code === 'NoSuchBucket';
    if (!isOwn) expect(detail).toContain(code);
    expect(next).not.toMatch(/^$|log of the host|the network/);
    if (failure.region !== undefined) expect(next).toBe(`set AWS_REGION to ${failure.region}`);
    if (failure.endpoint !== undefined) expect(detail).toContain(failure.endpoint);
  },
);

test('with the rights of the docs all of it can be done', async () => {
  expect(await foundIn(erasing)).toMatchObject({ detail: expect.stringContaining('nothing is left') });
  expect(await foundIn(sidecars)).toMatchObject({ detail: 'can be written and read' });
});

test.each([
  ['s3:ListBucketVersions', erasing, 's3:ListBucketVersions'],
  ['s3:DeleteObjectVersion', erasing, 's3:DeleteObjectVersion'],
  ['s3:PutObject', sidecars, 's3:PutObject on recordings/*.json'],
  ['s3:GetObjectVersion', sidecars, 's3:GetObject on recordings/*.json'],
])('what lacks %s names it', async (right, look, named) => {
  host.policy = without(both, new RegExp(`^${right}$`));
  const { detail, next } = await foundIn(look);
  expect(detail).toBe(`the bucket calls refuses ${named}`);
  expect(next).toContain('docs/deploy.md');
});

test('the archive is looked at where it is named, and nothing is changed there', async () => {
  const archived = createStore({
    ...s3,
    bucket: 'archive',
    region: 'us-east-1',
    pathStyle: true,
    mode: 'envelope',
  });
  expect(await archive(scene)).toMatchObject({ detail: expect.stringContaining('has nothing under "2024"') });
  await archived.putBytes(`2024/RE${'b'.repeat(32)}.wav`, Buffer.from('RIFF'));
  expect(await archive(scene)).toContain('can be listed and read');
  host.policy = without(both, /^s3:GetObject$/);
  expect((await foundIn(archive)).detail).toContain('refuses s3:GetObject');
  expect(await archive({ ...scene, options: {} })).toContain('--import-from');
  archived.close();
});

test('control characters of a stranger never reach a terminal', () => {
  const finding: Finding = {
    group: 'Functions',
    name: 'callback',
    level: 'fix',
    detail: 'the Function answers 500 \u001b]0;owned\u0007\u001b[2J\u009b31mall is well\u202e',
    next: 'see\u0000 its log',
  };
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what must not be there
  expect(textOf([finding]).replaceAll('\n', '')).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/);
  expect(textOf([finding])).toContain('all is well');
});

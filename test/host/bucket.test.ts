import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateBucketCommand,
  PutBucketVersioningCommand,
  PutObjectLegalHoldCommand,
  PutObjectLockConfigurationCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { createStore, type Store } from '@flex-custody/vault';
import { wav } from '../../packages/vault/test/support.ts';
import { hostPolicy, oldBucketPolicy } from '../../sandbox/src/s3/policies.ts';
import { type Policy, policyOf, without } from '../../sandbox/src/s3/policy.ts';
import { type RealHost, startRealHost } from './real-host.ts';

jest.setTimeout(240_000);

const old = 'old-recordings';
let host: RealHost;
let folder: string;
let account: S3Client;
let store: Store;
const keyFile = () => join(folder, 'keys');
const line = (id: string, fill: number) => `${id}:${Buffer.alloc(32, fill).toString('base64')}\n`;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'bucket-'));
  writeFileSync(keyFile(), line('2026-10', 1), { mode: 0o600 });
  host = await startRealHost({ CUSTODY_KEY_KIND: 'raw-aes', CUSTODY_KEY_FILE: keyFile() });
  const { s3 } = host.sandbox;
  account = new S3Client({
    endpoint: s3.endpoint,
    region: s3.region,
    forcePathStyle: true,
    credentials: { accessKeyId: s3.accessKeyId, secretAccessKey: s3.secretAccessKey },
  });
  store = createStore({ ...s3, pathStyle: true, mode: 'envelope' });
});
afterAll(async () => {
  account.destroy();
  store.close();
  await host.stop();
  rmSync(folder, { recursive: true });
});
/** The host's rights from now on: those of the docs, or others. */
const may = (...policies: Policy[]) => {
  const [first = policyOf(hostPolicy, host.sandbox.s3.bucket), ...more] = policies;
  const statements = [first, ...more].flatMap(({ Statement }) => Statement);
  host.sandbox.s3.identities.host.policy = { ...first, Statement: statements };
};
const own = () => policyOf(hostPolicy, host.sandbox.s3.bucket);
afterEach(() => may());

async function taken(): Promise<string> {
  const { recordings } = await host.place({ seconds: 5 });
  const [sid = ''] = recordings;
  expect((await host.run('reconcile', '--since', '2020-01-01', '--no-bucket')).code).toBe(0);
  await host.reaches(sid, 'verified');
  return sid;
}

async function versionsOf(sid: string): Promise<number> {
  let found = 0;
  for await (const { key } of store.versions('recordings/')) if (key.includes(sid)) found += 1;
  return found;
}

async function found(name: string) {
  const { out } = await host.run('doctor', '--only', name, '--json');
  const { checks } = JSON.parse(out) as { checks: { name: string; ok: boolean; next: string }[] };
  return checks.find((check) => check.name === name);
}

test('while versions are suspended no key is rotated, and the doctor says why originals would be lost', async () => {
  await taken();
  writeFileSync(keyFile(), line('2026-11', 2) + line('2026-10', 1));
  await host.restart({});
  const versioning = (Status: 'Enabled' | 'Suspended') =>
    account.send(
      new PutBucketVersioningCommand({
        Bucket: host.sandbox.s3.bucket,
        VersioningConfiguration: { Status },
      }),
    );
  await versioning('Suspended');
  const rotated = await host.run('rotate-keys');
  expect([rotated.code, rotated.err]).toEqual([1, expect.stringContaining('is suspended')]);
  host.env['DELETE_SOURCE_AFTER'] = '24h';
  expect(await found('versions')).toMatchObject({
    ok: false,
    next: expect.stringContaining('put-bucket-versioning'),
  });
  delete host.env['DELETE_SOURCE_AFTER'];
  await versioning('Enabled');
  const mistyped = await host.run('rotate-keys', '--from', 'nope');
  expect([mistyped.code, mistyped.err]).toEqual([1, expect.stringContaining('key_unknown')]);
  expect((await host.run('rotate-keys', '--verify')).code).toBe(0);
});

test('a version that is held keeps the whole recording, whether its lock may be asked about or not', async () => {
  const Bucket = host.sandbox.s3.bucket;
  const sid = await taken();
  await account.send(
    new PutObjectLockConfigurationCommand({
      Bucket,
      ObjectLockConfiguration: { ObjectLockEnabled: 'Enabled' },
    }),
  );
  const { object } = await host.show(sid);
  const hold = (Status: 'ON' | 'OFF') =>
    account.send(
      new PutObjectLegalHoldCommand({
        Bucket,
        Key: object?.key,
        VersionId: object?.versionId,
        LegalHold: { Status },
      }),
    );
  await hold('ON');
  writeFileSync(keyFile(), line('2026-12', 3) + line('2026-11', 2) + line('2026-10', 1));
  // What a bucket without Object Lock was believed to be is forgotten with the process.
  await host.restart({});
  const rotated = await host.run('rotate-keys', '--json');
  expect([rotated.code, JSON.parse(rotated.out).counts]).toEqual([
    1,
    expect.objectContaining({ old_versions_left: 1 }),
  ]);
  expect(await versionsOf(sid)).toBe(3);

  const stays = async (why: string) => {
    const asked = await host.run('erase', '--recording', sid, '--yes');
    expect([asked.code, asked.out]).toEqual([1, expect.stringContaining(why)]);
    expect([await versionsOf(sid), (await host.show(sid)).state]).toEqual([3, 'verified']);
    expect(host.sandbox.twilio.world.recordings.get(sid)?.status).toBe('completed');
    expect((await host.play(sid)).status).toBe(200);
  };
  await stays('under a legal hold');
  may(without(own(), /GetObject(Retention|LegalHold)/));
  await stays('allow s3:GetObjectRetention and s3:GetObjectLegalHold');
  expect(await found('object-lock')).toMatchObject({
    ok: false,
    next: expect.stringContaining('s3:GetObjectRetention and s3:GetObjectLegalHold'),
  });
  may(without(own(), /GetObject(Retention|LegalHold)|ObjectLockConfiguration/));
  await stays('allow s3:GetObjectRetention and s3:GetObjectLegalHold');
  may();
  await hold('OFF');
  const erased = await host.run('erase', '--recording', sid, '--yes');
  expect([erased.code, await versionsOf(sid)]).toEqual([0, 0]);
});

test('a certificate that could not be written is found before one is needed', async () => {
  may({
    ...own(),
    Statement: own().Statement.filter(({ Sid }) => Sid !== 'Certificates'),
  });
  expect(await found('certificates')).toMatchObject({
    ok: false,
    next: expect.stringContaining('Allow it'),
  });
  for await (const upload of store.unfinishedUploads('certificates/')) throw new Error(upload.key);
});

test('so is a statement of completeness', async () => {
  expect(await found('statements')).toMatchObject({ ok: true });
  may({ ...own(), Statement: own().Statement.filter(({ Sid }) => Sid !== 'Statements') });
  expect(await found('statements')).toMatchObject({
    ok: false,
    next: expect.stringContaining('Allow it'),
  });
  for await (const upload of store.unfinishedUploads('statements/')) throw new Error(upload.key);
});

test('import and --delete-plain need what the docs name for an older bucket, and no more', async () => {
  await account.send(new CreateBucketCommand({ Bucket: old }));
  await account.send(
    new PutBucketVersioningCommand({ Bucket: old, VersioningConfiguration: { Status: 'Enabled' } }),
  );
  const plain = createStore({ ...host.sandbox.s3, bucket: old, pathStyle: true, mode: 'envelope' });
  const sid = `RE${'5'.repeat(32)}`;
  const key = `calls/${sid}.wav`;
  await plain.putBytes(key, wav(4));
  const from = ['import', '--from', `s3://${old}/calls/`, '--json'];
  expect((await host.run(...from)).code).toBe(1);
  const rights = policyOf(oldBucketPolicy, old);
  may(own(), without(rights, /Delete/));
  const imported = await host.run(...from);
  expect([imported.code, JSON.parse(imported.out).counts]).toEqual([
    0,
    { to_import: 1, imported: 1, without_twilio: 1 },
  ]);
  await host.reaches(sid, 'verified');
  const remove = async () => JSON.parse((await host.run(...from, '--delete-plain')).out).counts;
  expect(await remove()).toEqual({ verified: 1, plain_refused: 1 });
  may(own(), rights);
  expect(await remove()).toEqual({ verified: 1, plain_deleted: 1 });
  for await (const version of plain.versions('')) throw new Error(`${version.key} is left`);
  plain.close();
  expect((await host.play(sid)).status).toBe(200);
});

import { createPublicKey } from 'node:crypto';
import { mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AccountSid, objectKey, type RecordingSid, type Sidecar, sidecarKey } from '@flex-custody/core';
import { createKeys, createStore, openBytes, type Store, sealBytes } from '@flex-custody/vault';
import type { AccessKey } from '../../sandbox/src/bucket.ts';
import type { RecordingRow } from '../../server/src/catalog/recording-row.ts';
import { statementType } from '../../server/src/recorder/completeness/statements.ts';
import { createSigning } from '../../server/src/signing/identity.ts';
import { readSigningKeys } from '../../server/src/signing/key-file.ts';
import { until } from '../support/until.ts';
import { type RealHost, startRealHost } from './real-host.ts';

jest.setTimeout(240_000);

let host: RealHost;
let keyFile: string;
let recording: RecordingSid;
let row: RecordingRow;

beforeAll(async () => {
  host = await startRealHost({});
  keyFile = host.env['CUSTODY_SIGNING_KEY_FILE'] ?? '';
  const { recordings } = await host.place({ seconds: 8 });
  recording = recordings[0] as RecordingSid;
  expect((await host.run('reconcile', '--since', '2020-01-01', '--no-bucket')).code).toBe(0);
  await host.reaches(recording, 'verified');
  await until(async () => {
    row = await host.show(recording);
    return row.sidecar !== undefined && row.linkState === 'linked';
  });
});
afterAll(() => host.stop());

const account = () => host.sandbox.account.accountSid as AccountSid;
const bucketOf = ({ accessKeyId, secretAccessKey }: AccessKey): Store =>
  createStore({
    ...host.sandbox.s3,
    accessKeyId,
    secretAccessKey,
    pathStyle: true,
    mode: 'envelope',
  });
const pem = () => readFileSync(host.env['CUSTODY_KEY_FILE'] ?? '', 'utf8');
const keyId = () => /key id: (\S+)/.exec(pem())?.[1] ?? '';
/** All that the Functions have to seal by. */
const publicKeys = () => {
  const spki = createPublicKey(pem()).export({ type: 'spki', format: 'der' }).toString('base64');
  return createKeys({ kind: 'rsa-public', keyId: keyId(), spki });
};
const privateKeys = () => createKeys({ kind: 'rsa', keys: [{ keyId: keyId(), privateKeyPem: pem() }] });

async function writeSidecar(by: AccessKey, said: object): Promise<void> {
  const store = bucketOf(by);
  try {
    const text = Buffer.from(JSON.stringify(said));
    const sealed = await sealBytes(publicKeys(), { account: account(), recording }, text);
    await store.putBytes(sidecarKey(account(), recording), sealed);
  } finally {
    store.close();
  }
}

const forged = (): Sidecar => ({
  version: 1,
  recordingSid: recording,
  accountSid: account(),
  workerSid: `WK${'f'.repeat(32)}` as NonNullable<Sidecar['workerSid']>,
  taskSid: `WT${'f'.repeat(32)}` as NonNullable<Sidecar['taskSid']>,
  channels: 2,
  startedAt: '2019-01-01T00:00:00.000Z',
  source: 'callback',
  verifiedAt: '2019-01-01T00:00:00.000Z',
  sourceDeletedAt: '2019-01-01T00:00:00.000Z',
  object: row.object!,
});

test('the first start makes the key for its owner alone, and by it the sidecar is signed', async () => {
  expect(statSync(keyFile).mode & 0o777).toBe(0o600);
  const [jwk] = JSON.parse((await host.run('certificates', 'key', '--all')).out).keys;
  expect(row.sidecar?.signedBy).toBe(jwk.kid);
  const { signers } = JSON.parse((await host.run('keys', 'status', '--json')).out);
  expect(signers).toEqual([{ keyId: jwk.kid, sidecars: 1, signs: true, atHand: true }]);
  expect((await host.run('doctor', '--only', 'signing-key')).code).toBe(0);
  const another = join(host.dataDir, 'another.pem');
  const made = await host.run('keys', 'generate', '--kind', 'signing', '--out', another);
  expect([made.code, statSync(another).mode & 0o777]).toEqual([0, 0o600]);
});

test("with the Functions' key no sidecar is written, nor a certificate", async () => {
  const { functions, host: own } = host.sandbox.s3.identities;
  await expect(writeSidecar(functions, forged())).rejects.toMatchObject({ code: 'store_denied' });
  const store = bucketOf(functions);
  await expect(store.putBytes(`certificates/${account()}/x.jws`, Buffer.from('x'))).rejects.toMatchObject({
    code: 'store_denied',
  });
  store.close();
  // It was the key that was refused, not the text.
  const before = bucketOf(own);
  expect(await before.head(objectKey(account(), recording))).toBeDefined();
  before.close();
});

test('the same key comes back to a lost catalog with all that it signed, to be read back again', async () => {
  await host.restart({ CUSTODY_DATA_DIR: join(host.dataDir, 'lost-1') });
  const rebuilt = await host.run('catalog', 'rebuild', '--json');
  expect(JSON.parse(rebuilt.out).counts).toMatchObject({ sidecars: 1, restored: 1 });
  const restored = await host.reaches(recording, 'verified');
  expect(restored).toMatchObject({ taskSid: row.taskSid, callSid: row.callSid, unproven: [] });
  expect(new Date(restored.verifiedAt ?? 0).getTime()).toBeGreaterThan(
    new Date(row.verifiedAt ?? 0).getTime(),
  );
});

test('a forged sidecar restores nothing, even where a policy let it be written', async () => {
  await writeSidecar(host.sandbox.s3, forged());
  await host.restart({ CUSTODY_DATA_DIR: join(host.dataDir, 'lost-2') });
  const rebuilt = await host.run('catalog', 'rebuild', '--json');
  expect(JSON.parse(rebuilt.out).counts).toMatchObject({ sidecars: 1, unsigned: 1 });
  expect(JSON.parse(rebuilt.out).counts.restored).toBeUndefined();
  expect(rebuilt.err).toContain('no signature of a listed key');
  // It is too young to be adopted yet: nothing is known of it at all.
  expect((await host.run('recordings', 'show', recording)).code).toBe(1);
});

test('accepted by an operator it is hearsay, and only after being asked', async () => {
  const unasked = await host.run('catalog', 'rebuild', '--accept-unsigned');
  expect([unasked.code, unasked.err]).toEqual([1, expect.stringContaining('add --yes')]);
  expect((await host.run('recordings', 'show', recording)).code).toBe(1);
  expect((await host.run('catalog', 'rebuild', '--accept-unsigned', '--yes')).code).toBe(0);
  const accepted = await host.reaches(recording, 'verified');
  expect(accepted.startedAt).toBe(row.startedAt);
  expect(accepted.sourceDeletedAt).toBeUndefined();
  // What it says from now on is signed, and names the host's own facts.
  const store = bucketOf(host.sandbox.s3.identities.host);
  await until(async () => (await host.show(recording)).sidecar?.signedBy === row.sidecar?.signedBy);
  const { body } = await store.get(sidecarKey(account(), recording));
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(chunk as Buffer);
  store.close();
  const opened = await openBytes(privateKeys(), { account: account(), recording }, Buffer.concat(chunks));
  expect(opened.toString().split('.')).toHaveLength(3);
});

test('a statement of completeness is verified by the running host, and each difference is listed', async () => {
  const day = '2026-01-02';
  const ledger: object = JSON.parse((await host.run('completeness', '--day', day, '--json')).out);
  const signing = createSigning(readSigningKeys(readFileSync(keyFile, 'utf8'), keyFile));
  const file = join(mkdtempSync(join(tmpdir(), 'statement-')), `${day}.json`);
  const write = async (statement: object) => {
    const jws = await signing.sign(statementType, JSON.stringify(statement));
    const [header, payload, signature] = jws.split('.');
    writeFileSync(file, JSON.stringify({ protected: header, payload, signature }));
  };
  await write(ledger);
  const same = await host.run('completeness', 'verify', file, '--day', day, '--json');
  expect([same.code, JSON.parse(same.out)]).toMatchObject([0, { statement: ledger, differences: [] }]);
  expect((await host.run('completeness', 'verify', file)).out).toContain('says the same');
  expect((await host.run('completeness', 'verify', file, '--day', '2026-01-03')).code).toBe(1);
  await write({ ...ledger, contacts: 7 });
  const other = await host.run('completeness', 'verify', file, '--json');
  expect(other.code).toBe(1);
  expect(JSON.parse(other.out)).toMatchObject({ differences: [{ what: 'contacts', stated: 7, now: 0 }] });
  writeFileSync(file, readFileSync(file, 'utf8').replace('"payload":"ey', '"payload":"eyJ'));
  expect(await host.run('completeness', 'verify', file)).toMatchObject({ code: 1 });
});

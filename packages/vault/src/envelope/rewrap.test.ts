import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildDecrypt } from '@aws-crypto/decrypt-node';
import { CommitmentPolicy } from '@aws-crypto/material-management-node';
import { RawAesKeyringNode, RawAesWrappingSuiteIdentifier } from '@aws-crypto/raw-aes-keyring-node';
import { type OwnKms, startKms } from '../../../../sandbox/src/kms/index.ts';
import { codeOf, context, memoryReader, rsaPair, sealSmall } from '../../test/support.ts';
import { createKeys, KEY_NAMESPACE } from '../keys/keys.ts';
import type { KeyConfig } from '../keys/types.ts';
import { openBytes } from './bytes.ts';
import { parseHeader, rewrapHeader } from './header.ts';
import { openEnvelope } from './open-envelope.ts';

const plaintext = Buffer.from(
  'two frames of sixty-four bytes and some more, so that there is a body behind the header '.repeat(2),
);
const folder = mkdtempSync(join(tmpdir(), 'rewrap-'));
const credentials = { accessKeyId: 'AKIATEST', secretAccessKey: 'secret' };
let kms: OwnKms;
beforeAll(async () => {
  kms = await startKms({ directory: folder, region: 'eu-west-1', credentials: [credentials] });
  process.env['AWS_ENDPOINT_URL_KMS'] = kms.endpoint;
});
afterAll(async () => {
  delete process.env['AWS_ENDPOINT_URL_KMS'];
  await kms.close();
  rmSync(folder, { recursive: true });
});

const aes = (...ids: string[]): KeyConfig => ({
  kind: 'raw-aes',
  keys: ids.map((keyId) => ({ keyId, key: new Uint8Array(32).fill(keyId.charCodeAt(0)) })),
});
const pairs = new Map(['a', 'b'].map((id) => [id, rsaPair().privateKeyPem]));
const rsa = (...ids: string[]): KeyConfig => ({
  kind: 'rsa',
  keys: ids.map((keyId) => ({ keyId, privateKeyPem: pairs.get(keyId) ?? '' })),
});
const arns = new Map<string, string>();
const ofKms = (...ids: string[]): KeyConfig => {
  for (const id of ids) if (!arns.has(id)) arns.set(id, kms.createKey());
  return { kind: 'kms', keyIds: ids.map((id) => arns.get(id) ?? ''), credentials };
};

const split = (message: Buffer) => {
  const end = parseHeader(message)?.bytes ?? 0;
  return { header: message.subarray(0, end), body: message.subarray(end) };
};

describe.each([
  ['AES', aes],
  ['RSA', rsa],
  ['KMS', ofKms],
])('%s keys', (_kind, config) => {
  test('the old header becomes one of the new key, and nothing behind it is touched', async () => {
    const { header, body } = split(await sealSmall(createKeys(config('a')), plaintext, 64));
    const both = createKeys(config('b', 'a'));
    const renewed = await rewrapHeader(both, header, context);
    const message = Buffer.concat([renewed, body]);
    const [newest, old] = [createKeys(config('b')), createKeys(config('a'))];
    expect(await openBytes(newest, context, message)).toEqual(plaintext);
    expect((await openEnvelope(newest, memoryReader(message), context)).keyId).toBe(newest.keyId);
    expect(await codeOf(openEnvelope(old, memoryReader(message), context))).toBe('envelope_wrong_key');
    const [before, after] = [parseHeader(header)?.header, parseHeader(renewed)?.header];
    expect(after).toMatchObject({
      messageId: before?.messageId,
      frameLength: before?.frameLength,
      suiteData: before?.suiteData,
      encryptionContext: before?.encryptionContext,
    });
    expect(after?.encryptedDataKeys).toHaveLength(1);
  });

  test('done again it is another wrapping of the same', async () => {
    const { header, body } = split(await sealSmall(createKeys(config('a')), plaintext, 64));
    const both = createKeys(config('b', 'a'));
    const twice = await rewrapHeader(both, await rewrapHeader(both, header, context), context);
    expect(await openBytes(both, context, Buffer.concat([twice, body]))).toEqual(plaintext);
  });

  test('by any of the keys at hand, where it is named', async () => {
    const both = createKeys(config('b', 'a'));
    const byOld = both.sealingBy(createKeys(config('a')).keyId);
    if (!byOld) throw new Error('the key is at hand');
    const message = await sealSmall(byOld, plaintext, 64);
    expect(await openBytes(createKeys(config('a')), context, message)).toEqual(plaintext);
    expect(both.sealingBy('another')).toBeUndefined();
  });

  test('without the old key nothing is renewed', async () => {
    const { header } = split(await sealSmall(createKeys(config('a')), plaintext, 64));
    expect(await codeOf(rewrapHeader(createKeys(config('b')), header, context))).toBe('envelope_wrong_key');
  });
});

describe('what is not as it was is not renewed', () => {
  const keys = createKeys(aes('b', 'a'));
  const sealed = async () => split(await sealSmall(keys, plaintext, 64)).header;

  test('altered', async () => {
    const header = Buffer.from(await sealed());
    header[header.length - 1] = (header[header.length - 1] ?? 0) ^ 1;
    expect(await codeOf(rewrapHeader(keys, header, context))).toBe('envelope_tampered');
  });
  test("another recording's", async () => {
    const other = { ...context, recording: `RE${'c'.repeat(32)}` };
    expect(await codeOf(rewrapHeader(keys, await sealed(), other))).toBe('envelope_wrong_recording');
  });
  test('cut short, or with more behind it', async () => {
    const header = await sealed();
    expect(await codeOf(rewrapHeader(keys, header.subarray(0, -1), context))).toBe('envelope_malformed');
    expect(await codeOf(rewrapHeader(keys, Buffer.concat([header, header]), context))).toBe(
      'envelope_malformed',
    );
  });
});

test("AWS's own SDK opens what was renewed", async () => {
  const { header, body } = split(await sealSmall(createKeys(aes('a')), plaintext, 64));
  const renewed = await rewrapHeader(createKeys(aes('b', 'a')), header, context);
  const { decrypt } = buildDecrypt(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT);
  const ring = new RawAesKeyringNode({
    keyNamespace: KEY_NAMESPACE,
    keyName: 'b',
    unencryptedMasterKey: new Uint8Array(32).fill('b'.charCodeAt(0)),
    wrappingSuite: RawAesWrappingSuiteIdentifier.AES256_GCM_IV12_TAG16_NO_PADDING,
  });
  expect((await decrypt(ring, Buffer.concat([renewed, body]))).plaintext).toEqual(plaintext);
});

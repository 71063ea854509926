import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SigningConfig } from '../config.ts';
import { newSigningKey } from './key-file.ts';
import { loadSigning, makeSigningKey, openSigning } from './load.ts';
import { testSigning } from './testing/identity.ts';

let folder: string;
let config: SigningConfig;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'signing-'));
  config = {
    file: join(folder, 'of', 'its', 'own', 'signing-key.pem'),
    configured: false,
    certificateKeyFile: join(folder, 'certificate-key.pem'),
  };
});
afterEach(() => rmSync(folder, { recursive: true }));
const missing = expect.objectContaining({ code: 'signing_key_missing' });
const first = async () => true;
const later = async () => false;

test('the first start makes the key, for its owner alone, and every other takes it as it is', async () => {
  expect(() => loadSigning(config)).toThrow(missing);
  const { signing, made } = await openSigning(config, first);
  expect([made, statSync(config.file).mode & 0o777]).toEqual([config.file, 0o600]);
  expect(readdirSync(join(folder, 'of', 'its', 'own'))).toEqual(['signing-key.pem']);
  const again = await openSigning(config, first);
  expect([again.signing.keyId, again.made]).toEqual([signing.keyId, undefined]);
  expect(makeSigningKey(config.file)).toBe(false);
});

test('a later start refuses to make one: what is there was signed by another', async () => {
  await expect(openSigning(config, later)).rejects.toEqual(missing);
  expect(readdirSync(folder)).toEqual([]);
  const keys = { ...config, keys: 'hello' };
  await expect(openSigning(keys, first)).rejects.toMatchObject({ code: 'signing_key' });
});

test('the key of earlier certificates signs where there is no other, and verifies beside another', async () => {
  const old = newSigningKey();
  writeFileSync(config.certificateKeyFile, old, { mode: 0o600 });
  const certificate = await testSigning(old).sign('erasure+jws', 'x');
  const { signing, made } = await openSigning(config, later);
  expect([signing.keyId, made]).toEqual([testSigning(old).keyId, undefined]);
  // Somebody named another file: the old key does not stand in for it.
  await expect(openSigning({ ...config, configured: true }, later)).rejects.toEqual(missing);
  const both = (await openSigning({ ...config, configured: true }, first)).signing;
  expect(both.keyId).not.toBe(signing.keyId);
  expect((await both.verify('erasure+jws', certificate)).keyId).toBe(signing.keyId);
  // The same key in both places is one key.
  const twice = { ...config, keys: old };
  expect(loadSigning(twice).keyIds).toEqual([signing.keyId]);
});

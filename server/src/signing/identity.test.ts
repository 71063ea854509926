import { generateKeyPairSync } from 'node:crypto';
import { calculateJwkThumbprint } from 'jose';
import { createSigning } from './identity.ts';
import { newSigningKey, readSigningKeys } from './key-file.ts';
import { testSigning } from './testing/identity.ts';

const typ = 'sidecar+jws';
const untrusted = { code: 'signature_untrusted' };
const read = (text: string) => readSigningKeys(text, 'key.pem');
const publicOf = (text: string) =>
  read(text)[0]!.publicKey.export({ type: 'spki', format: 'pem' }).toString();

test('what it signs it verifies, and names the key in the header', async () => {
  const signing = testSigning();
  const jws = await signing.sign(typ, '{"a":1}');
  expect(await signing.verify(typ, jws)).toEqual({ payload: '{"a":1}', keyId: signing.keyId });
  const [head = ''] = jws.split('.');
  expect(JSON.parse(Buffer.from(head, 'base64url').toString())).toEqual({
    alg: 'EdDSA',
    typ,
    kid: signing.keyId,
  });
});

test('another type, another text, another key, or no signed text is not trusted', async () => {
  const signing = testSigning();
  const jws = await signing.sign(typ, 'mine');
  const [head, , signature] = jws.split('.');
  const altered = `${head}.${Buffer.from('yours').toString('base64url')}.${signature}`;
  const unsigned = `${Buffer.from(`{"alg":"none","typ":"${typ}"}`).toString('base64url')}.bWluZQ.`;
  await expect(signing.verify('erasure+jws', jws)).rejects.toMatchObject(untrusted);
  for (const text of [altered, unsigned, 'hello', '', await testSigning().sign(typ, 'mine')])
    await expect(signing.verify(typ, text)).rejects.toMatchObject(untrusted);
});

test('the first key signs, all listed ones verify, public ones too', async () => {
  const [old, older, now] = [newSigningKey('old'), newSigningKey(), newSigningKey('now')];
  const signedBefore = await Promise.all([old, older].map((text) => testSigning(text).sign(typ, 'x')));
  const signing = testSigning(now, old, publicOf(older));
  expect([signing.keyId, signing.keyIds.length]).toEqual(['now', 3]);
  for (const jws of signedBefore) expect(await signing.verify(typ, jws)).toMatchObject({ payload: 'x' });
  expect((await signing.verify(typ, signedBefore[0]!)).keyId).toBe('old');
  expect((await signing.publicJwks()).map(({ kid }) => kid)).toEqual(signing.keyIds);
  for (const jws of signedBefore)
    await expect(testSigning(now).verify(typ, jws)).rejects.toMatchObject(untrusted);
});

test('a key that was given a name is the key that it was', async () => {
  const text = newSigningKey();
  const before = testSigning(text);
  const jws = await before.sign(typ, 'x');
  const named = testSigning(`# key id: 2026-12\n${text}`);
  expect(await named.verify(typ, jws)).toEqual({ payload: 'x', keyId: '2026-12' });
  expect([named.lists(before.keyId), named.lists('2026-12'), named.lists('2026-11')]).toEqual([
    true,
    true,
    false,
  ]);
});

test('without a name a key is called by its thumbprint, as jose reckons it', async () => {
  const signing = testSigning();
  const [jwk] = await signing.publicJwks();
  expect(signing.keyId).toBe(await calculateJwkThumbprint(jwk!));
});

describe('a key file is refused, by its place and without its content', () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  const one = newSigningKey('one');
  test.each([
    ['that holds nothing', '# keys\n', 'no key'],
    ['that is no key file', 'hello', 'line 1 of key.pem is no PEM'],
    ['with a key cut short', newSigningKey().slice(0, 60), 'line 1 of key.pem begins a PEM that has no end'],
    ['with a broken key', newSigningKey().replace(/\n[A-Za-z0-9+/=]{20}/, '\nAAAA'), 'copy it whole'],
    ['with a key of sealing', `k1:${'A'.repeat(43)}=`, 'line 1 of key.pem is an AES key'],
    ['with a name for the wrong key', `${one.replace('END', 'END ')}${newSigningKey('two')}`, 'line'],
    [
      'with a name that is nearly one',
      newSigningKey('x').replace('key id', 'Key ID'),
      'line 1 of key.pem is no name',
    ],
    ['with another kind of key', `${rsa.export({ type: 'pkcs8', format: 'pem' })}`, 'must be Ed25519'],
    ['with a name that is none', newSigningKey().replace(/^/, '# key id: ä\n'), 'key id'],
    ['whose first key only verifies', publicOf(one), 'must be a private one'],
    ['with two of one name', one + newSigningKey('one'), 'the same id'],
  ])('%s', (_what, text, why) => {
    expect(() => createSigning(read(text))).toThrow(
      expect.objectContaining({ code: 'signing_key', message: expect.stringContaining(why) }),
    );
    expect(() => newSigningKey('no id')).toThrow('a key id has');
  });
});

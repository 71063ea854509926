import { generateKeyPairSync } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AccountSid, RecordingSid } from '@flex-custody/core';
import { type Certificate, loadSigner, makeCertificateKey, verifyCertificate } from './certificate.ts';

const folder = mkdtempSync(join(tmpdir(), 'certificate-'));
const file = join(folder, 'of', 'its', 'own', 'key.pem');
afterAll(() => rmSync(folder, { recursive: true }));

const certificate: Certificate = {
  iss: `AC${'a'.repeat(32)}` as AccountSid,
  jti: '0b5f2c36-5b3b-4c57-9a51-0f2f3c1f9d11',
  iat: 1_780_000_000,
  reason: 'erasure',
  reference: 'ticket 17',
  policy: 'none',
  recordings: [
    {
      recording: `RE${'b'.repeat(32)}` as RecordingSid,
      versions: 3,
      twilio: 'deleted',
      at: '2026-11-26T10:00:00.000Z',
    },
  ],
};

test('the key is made once, for its owner alone', () => {
  expect(makeCertificateKey(file)).toBe(true);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const { mtimeMs } = statSync(file);
  expect(makeCertificateKey(file)).toBe(false);
  expect(statSync(file).mtimeMs).toBe(mtimeMs);
});

test('what it signs is verified by the public half alone', async () => {
  const signer = loadSigner(file);
  const jws = await signer.sign(certificate);
  const jwk = await signer.publicJwk();
  expect(jwk).toMatchObject({ kty: 'OKP', crv: 'Ed25519', alg: 'EdDSA' });
  expect(jwk).not.toHaveProperty('d');
  expect(await verifyCertificate(`${jws}\n`, jwk)).toEqual(certificate);
  const [head = ''] = jws.split('.');
  expect(JSON.parse(Buffer.from(head, 'base64url').toString())).toEqual({
    alg: 'EdDSA',
    typ: 'erasure+jws',
    kid: jwk.kid,
  });
});

test('altered, of another key, or no such text, it is refused', async () => {
  const signer = loadSigner(file);
  const jws = await signer.sign(certificate);
  const [head, , signature] = jws.split('.');
  const other = Buffer.from(JSON.stringify({ ...certificate, recordings: [] })).toString('base64url');
  const jwk = await signer.publicJwk();
  const another = join(folder, 'another.pem');
  makeCertificateKey(another);
  const code = { code: 'certificate_invalid' };
  await expect(verifyCertificate(`${head}.${other}.${signature}`, jwk)).rejects.toMatchObject(code);
  await expect(verifyCertificate(jws, await loadSigner(another).publicJwk())).rejects.toMatchObject(code);
  await expect(verifyCertificate('hello', jwk)).rejects.toMatchObject(code);
});

test('without a key it says how to make one, and another kind is refused', () => {
  const missing = join(folder, 'missing.pem');
  expect(() => loadSigner(missing)).toThrow('flex-custody setup');
  expect(existsSync(missing)).toBe(false);
  const rsa = join(folder, 'rsa.pem');
  writeFileSync(
    rsa,
    generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' }),
  );
  expect(() => loadSigner(rsa)).toThrow('Ed25519');
  writeFileSync(rsa, 'hello');
  expect(() => loadSigner(rsa)).toThrow(expect.objectContaining({ code: 'certificate_key' }));
});

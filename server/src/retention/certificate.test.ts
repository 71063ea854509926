import type { AccountSid, RecordingSid } from '@flex-custody/core';
import { testSigning } from '../signing/testing/identity.ts';
import { type Certificate, certificateType, verifyCertificate } from './certificate.ts';

const signing = testSigning();
const jwkOf = async (of = signing) => (await of.publicJwks())[0]!;

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
const signed = () => signing.sign(certificateType, JSON.stringify(certificate));

test('what is signed is verified by the public half alone', async () => {
  const jws = await signed();
  const jwk = await jwkOf();
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

test('altered, of another key, of another type, or no such text, it is refused', async () => {
  const jws = await signed();
  const [head, , signature] = jws.split('.');
  const other = Buffer.from(JSON.stringify({ ...certificate, recordings: [] })).toString('base64url');
  const jwk = await jwkOf();
  const code = { code: 'certificate_invalid' };
  await expect(verifyCertificate(`${head}.${other}.${signature}`, jwk)).rejects.toMatchObject(code);
  await expect(verifyCertificate(jws, await jwkOf(testSigning()))).rejects.toMatchObject(code);
  const sidecar = await signing.sign('sidecar+jws', JSON.stringify(certificate));
  await expect(verifyCertificate(sidecar, jwk)).rejects.toMatchObject(code);
  await expect(verifyCertificate('hello', jwk)).rejects.toMatchObject(code);
});

import type { AccountSid, RecordingSid } from '@flex-custody/core';
import { newSigningKey } from '../signing/key-file.ts';
import { testSigning } from '../signing/testing/identity.ts';
import { type Certificate, certificateType, namedKey, verifyCertificate } from './certificate.ts';

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

const session = {
  ...{ id: `WT${'c'.repeat(32)}`, seconds: 4.5, minimumSeconds: 10, settings: 7 },
  ...{ connectedAt: '2026-11-26T09:00:00.000Z', closedAt: '2026-11-26T09:00:04.500Z' },
};
const ofShort = (change: object = {}) =>
  signing.sign(
    certificateType,
    JSON.stringify({
      ...certificate,
      reason: 'short-session',
      recordings: certificate.recordings.map((one) => ({ ...one, session: { ...session, ...change } })),
    }),
  );

test('of a short call it names the session and the policy, and each part is checked', async () => {
  const jwk = await jwkOf();
  expect(await verifyCertificate(await ofShort(), jwk)).toMatchObject({
    reason: 'short-session',
    recordings: [{ session }],
  });
  for (const change of [
    ...[{ id: '' }, { connectedAt: 'then' }, { closedAt: 1 }],
    ...[{ seconds: -1 }, { minimumSeconds: 0 }, { settings: '7' }],
  ])
    await expect(verifyCertificate(await ofShort(change), jwk)).rejects.toMatchObject({
      message: expect.stringContaining(`session.${Object.keys(change)[0]}`),
    });
});

test('altered, of another key, of another type, or no such text, it is refused', async () => {
  const jws = await signed();
  const [head, , signature] = jws.split('.');
  const other = Buffer.from(JSON.stringify({ ...certificate, recordings: [] })).toString('base64url');
  const jwk = await jwkOf();
  const code = { code: 'certificate_invalid' };
  await expect(verifyCertificate(`${head}.${other}.${signature}`, jwk)).rejects.toMatchObject(code);
  const sidecar = await signing.sign('sidecar+jws', JSON.stringify(certificate));
  await expect(verifyCertificate(sidecar, jwk)).rejects.toMatchObject(code);
  await expect(verifyCertificate('hello', jwk)).rejects.toMatchObject(code);
});

test('of another key it is said which key it wants', async () => {
  const jws = await signed();
  const { kid = '', ...bare } = await jwkOf();
  const other = await jwkOf(testSigning());
  const refused = { code: 'certificate_key', message: expect.stringContaining(kid) };
  await expect(verifyCertificate(jws, other)).rejects.toMatchObject(refused);
  await expect(verifyCertificate(jws, { ...other, kid: undefined } as never)).rejects.toMatchObject(refused);
  // The right key under another name, and one that somebody named as this one.
  await expect(verifyCertificate(jws, { ...bare, kid: 'another' })).resolves.toEqual(certificate);
  await expect(verifyCertificate(jws, { ...other, kid })).rejects.toMatchObject({
    code: 'certificate_invalid',
  });
  expect(await verifyCertificate(jws, bare)).toEqual(certificate);
});

test('a key that has a name is held to it', async () => {
  const named = testSigning(newSigningKey('2026'));
  const jws = await named.sign(certificateType, JSON.stringify(certificate));
  const jwk = await jwkOf(named);
  expect(await verifyCertificate(jws, jwk)).toEqual(certificate);
  await expect(verifyCertificate(jws, { ...jwk, kid: '2025' })).rejects.toMatchObject({
    code: 'certificate_key',
    message: 'it was signed by the key 2026, and this is 2025',
  });
});

describe('what was signed has to be a certificate', () => {
  const of = async (payload: unknown) =>
    verifyCertificate(await signing.sign(certificateType, JSON.stringify(payload)), await jwkOf());
  const [one] = certificate.recordings;
  test.each([
    ['something else', { hello: 1 }, 'iss'],
    ['a text', 'hello', 'the whole'],
    ['another issuer', { ...certificate, iss: 'flex-custody' }, 'iss'],
    ['an id that is none', { ...certificate, jti: '7' }, 'jti'],
    ['a time that is none', { ...certificate, iat: '2026-11-26' }, 'iat'],
    ['a reason that is none', { ...certificate, reason: 'because' }, 'reason'],
    ['a policy that is none', { ...certificate, policy: 'mine' }, 'policy'],
    ['no recordings', { ...certificate, recordings: [] }, 'recordings'],
    ['no SID', { ...certificate, recordings: [{ ...one, recording: 'RE1' }] }, 'recordings.0.recording'],
    ['no count', { ...certificate, recordings: [{ ...one, versions: -1 }] }, 'recordings.0.versions'],
  ])('%s is refused', async (_what, payload, member) => {
    await expect(of(payload)).rejects.toMatchObject({
      code: 'certificate_invalid',
      message: expect.stringContaining(`${member} is missing or malformed`),
    });
  });

  test('members of a newer release pass', async () => {
    const newer = { ...certificate, begun: 1, recordings: [{ ...one, bytes: 7 }] };
    expect(await of(newer)).toEqual(newer);
  });
});

test.each([undefined, '\u001b]0;owned\u0007', 'a b', ''])('a key id %j is none', (kid) => {
  const header = Buffer.from(JSON.stringify({ alg: 'EdDSA', typ: certificateType, kid })).toString(
    'base64url',
  );
  expect(() => namedKey(`${header}.e30.c2ln`)).toThrow('the text names no valid key id');
});

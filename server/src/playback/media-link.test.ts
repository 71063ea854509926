import { decodeJwt, decodeProtectedHeader, SignJWT } from 'jose';
import { createMediaLinks, type MediaClaims } from './media-link.ts';
import { createSegmentLinks } from './segment-link.ts';
import { otherRecording, publicUrl, recording, secret } from './testing/kit.ts';

let clock = Date.parse('2026-11-20T10:00:00Z');
const links = createMediaLinks({ secret, publicUrl, ttlSeconds: 600, now: () => clock });
const claims: MediaClaims = {
  viewer: 'ada',
  recordingSid: recording,
  origin: 'vault',
  version: '"e1"',
  channels: 2,
};
const tokenOf = async (url: Promise<string>) => new URL(await url).searchParams.get('token') ?? '';

/** A token like ours but for what is changed. */
function forged(changes: { claims?: object; typ?: string; key?: Uint8Array; alg?: string } = {}) {
  const at = Math.floor(clock / 1000);
  const good = { iss: 'flex-custody', aud: 'media', sub: 'ada', iat: at, exp: at + 600, jti: 'j' };
  return new SignJWT({ ...good, rec: recording, src: 'vault', v: '"e1"', ch: 2, ...changes.claims })
    .setProtectedHeader({ alg: changes.alg ?? 'HS256', typ: changes.typ ?? 'rec-media+jwt' })
    .sign(changes.key ?? secret);
}

test('a link is absolute, names the recording and says how long it lives', async () => {
  const url = new URL(await links.issue(claims));
  expect(url.origin + url.pathname).toBe(`${publicUrl}/media/${recording}.wav`);
  expect(url.searchParams.get('X-Amz-Expires')).toBe('600');
});

test('its token says only what is needed', async () => {
  const token = await tokenOf(links.issue(claims));
  expect(decodeProtectedHeader(token)).toEqual({ alg: 'HS256', typ: 'rec-media+jwt' });
  expect(decodeJwt(token)).toEqual({
    iss: 'flex-custody',
    aud: 'media',
    sub: 'ada',
    rec: recording,
    src: 'vault',
    v: '"e1"',
    ch: 2,
    iat: clock / 1000,
    exp: clock / 1000 + 600,
    jti: expect.any(String),
  });
});

test('it plays again and again until it expires', async () => {
  const token = await tokenOf(links.issue(claims));
  await expect(links.verify(token, recording)).resolves.toEqual({ ...claims, id: expect.any(String) });
  clock += 599_000;
  await expect(links.verify(token, recording)).resolves.toEqual({ ...claims, id: expect.any(String) });
  clock += 1_000;
  await expect(links.verify(token, recording)).rejects.toMatchObject({ code: 'link_expired', status: 403 });
});

test('a link to Twilio’s media is pinned to no version', async () => {
  const twilio: MediaClaims = { viewer: 'ada', recordingSid: recording, origin: 'twilio', channels: 1 };
  await expect(links.verify(await tokenOf(links.issue(twilio)), recording)).resolves.toEqual({
    ...twilio,
    id: expect.any(String),
  });
});

test('the forger’s good token is good, so that its bad ones prove something', async () => {
  await expect(links.verify(await forged(), recording)).resolves.toEqual({
    ...claims,
    id: expect.any(String),
  });
});

test.each<[string, Parameters<typeof forged>[0]]>([
  ['another key', { key: new Uint8Array(32).fill(8) }],
  ['another algorithm', { alg: 'HS512', key: new Uint8Array(64).fill(7) }],
  ['another kind of token', { typ: 'rec-segment+jwt' }],
  ['no kind', { typ: 'JWT' }],
  ['another issuer', { claims: { iss: 'somebody' } }],
  ['another audience', { claims: { aud: 'segment' } }],
  ['another recording', { claims: { rec: otherRecording } }],
  ['no recording', { claims: { rec: undefined } }],
  ['no viewer', { claims: { sub: undefined } }],
  ['no expiry', { claims: { exp: undefined } }],
  ['no time of issue', { claims: { iat: undefined } }],
  ['an unknown origin', { claims: { src: 'elsewhere' } }],
  ['the vault without a version', { claims: { v: undefined } }],
  ['three channels', { claims: { ch: 3 } }],
])('a token with %s is refused', async (_name, changes) => {
  await expect(links.verify(await forged(changes), recording)).rejects.toMatchObject({
    code: 'link_invalid',
    status: 403,
  });
});

test('a far expiry buys no more than 15 minutes', async () => {
  const token = await forged({ claims: { exp: clock / 1000 + 86_400 } });
  await expect(links.verify(token, recording)).resolves.toEqual({ ...claims, id: expect.any(String) });
  clock += 901_000;
  await expect(links.verify(token, recording)).rejects.toMatchObject({ code: 'link_expired' });
});

test('an unsigned, a tampered and a missing token are refused', async () => {
  const token = await tokenOf(links.issue(claims));
  const [header, payload, signature] = token.split('.');
  const unsigned = `${Buffer.from('{"alg":"none","typ":"rec-media+jwt"}').toString('base64url')}.${payload}.`;
  const swapped = Buffer.from(JSON.stringify({ ...decodeJwt(token), rec: otherRecording })).toString(
    'base64url',
  );
  await expect(links.verify(unsigned, recording)).rejects.toMatchObject({ code: 'link_invalid' });
  await expect(links.verify(`${header}.${swapped}.${signature}`, otherRecording)).rejects.toMatchObject({
    code: 'link_invalid',
  });
  await expect(links.verify('no token at all', recording)).rejects.toMatchObject({ code: 'link_invalid' });
  await expect(links.verify(undefined, recording)).rejects.toMatchObject({
    code: 'link_missing',
    status: 401,
  });
});

test('a segment link’s token opens nothing here', async () => {
  const segments = createSegmentLinks({ secret, publicUrl, days: 1, now: () => clock });
  const url = await segments.segmentLinkFor({ recordingSid: recording, segmentGeneration: 1 });
  const token = new URL(url ?? '').searchParams.get('token') ?? '';
  await expect(links.verify(token, recording)).rejects.toMatchObject({ code: 'link_invalid' });
});

test('a life of more than 15 minutes cannot be configured', () => {
  expect(() => createMediaLinks({ secret, publicUrl, ttlSeconds: 901 })).toThrow(/at most 900/);
});

import { looksLikeFlexToken } from './token-shape.ts';

const head = (header: unknown) => Buffer.from(JSON.stringify(header)).toString('base64url');
const jwe = head({ alg: 'dir', enc: 'A256GCM', kid: 'k', zip: 'DEF' });

test.each([
  ['a direct key', `${jwe}..aXY.Y2lwaGVy.dGFn`],
  ['an encrypted key', `${head({ alg: 'RSA-OAEP', enc: 'A256CBC-HS512' })}.a2V5.aXY.Y2lwaGVy.dGFn`],
  ['padding', `${jwe}..aXY=.Y2lwaGVy.dGFn`],
  ['a signed JWT', `${head({ alg: 'HS256', typ: 'JWT', cty: 'twilio-fpa;v=1' })}.e30.c2ln`],
  ['some kilobytes', `${jwe}..aXY.${'x'.repeat(20_000)}.dGFn`],
])('a Flex token is taken: %s', (_name, token) => {
  expect(looksLikeFlexToken(token)).toBe(true);
});

test.each([
  ['too short', 'abc'],
  ['random text of its alphabet', 'x'.repeat(400)],
  ['five random parts', 'xxxx.xxxx.xxxx.xxxx.xxxx'],
  ['a JWT without a signature', `${head({ alg: 'none' })}.e30.`],
  ['a JWT whose header names no alg', `${head({ typ: 'JWT' })}.e30.c2ln`],
  ['three random parts', 'xxxx.xxxx.xxxx'],
  ['four parts', `${jwe}..aXY.Y2lwaGVy`],
  ['six parts', `${jwe}..aXY.Y2lwaGVy.dGFn.eHg`],
  ['an empty tag', `${jwe}..aXY.Y2lwaGVy.`],
  ['an empty ciphertext', `${jwe}..aXY..dGFn`],
  ['a header without enc', `${head({ alg: 'dir' })}..aXY.Y2lwaGVy.dGFn`],
  ['a header that is null', `${head(null)}..aXY.Y2lwaGVy.dGFn`],
  ['a header that is a list', `${head([])}..aXY.Y2lwaGVy.dGFn`],
  ['a line break', `${jwe}..aXY.Y2lwaGVy.dGFn\n`],
  ['not ASCII', `${jwe}..aXY.Y2lwaGVy.dGFné`],
  ['a quote', `${jwe}..aXY.Y2lwaGVy.dGFn"`],
  ['past 64 KiB', `${jwe}..aXY.${'x'.repeat(65_536)}.dGFn`],
])('what is none is told apart: %s', (_name, text) => {
  expect(looksLikeFlexToken(text)).toBe(false);
});

import { createHash, createHmac } from 'node:crypto';
import { signBody, signRequest, verifyRequest } from './signature.ts';

const secret = 's'.repeat(32);
const now = 1_800_000_000_500;
const path = '/ingest/recordings?x=1';
const header = signRequest(secret, 'POST', path, '{"a":1}', now);
const verify = (
  changes: Partial<{
    secrets: string[];
    header: string;
    method: string;
    path: string;
    body: string;
    now: number;
  }>,
) =>
  verifyRequest(
    changes.secrets ?? [secret],
    'header' in changes ? changes.header : header,
    changes.method ?? 'POST',
    changes.path ?? path,
    changes.body ?? '{"a":1}',
    changes.now ?? now,
  );

test('is the HMAC of time, method, path and the body’s digest', () => {
  const bodyHash = createHash('sha256').update('{"a":1}').digest('hex');
  const mac = createHmac('sha256', secret).update(`1800000000.POST.${path}.${bodyHash}`).digest('hex');
  expect(header).toBe(`t=1800000000,v1=${mac}`);
  expect(verify({})).toBe(true);
});

test('either of two secrets holds while they are rotated', () => {
  expect(verify({ secrets: ['n'.repeat(32), secret] })).toBe(true);
  expect(verify({ secrets: ['n'.repeat(32)] })).toBe(false);
  expect(verify({ secrets: [] })).toBe(false);
});

test.each([
  ['method', { method: 'GET' }],
  ['path', { path: '/ingest/recordings?x=2' }],
  ['query left out', { path: '/ingest/recordings' }],
  ['body', { body: '{"a":2}' }],
  ['time in the header', { header: header.replace('t=1800000000', 't=1800000001') }],
  ['no header', { header: undefined as unknown as string }],
  ['half a signature', { header: header.slice(0, -2) }],
  ['anything after it', { header: `${header}0` }],
  ['upper case', { header: header.toUpperCase() }],
])('is refused with another %s', (_what, changes) => {
  expect(verify(changes)).toBe(false);
});

test('holds for five minutes, and a minute ahead', () => {
  expect(verify({ now: now + 299_000 })).toBe(true);
  expect(verify({ now: now - 59_000 })).toBe(true);
  expect(verify({ now: now + 301_000 })).toBe(false);
  expect(verify({ now: now - 61_000 })).toBe(false);
});

test('a body alone is signed by each secret, over time and body', () => {
  const by = (one: string) => createHmac('sha256', one).update('1800000000.{"a":1}').digest('hex');
  const older = 'o'.repeat(32);
  expect(signBody([secret], '{"a":1}', now)).toBe(`t=1800000000,v1=${by(secret)}`);
  expect(signBody([secret, older], '{"a":1}', now)).toBe(`t=1800000000,v1=${by(secret)},v1=${by(older)}`);
});

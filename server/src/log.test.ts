import { CustodyError } from '@flex-custody/core';
import { createLog, redact } from './log.ts';

function logged(write: (log: ReturnType<typeof createLog>) => void): string {
  const lines: string[] = [];
  write(createLog('info', { write: (line) => void lines.push(line) }));
  return lines.join('');
}

const jwe = `eyJhbGciOiJkaXIifQ.${'a'.repeat(40)}..${'b'.repeat(400)}.${'c'.repeat(22)}`;

test.each([
  ['an Authorization field', { headers: { authorization: `Basic ${btoa('token:abc')}` } }, btoa('token:abc')],
  ['a token field', { token: 'hush-hush' }, 'hush-hush'],
  ['a secret field', { config: { clientSecret: 'hush-hush' } }, 'hush-hush'],
  ['a quoted secret', { password: 'hu"sh' }, 'sh"'],
  ['a lease', { lease: 'a-b-c' }, 'a-b-c'],
  ['Basic inside a text', { detail: 'sent Basic QUM6c2VjcmV0 to it' }, 'QUM6c2VjcmV0'],
  ['a token in a URL', { url: '/media/RE1.wav?a=1&token=e.y.J&b=2' }, 'e.y.J'],
  ['a presigned URL', { url: 'https://s3/x?X-Amz-Signature=abcdef&X-Amz-Expires=1' }, 'abcdef'],
  ['a bare encrypted token', { detail: `refused ${jwe}!` }, 'bbbb'],
  ['a token behind a hyphen', { detail: `session-${jwe}` }, 'bbbb'],
  ['a token behind a host name', { detail: `example.com.x-${jwe}` }, 'bbbb'],
  ['a phone number', { detail: 'call from +4915112345678' }, '15112345678'],
])('%s does not reach the log', (_what, fields, secret) => {
  const line = logged((log) => log.info(fields, 'said'));
  expect(line).not.toContain(secret);
  expect(line).toContain('[redacted]');
  expect(JSON.parse(line)).toMatchObject({ level: 'info', msg: 'said' });
});

test('nor does it as the message itself', () => {
  expect(logged((log) => log.warn(`caller +4915112345678 with Bearer abc.def`))).not.toMatch(/4915|abc\.def/);
});

test('what is needed stays', () => {
  const fields = {
    recording: `RE${'0a'.repeat(16)}`,
    bytes: 1234567890,
    event: 'recording.sealed',
    code: 'token_refused',
  };
  expect(JSON.parse(logged((log) => log.info(fields, 'sealed')))).toMatchObject(fields);
});

test('an error keeps its code and causes, and loses what vendors hang on theirs', () => {
  const vendor = Object.assign(new Error('Request failed'), {
    code: 'ECONNRESET',
    config: { headers: { 'X-Key': 'hush-hush' }, data: 'to: me' },
  });
  const error = new CustodyError('media_cut', 'the socket was cut', { cause: vendor });
  const line = logged((log) => log.error({ err: error }, 'failed'));
  expect(line).not.toMatch(/hush|to: me/);
  expect(JSON.parse(line).err).toMatchObject({
    code: 'media_cut',
    status: 503,
    retryable: true,
    stack: expect.stringContaining('log.test'),
    cause: { code: 'ECONNRESET', message: 'Request failed' },
  });
});

test('an error that is its own cause ends', () => {
  const error = new Error('loop');
  error.cause = error;
  expect(logged((log) => log.error({ err: error }, 'failed')).length).toBeLessThan(5_000);
});

test('a long line is not looked through again from each of its characters', () => {
  const detail = ['eyJ', '+1', 'eyJ-', 'eyJ.', '"token":', 'Bearer ', '?token=', '-'].map((piece) =>
    piece.repeat(60_000),
  );
  const line = JSON.stringify({ detail });
  const began = performance.now();
  redact(line);
  // A few ms; half a minute if a token could begin at each of them.
  expect(performance.now() - began).toBeLessThan(5_000);
});

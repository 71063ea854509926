import { deployedAs, headersTooLarge, passedHeaders, platformLimits } from './limits.ts';

describe('headers a Function gets to see', () => {
  test.each([
    'I-Twilio-Idempotency-Token',
    'i-t-x',
    'OT-Trace',
    'X-Forwarded-For',
    'x-amz-date',
    'Via',
    'Referer',
    'Connection',
    'X-Real-IP',
  ])('%s is taken off', (name) => {
    expect(passedHeaders([name, 'x', 'Accept', '*/*'])).toEqual([['accept', '*/*']]);
  });

  test('the signature and repeated headers stay', () => {
    expect(passedHeaders(['X-Twilio-Signature', 's', 'Cookie', 'a=1', 'Cookie', 'b=2'])).toEqual([
      ['x-twilio-signature', 's'],
      ['cookie', 'a=1'],
      ['cookie', 'b=2'],
    ]);
  });
});

describe('headers the platform takes', () => {
  const filled = (bytes: number) => ['x', 'a'.repeat(bytes - 5)];

  test('15 kB, and no byte more', () => {
    expect(headersTooLarge(filled(platformLimits.headerBytes))).toBe(false);
    expect(headersTooLarge(filled(platformLimits.headerBytes + 1))).toBe(true);
  });

  test('90 of them, and not one more', () => {
    const many = (count: number) => Array.from({ length: count }, (_, i) => [`h${i}`, '']).flat();
    expect(headersTooLarge(many(90))).toBe(false);
    expect(headersTooLarge(many(91))).toBe(true);
  });
});

describe('what a deployed file is called', () => {
  test.each([
    ['hello.js', 'function', '/hello', 'public'],
    ['recording-status-callback.protected.js', 'function', '/recording-status-callback', 'protected'],
    ['helper.private.js', 'function', '/helper', 'private'],
    ['deep/er.js', 'function', '/deep/er', 'public'],
    ['ca.private.pem', 'asset', '/ca.pem', 'private'],
    ['logo.svg', 'asset', '/logo.svg', 'public'],
  ] as const)('%s', (name, kind, path, visibility) => {
    expect(deployedAs(name, kind)).toEqual({ path, visibility });
  });
});

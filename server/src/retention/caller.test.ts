import { callerDigests, callerOf, digestsOf, hintedCallers, hintOf, isBy } from './caller.ts';
import { asTyped, toE164 } from './numbers.ts';

const secret = (n: number) => Buffer.alloc(32, n).toString('base64');
const digest = callerDigests(secret(5))!;
const e164 = '+4930123456';

describe('a number in E.164', () => {
  test.each([
    ['+4930123456', e164],
    ['+49 30 123456', e164],
    ['+49 (30) 123-456', e164],
    ['+49 (0)30 123456', e164],
    ['+49.30/123456', e164],
    ['sip:+4930123456@trunk.example;transport=tls', e164],
    ['sips:%2B4930123456@trunk.example', e164],
    ['tel:+49-30-123456', e164],
    // A zero that belongs to the number.
    ['+39 06 698 1234', '+39066981234'],
    ['+44 (0)20 7946 0958', '+442079460958'],
    // Of a range that is given to nobody: Twilio's word all the same.
    ['+19990000000', '+19990000000'],
  ])('%s', (written, expected) => {
    expect(toE164(written)).toBe(expected);
  });

  test.each([
    ['without a country', '030 123456'],
    ['without the sign', '4930123456'],
    ['with zeros for the sign', '004930123456'],
    ["a worker's address", 'client:agent_40example_2Ecom'],
    ['a SIP user with a name', 'sip:alice@trunk.example'],
    ['broken percent signs', 'sip:%E0%A4%A@trunk.example'],
    ['too short', '+49 30'],
    ['no country at all', '+999123456789'],
    ['an extension', '+49 30 123456 ext. 5'],
    ['words', 'Anonymous'],
    ['nothing', ''],
  ])('%s is none', (_what, written) => {
    expect(toE164(written)).toBeUndefined();
  });

  test.each(['+266696687', '+7378742833', '+17378742833', '+2562533', '+8656696', '+86282452253'])(
    '%s spells that the number was withheld',
    (written) => {
      expect(toE164(written)).toBeUndefined();
      expect(hintOf(digest, written)).toBeUndefined();
    },
  );

  test('somebody who types a number that its country gives to nobody made a slip', () => {
    expect(asTyped('+1 415 555 0142')).toBe('+14155550142');
    expect(asTyped('+19990000000')).toBeUndefined();
    expect(asTyped('+490(30)123456')).toBe(e164);
  });
});

describe('the digest of a caller', () => {
  test('says nothing of the number, and another secret says another', () => {
    expect(callerOf(digest, e164)).toBe(digest(e164));
    expect(callerOf(digest, e164)).not.toContain('4930');
    expect(callerOf(callerDigests(secret(6)), e164)).not.toBe(digest(e164));
    expect(callerDigests(undefined)).toBeUndefined();
    expect(callerOf(undefined, e164)).toBeUndefined();
  });

  test('names its secret in front, and no other one takes it for its own', () => {
    const other = callerDigests(secret(6))!;
    expect(digest(e164)).toMatch(/^k[0-9a-f]{8}:[\w-]{43}$/);
    expect([isBy(digest, digest(e164)), isBy(other, digest(e164))]).toEqual([true, false]);
    expect(isBy(digest, digest(e164).split(':')[1] ?? '')).toBe(false);
  });

  test('is one, however the number came', () => {
    for (const way of ['+49 (0)30 123456', 'sip:+4930123456@x', '+49 30 123456'])
      expect(callerOf(digest, way)).toBe(digest(e164));
    expect(callerOf(digest, '004930123456')).toBeUndefined();
  });

  test('is looked for in the forms of earlier releases too', () => {
    const all = digestsOf(digest, '+49 (0)30 123456');
    for (const before of [e164, '4930123456', '004930123456', '+490 30123456'])
      expect(all).toContain(digest(before));
    expect(new Set(all).size).toBe(all.length);
  });
});

describe('numbers that attributes name', () => {
  test('are each a hint, whatever the direction claims to be', () => {
    const attributes = {
      direction: 'internal',
      from: '+49 30 123456',
      caller: 'client:eve',
      outbound_to: '0049 30 99',
      to: '+14155550199',
      called: 7,
      name: 'Dana Diaz',
      customers: { phone: 'sip:+14155550142@x', email: 'a@b.example' },
    };
    expect(hintedCallers(attributes, digest)).toEqual(
      [e164, '00493099', '+14155550199', '+14155550142'].map(digest),
    );
  });

  test.each([{}, { from: 7, customers: 'x' }, { from: '', customers: null }, { name: '12' }])(
    'are none in %p',
    (attributes) => {
      expect(hintedCallers(attributes, digest)).toEqual([]);
    },
  );

  test('are not written down without a secret', () => {
    expect(hintedCallers({ from: e164 }, undefined)).toEqual([]);
  });
});

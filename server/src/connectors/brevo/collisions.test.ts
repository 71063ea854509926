import type { BrevoContact } from './brevo-api.ts';
import { afterCollision, type Collision, strongestOf, without } from './collisions.ts';

const contact: BrevoContact = {
  identifiers: { email: 'ana@example.com', extId: 'c-1', phone: '+34600000001', whatsapp: '+34600000001' },
  attributes: { FIRSTNAME: 'Ana' },
  listIds: [1],
};
const named = (...identifiers: Collision['identifiers']) => ({ identifiers });

test.each<[Collision['identifiers'], string[]]>([
  [['SMS'], ['phone']],
  [
    ['SMS', 'WHATSAPP'],
    ['phone', 'whatsapp'],
  ],
  [['email'], ['email']],
  [['ext_id'], ['extId']],
  [[], ['whatsapp']],
  [['LANDLINE_NUMBER'], ['whatsapp']],
])('of the identifiers that collide, %j, are left out %j', (identifiers, dropped) => {
  const after = afterCollision(contact, { identifiers }, 'drop-identifier');
  expect(after).toEqual({ kind: 'send', dropped, merge: false });
});

test('where Brevo names none, they are left out one by one, WhatsApp first and the e-mail last', () => {
  const order: string[] = [];
  let now = contact;
  for (;;) {
    const after = afterCollision(now, named(), 'drop-identifier');
    if (after.kind !== 'send') {
      expect(after).toEqual({ kind: 'dropped', why: 'no_identifier' });
      break;
    }
    order.push(...after.dropped);
    now = without(now, after.dropped);
  }
  expect(order).toEqual(['whatsapp', 'phone', 'extId']);
  expect(now.identifiers).toEqual({ email: 'ana@example.com' });
  expect(strongestOf(now.identifiers)).toBe('email');
});

test('a contact whose every identifier belongs to others is not sent', () => {
  const only: BrevoContact = { ...contact, identifiers: { phone: '+34600000001' } };
  expect(afterCollision(only, named('SMS'), 'drop-identifier')).toEqual({
    kind: 'dropped',
    why: 'no_identifier',
  });
});

test('merging is asked for once; what collides still is left out', () => {
  expect(afterCollision(contact, named('SMS'), 'merge')).toEqual({ kind: 'send', dropped: [], merge: true });
  expect(afterCollision(contact, named('SMS'), 'merge', true)).toEqual({
    kind: 'send',
    dropped: ['phone'],
    merge: false,
  });
});

test('the policies skip and report send nothing', () => {
  expect(afterCollision(contact, named('SMS'), 'skip')).toEqual({ kind: 'dropped', why: 'collision' });
  expect(afterCollision(contact, named('SMS'), 'report')).toEqual({ kind: 'report' });
});

test('the strongest identifier is the e-mail, then ext_id, SMS and WhatsApp', () => {
  expect(strongestOf(contact.identifiers)).toBe('email');
  expect(strongestOf({ extId: 'x', phone: '+1' })).toBe('extId');
  expect(strongestOf({ whatsapp: '+1', phone: '+1' })).toBe('phone');
  expect(strongestOf({})).toBeUndefined();
});

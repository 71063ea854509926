import fc from 'fast-check';
import { channels, type Interaction, outcomes, triggers } from '../interaction.ts';
import type { BrevoContact } from './brevo-api.ts';
import { readBrevoFile } from './config/file.ts';
import { createMapping } from './create-mapping.ts';
import { interactionWith, mappingOf, totals } from './testing/mapping-of.ts';

const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom(
    '',
    ' ',
    '+34600111222',
    'whatsapp:+34600111222',
    'client:ada',
    'sip:a@b',
    'anonymous',
    '+266696687',
  ),
  fc.constantFrom('ada@example.com', 'ADA@', '2026-02-03', '1767225600', 'yes', '\uD800', '\u0000'),
);
const value = fc.oneof(
  text,
  fc.jsonValue(),
  fc.constantFrom(undefined, Number.NaN, Number.POSITIVE_INFINITY),
);
const names = [
  ...[
    'email',
    'phone',
    'customers',
    'conversations',
    'name',
    'friendly_name',
    'customerName',
    'identity',
    'tier',
  ],
  ...['emailBlacklisted', 'smsBlacklisted', '__proto__', 'constructor', 'a', 'b', 'ok'],
];
const attributes = fc.oneof(
  fc.dictionary(fc.constantFrom(...names), value),
  fc.dictionary(fc.string(), value),
  fc
    .constantFrom('customers', 'conversations', 'a')
    .chain((name) => fc.dictionary(fc.constantFrom(...names), value).map((inner) => ({ [name]: inner }))),
);
const interactions: fc.Arbitrary<Interaction> = fc
  .record({
    attributes,
    address: fc.option(text, { nil: undefined }),
    channel: fc.constantFrom(...channels),
    outcome: fc.constantFrom(...outcomes),
    abandonedPhase: text,
    queueName: text,
    agent: text,
    reason: text,
    talkSeconds: fc.double(),
  })
  .map(({ attributes: given, address, ...rest }) => ({
    ...interactionWith(rest),
    customer: { ...(address !== undefined && { address }), attributes: given },
  }));

/** The one that an empty value may empty. */
const alwaysAttribute = 'B';

/** Rules with every source and transform. */
const mappings = [
  {},
  { consent: { attribute: 'ok' }, lists: { support_contacts: 1 } },
  {
    field_mapping: {
      'attributes.email': 'email',
      identity: { to: 'ext_id', transform: 'lower' },
      'attributes.phone': { to: 'SMS', transform: { e164: 'ES' } },
      'attributes.customers.phone': { to: 'WHATSAPP', transform: 'strip-channel' },
      'attributes.a': { to: 'A', overwrite: 'never' },
      'attributes.b': { to: alwaysAttribute, overwrite: 'always', transform: ['join', 'date'] },
      'attributes.customers.email': {
        to: 'C',
        transform: { join: ['identity', 'friendly_name'] },
        default: 'none',
      },
      'attributes.conversations.a': { to: 'D', transform: 'number' },
      'attributes.name': { to: 'E', transform: 'boolean' },
      'attributes.__proto__.a': 'F',
      emailBlacklisted: 'G',
    },
  },
].map(mappingOf);

/** What may not be sent of a contact. */
function faultsOf({ identifiers, attributes: sent }: BrevoContact): unknown[] {
  const badNames = Object.keys(sent).filter(
    (name) => !/^[A-Z][A-Z0-9_]*$/.test(name) || /BLACKLISTED|^(SMS|WHATSAPP|EXT_ID|EMAIL)$/.test(name),
  );
  const badIdentifiers = Object.entries(identifiers).filter(
    ([kind, one]) =>
      isBad(one) ||
      /^(whatsapp|client|sips?):|^anonymous$/i.test(one) ||
      (kind === 'email' && !/^[^\s@]+@[^\s@]+\.[^\s@.]+$/.test(one)) ||
      (['phone', 'whatsapp'].includes(kind) && !/^\+[1-9]\d{4,14}$/.test(one)),
  );
  return [
    ...badNames,
    ...badIdentifiers,
    ...Object.entries(sent).filter(([name, one]) => isBad(one) && !(name === alwaysAttribute && one === '')),
  ];
}

/** Empty, or what JSON or PostgreSQL's jsonb refuses. */
function isBad(one: unknown): boolean {
  if (typeof one === 'string') return one === '' || /^\s|\s$|\p{Cc}|\p{Cs}/u.test(one);
  return typeof one === 'number' ? !Number.isFinite(one) : typeof one !== 'boolean';
}

test('whatever the attributes are: no exception, no empty value, no attribute in small letters', () => {
  fc.assert(
    fc.property(interactions, fc.constantFrom(...mappings.keys()), (interaction, at) => {
      const mapping = mappings[at]!;
      const found = mapping.customer(interaction);
      const contact = mapping.contact(interaction, totals, {});
      expect(faultsOf(contact)).toEqual([]);
      expect(faultsOf(mapping.contact(interaction, totals))).toEqual([]);
      if ('identifiers' in found) expect(found.identifiers).toEqual(contact.identifiers);
      expect(mapping.explain(interaction, totals).filter(({ rule, why }) => !rule || !why)).toEqual([]);
    }),
    { numRuns: 500 },
  );
});

test('the properties of an event are texts and numbers, and none is empty', () => {
  fc.assert(
    fc.property(interactions, fc.constantFrom(...triggers), (interaction, trigger) => {
      const event = mappingOf().event(interaction, trigger);
      const faults = Object.entries(event?.properties ?? {}).filter(
        ([name, one]) => !/^[a-z_]+$/.test(name) || typeof one === 'boolean' || isBad(one),
      );
      expect(faults).toEqual([]);
    }),
  );
});

test('the attributes of a task change no property of an event', () => {
  fc.assert(
    fc.property(attributes, attributes, (one, other) => {
      const propertiesWith = (given: object) =>
        mappingOf().event(interactionWith({ customer: { attributes: { ...given } } }), 'task.created')
          ?.properties;
      expect(propertiesWith(one)).toEqual(propertiesWith(other));
    }),
  );
});

test('any file is either read or refused with lines, and what was read makes a mapping', () => {
  const accountSid = `AC${'0a'.repeat(16)}`;
  const keys = fc.constantFrom(
    'plan',
    'sync',
    'lists',
    'channels',
    'consent',
    'csat',
    'field_mapping',
    'event_mapping',
  );
  const given = fc.oneof(
    fc.string(),
    fc.jsonValue().map((one) => JSON.stringify(one)),
    fc
      .dictionary(keys, fc.jsonValue())
      .map((one) => JSON.stringify({ account_sid: accountSid, consent: 'all', ...one })),
    fc
      .dictionary(
        fc.string({ minLength: 1 }),
        fc.oneof(fc.jsonValue(), fc.constantFrom('email', 'SMS', 'TIER')),
      )
      .map((one) => JSON.stringify({ account_sid: accountSid, consent: 'all', field_mapping: one })),
  );
  fc.assert(
    fc.property(given, interactions, (file, interaction) => {
      const read = readBrevoFile(file, accountSid);
      if ('config' in read)
        expect(faultsOf(createMapping(read.config).contact(interaction, totals, {}))).toEqual([]);
      else {
        expect(read.faults.length).toBeGreaterThan(0);
        expect(read.faults.filter((line) => !/^[^\p{Cc}]{10,}$/u.test(line))).toEqual([]);
      }
    }),
    { numRuns: 300 },
  );
});

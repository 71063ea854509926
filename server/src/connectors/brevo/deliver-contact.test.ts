import type { DueCustomer } from '../outbox-table.ts';
import { fakeBrevo } from '../testing/fake-brevo.ts';
import { interactionOf, mapping } from '../testing/outbox-rig.ts';
import { createAttributeNames } from './attribute-names.ts';
import { type ContactDeps, deliverContact } from './deliver-contact.ts';
import type { MappedAttribute, Totals } from './mapping.ts';

const { signal } = new AbortController();
const totals: Totals = { conversations: 3, lastConversationAt: 0, preferredChannel: 'voice' };
const email = 'ana@example.com';
const ana = { address: '+34600000001', attributes: { email, name: 'Ana' } };

const due = (over: Partial<DueCustomer> = {}): DueCustomer => ({
  ...{ id: 1, claim: 'c', version: 2, sentVersion: 0, attempts: 0, effects: [] },
  interactions: [interactionOf({ customer: ana })],
  ...over,
});

function rig(over: Partial<ContactDeps> = {}, mayCreate = false, mapped: readonly MappedAttribute[] = []) {
  const brevo = fakeBrevo();
  const alarms: string[] = [];
  const raising = {
    raise: async (code: string, _: unknown, detail: string) => void alarms.push(`${code}: ${detail}`),
    resolve: async (codes: readonly string[]) => void alarms.push(...codes.map((code) => `${code} resolved`)),
  };
  const deps: ContactDeps = {
    ...{ brevo, mapping, alarms: raising, collisions: 'drop-identifier' },
    attributes: createAttributeNames({ brevo, alarms: raising, mapped, mayCreate }),
    onPause: async () => undefined,
    ...over,
  };
  const send = (customer = due()) => deliverContact(deps, customer, totals, signal);
  const sent = () => brevo.calls.filter(({ name }) => name === 'putContact').map(({ of }) => of);
  return { alarms, brevo, send, sent };
}

const collision = (...identifiers: ('email' | 'SMS')[]) => ({ kind: 'collision', identifiers }) as const;

test('the contact has the newest values of all interactions, and what was wanted is known by a hash', async () => {
  const { brevo, send, sent } = rig();
  const customer = due({
    interactions: [
      interactionOf({ customer: ana }),
      interactionOf({ customer: { address: '+34600000002', attributes: { name: 'Ana María' } } }),
    ],
  });
  const first = await send(customer);
  expect(first).toEqual({
    ...{ outcome: { kind: 'done' }, remoteId: '1', sentHash: expect.stringMatching(/^[0-9a-f]{64}$/) },
    remoteNames: { attributes: ['FIRSTNAME', 'SMS', 'TOTAL'], lists: [7] },
  });
  expect(brevo.contacts.get(1)).toEqual({
    identifiers: { phone: '+34600000002', email },
    attributes: { FIRSTNAME: 'Ana María', TOTAL: 3 },
    listIds: [7],
  });
  const second = await send({ ...customer, sentHash: first.sentHash ?? '' });
  expect(second.outcome).toEqual({ kind: 'done' });
  expect(sent()).toHaveLength(1);
});

test('an identifier that belongs to another contact is left out, and stays out while it is the same', async () => {
  const { brevo, send, sent } = rig();
  brevo.next('putContact', collision('SMS'));
  const first = await send();
  expect(sent()).toEqual([{ phone: '+34600000001', email }, { email }]);
  expect(first.remoteNames?.dropped).toEqual([expect.stringMatching(/^phone:[0-9a-f]{16}$/)]);
  const again = due({ ...(first.remoteNames && { remoteNames: first.remoteNames }) });
  await send(again);
  expect(sent()[2]).toEqual({ email });
  const other = { ...ana, address: '+34600000009' };
  await send({ ...again, interactions: [interactionOf({ customer: other })] });
  expect(sent()[3]).toEqual({ phone: '+34600000009', email });
});

test('a contact that keeps no identifier is dropped', async () => {
  const { brevo, send } = rig();
  brevo.always('putContact', collision());
  expect(await send()).toEqual({ outcome: { kind: 'dropped', why: 'no_identifier' } });
  expect(brevo.contacts.size).toBe(0);
});

test('the policies merge, skip and report', async () => {
  const merge = rig({ collisions: 'merge' });
  merge.brevo.next('putContact', collision('SMS'));
  expect((await merge.send()).outcome).toEqual({ kind: 'done' });
  expect(merge.sent()).toHaveLength(2);
  const skip = rig({ collisions: 'skip' });
  skip.brevo.next('putContact', collision('SMS'));
  expect((await skip.send()).outcome).toEqual({ kind: 'dropped', why: 'collision' });
  const report = rig({ collisions: 'report' });
  report.brevo.next('putContact', collision('SMS'));
  expect((await report.send()).outcome).toMatchObject({ kind: 'refused', code: 'duplicate_parameter' });
  expect(report.alarms).toContain('brevo_collision: SMS');
});

test('a refusal of a contact with WHATSAPP alone says what to do', async () => {
  const alone = {
    needsBefore: false,
    contact: (...given: Parameters<typeof mapping.contact>) => ({
      ...mapping.contact(...given),
      identifiers: { whatsapp: '+34600000001' },
    }),
  };
  const refusal = {
    kind: 'refused',
    status: 400,
    code: 'missing_parameter',
    message: 'One is missing',
  } as const;
  const { brevo, send } = rig({ mapping: alone });
  brevo.always('putContact', refusal);
  expect((await send()).outcome).toEqual({
    ...refusal,
    message: expect.stringMatching(
      /^One is missing; Brevo creates no contact by WHATSAPP alone: .*`identity: ext_id`.*connector retry$/,
    ),
  });
  brevo.always('putContact', { ...refusal, status: 409 });
  expect((await send()).outcome).toMatchObject({ message: 'One is missing' });
  const both = rig();
  both.brevo.always('putContact', refusal);
  expect((await both.send()).outcome).toEqual(refusal);
});

test('attributes that Brevo lacks are left out with an alarm, which ends when Brevo has them', async () => {
  const tiered = interactionOf({ customer: { ...ana, attributes: { ...ana.attributes, tier: 'gold' } } });
  const { alarms, brevo, send } = rig();
  await send(due({ interactions: [tiered] }));
  expect(brevo.contacts.get(1)?.attributes).toEqual({ FIRSTNAME: 'Ana', TOTAL: 3 });
  expect(alarms).toEqual(['brevo_attribute_missing: TIER']);
  brevo.names.add('TIER');
  // A refusal has Brevo asked again.
  brevo.next('putContact', {
    kind: 'refused',
    status: 400,
    code: 'invalid_parameter',
    message: 'attributes',
  });
  await send(due({ interactions: [interactionOf({ customer: ana })] }));
  expect(alarms).toEqual(['brevo_attribute_missing: TIER', 'brevo_attribute_missing resolved']);
  await send(due({ interactions: [tiered] }));
  expect(brevo.contacts.get(1)?.attributes).toMatchObject({ TIER: 'gold' });
});

test('they are created where the setting says so', async () => {
  const { alarms, brevo, send } = rig({}, true);
  brevo.names.clear();
  await send();
  expect(brevo.calls.filter(({ name }) => name === 'createAttribute').map(({ of }) => of)).toEqual([
    { name: 'TOTAL', type: 'float' },
    { name: 'FIRSTNAME', type: 'text' },
  ]);
  expect(brevo.contacts.get(1)?.attributes).toEqual({ FIRSTNAME: 'Ana', TOTAL: 3 });
  expect(alarms).toEqual(['brevo_attribute_missing resolved']);
});

test('they are created with the type that the mapping states', async () => {
  const { brevo, send } = rig({}, true, [{ name: 'TOTAL', type: 'text' }, { name: 'FIRSTNAME' }]);
  brevo.names.clear();
  await send();
  expect(brevo.calls.filter(({ name }) => name === 'createAttribute').map(({ of }) => of)).toEqual([
    { name: 'TOTAL', type: 'text' },
    { name: 'FIRSTNAME', type: 'text' },
  ]);
});

test('an empty value is sent where Brevo has the attribute, and creates none', async () => {
  const contact = mapping.contact;
  const emptying: ContactDeps['mapping'] = {
    needsBefore: false,
    contact: (...of) => ({ ...contact(...of), attributes: { FIRSTNAME: '', TIER: '' } }),
  };
  const { alarms, brevo, send } = rig({ mapping: emptying }, true);
  brevo.names.delete('TIER');
  await send();
  expect(brevo.contacts.get(1)?.attributes).toEqual({ FIRSTNAME: '' });
  expect(brevo.calls.some(({ name }) => name === 'createAttribute')).toBe(false);
  expect(alarms).toEqual(['brevo_attribute_missing resolved']);
});

test('an attribute that cannot be created now has the whole contact sent later', async () => {
  const { brevo, send } = rig({}, true);
  brevo.names.clear();
  brevo.next('createAttribute', { kind: 'later', status: 503 });
  expect((await send()).outcome).toEqual({ kind: 'later' });
  expect(brevo.contacts.size).toBe(0);
});

test('a rule that never overwrites has what Brevo has read before', async () => {
  const seen: unknown[] = [];
  const needy = {
    needsBefore: true,
    contact: (...[interaction, sums, before]: Parameters<typeof mapping.contact>) => {
      seen.push(before);
      return mapping.contact(interaction, sums);
    },
  };
  const { brevo, send } = rig({ mapping: needy });
  brevo.contacts.set(4, { identifiers: { email }, attributes: { FIRSTNAME: 'Anne' }, listIds: [] });
  expect(await send()).toMatchObject({ outcome: { kind: 'done' }, remoteId: '4' });
  expect(seen.at(-1)).toEqual({ FIRSTNAME: 'Anne' });
});

test('what was erased asks nothing of Brevo, and a look that fails is one for later', async () => {
  const { brevo, send } = rig({ mapping: { ...mapping, needsBefore: true } });
  expect((await send(due({ interactions: [] }))).outcome).toEqual({ kind: 'done' });
  brevo.next('contact', { kind: 'later', status: 503 });
  expect((await send()).outcome).toEqual({ kind: 'later', status: 503 });
  expect(brevo.contacts.size).toBe(0);
});

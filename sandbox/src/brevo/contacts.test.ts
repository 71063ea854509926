import { type AskedBrevo, askBrevo } from './testing.ts';

let asked: AskedBrevo;
beforeEach(() => {
  asked = askBrevo();
  asked.brevo.settings.limits = 1_000;
});
const put = (body: object) => asked.ask('POST', '/contacts', { updateEnabled: true, ...body });
const get = async (path: string) => (await asked.ask('GET', `/contacts/${path}`)).body as Contact;
interface Contact {
  id: number;
  email?: string;
  attributes: Record<string, unknown>;
  listIds: number[];
}

test('a new contact is 201 with its number, an update 204 without a body', async () => {
  const made = await put({
    email: 'Dana@Example.com',
    attributes: { FIRSTNAME: 'Dana', SMS: '+14155550142' },
  });
  expect(made).toMatchObject({ status: 201, body: { id: 1 } });
  expect(
    await put({ email: 'dana@example.com', attributes: { LASTNAME: 'Diaz' }, listIds: [3] }),
  ).toMatchObject({
    status: 204,
    body: undefined,
  });
  expect(await get('dana%40example.com')).toMatchObject({
    id: 1,
    email: 'dana@example.com',
    attributes: { FIRSTNAME: 'Dana', LASTNAME: 'Diaz', SMS: '14155550142' },
    listIds: [3],
  });
});

test('without updateEnabled a contact that exists is a collision', async () => {
  await put({ email: 'a@example.com' });
  expect(await asked.ask('POST', '/contacts', { email: 'a@example.com' })).toMatchObject({
    status: 400,
    body: {
      code: 'duplicate_parameter',
      message: 'Contact already exist',
      metadata: { duplicate_identifiers: ['email'] },
    },
  });
});

test.each([
  ['1', 'contact_id'],
  ['a@example.com', 'email_id'],
  ['crm-7', 'ext_id'],
  ['+14155550142', 'phone_id'],
  ['0014155550142', 'phone_id'],
  ['+4915112345678', 'whatsapp_id'],
])('finds it by %s as %s', async (identifier, type) => {
  await put({
    email: 'a@example.com',
    ext_id: 'crm-7',
    attributes: { SMS: '+14155550142', WHATSAPP: '+4915112345678' },
  });
  const path = `${encodeURIComponent(identifier)}?identifierType=${type}`;
  expect(await get(path)).toMatchObject({
    id: 1,
    attributes: { EXT_ID: 'crm-7', WHATSAPP: '4915112345678' },
  });
  expect(await asked.ask('DELETE', `/contacts/${path}`)).toMatchObject({ status: 204 });
  expect(await asked.ask('GET', `/contacts/${path}`)).toMatchObject({
    status: 404,
    body: { code: 'document_not_found' },
  });
});

describe('a phone number belongs to one contact', () => {
  const both = { email: 'b@example.com', attributes: { SMS: '+14155550142' } };
  beforeEach(async () => {
    await put({
      email: 'a@example.com',
      attributes: { SMS: '+14155550142', FIRSTNAME: 'Ann' },
      listIds: [3],
    });
    asked.pass(1_000);
    await put({ email: 'b@example.com', attributes: { LASTNAME: 'Berg' } });
  });

  test.each(['duplicate_parameter', 'invalid_parameter'] as const)('code %s', async (collisionCode) => {
    await asked.control('POST', '', { collisionCode });
    const refusal = {
      status: 400,
      body: { code: collisionCode, metadata: { duplicate_identifiers: ['SMS'] } },
    };
    expect(await put(both)).toMatchObject(refusal);
    expect(await asked.ask('PUT', '/contacts/2', both)).toMatchObject(refusal);
    expect(await put({ email: 'c@example.com', attributes: both.attributes })).toMatchObject(refusal);
    expect(asked.brevo.contacts.all()).toHaveLength(2);
  });

  test('both codes by turns, and without metadata', async () => {
    await asked.control('POST', '', { collisionCode: 'both', collisionMetadata: false });
    const [first, second] = [await put(both), await put(both)];
    expect([first.body, second.body]).toEqual([
      { code: 'duplicate_parameter', message: expect.stringContaining('SMS is already associated') },
      { code: 'invalid_parameter', message: expect.stringContaining('SMS is already associated') },
    ]);
  });

  test('forceMerge keeps the contact that changed last, with what the other had', async () => {
    asked.brevo.events.add({
      name: 'X',
      at: 1,
      contactId: 1,
      properties: {},
      contactProperties: {},
      from: 'alone',
    });
    expect(await put({ ...both, forceMerge: true, getId: true })).toMatchObject({
      status: 200,
      body: { id: 2 },
    });
    expect(asked.brevo.contacts.all()).toHaveLength(1);
    expect(await get('2')).toMatchObject({
      email: 'b@example.com',
      attributes: { FIRSTNAME: 'Ann', LASTNAME: 'Berg', SMS: '14155550142' },
      listIds: [3],
    });
    expect(asked.brevo.events.all()).toMatchObject([{ contactId: 2 }]);
  });

  test('another identifier of a contact may find it, where the account is so', async () => {
    const moved = { email: 'new@example.com', attributes: { SMS: '+14155550142' } };
    expect(await put(moved)).toMatchObject({ status: 400 });
    await asked.control('POST', '', { identify: 'any' });
    expect(await put(moved)).toMatchObject({ status: 204 });
    expect(await get('1')).toMatchObject({ email: 'new@example.com' });
  });
});

test.each([
  ['no identifier', { attributes: { FIRSTNAME: 'x' } }, 'missing_parameter'],
  ['a number of WhatsApp alone', { attributes: { WHATSAPP: '+4915112345678' } }, 'missing_parameter'],
  ['a number without a country', { attributes: { SMS: '0151 1234' } }, 'invalid_parameter'],
  ['an address of no form', { email: 'dana' }, 'invalid_parameter'],
  ['a list that is none', { email: 'a@example.com', listIds: [99] }, 'invalid_parameter'],
  ['attributes that are no object', { email: 'a@example.com', attributes: 'x' }, 'invalid_parameter'],
])('refuses %s', async (_what, body, code) => {
  expect(await put(body)).toMatchObject({ status: 400, body: { code } });
});

test('makes a contact of a number of WhatsApp alone, where the account is so', async () => {
  await asked.control('POST', '', { creates: 'any' });
  expect(await put({ attributes: { WHATSAPP: '+4915112345678' } })).toMatchObject({ status: 201 });
});

test('ignores small letters, unknown names and values of another type, or refuses what is unknown', async () => {
  await asked.ask('POST', '/contacts/attributes/normal/TOTAL', { type: 'float' });
  const email = 'a@example.com';
  await put({ email, attributes: { firstname: 'x', NEWS: 'x', TOTAL: 'seven', FIRSTNAME: 7 } });
  expect((await get('1')).attributes).toEqual({ FIRSTNAME: '7' });
  await put({ email, attributes: { TOTAL: 7, FIRSTNAME: '' } });
  expect((await get('1')).attributes).toEqual({ TOTAL: 7 });
  await asked.control('POST', '', { unknownAttributes: 'refuse' });
  expect(await put({ email, attributes: { NEWS: 'x' } })).toMatchObject({ status: 400 });
});

test('a batch changes all of its contacts, or none', async () => {
  await put({ email: 'a@example.com' });
  await put({ ext_id: 'b', attributes: { SMS: '+14155550142' } });
  const rows = [
    { email: 'a@example.com', attributes: { FIRSTNAME: 'A' } },
    { sms: '+14155550142', attributes: { FIRSTNAME: 'B' } },
  ];
  const batch = (contacts: object[]) => asked.ask('POST', '/contacts/batch', { contacts });
  expect(await batch([...rows, { id: 77, attributes: {} }])).toMatchObject({
    status: 404,
    body: { message: 'No contact found for indexes 2' },
  });
  expect((await get('1')).attributes).toEqual({});
  expect(await batch(rows)).toMatchObject({ status: 204 });
  expect((await get('2')).attributes).toMatchObject({ FIRSTNAME: 'B' });
  expect(await batch([{ ext_id: 'b' }])).toMatchObject({ status: 400 });
});

test('lists take contacts by three names, and say which they did not', async () => {
  await put({ email: 'a@example.com' });
  await put({ ext_id: 'b' });
  const change = (what: string, body: object) =>
    asked.ask('POST', `/contacts/lists/3/contacts/${what}`, body);
  expect(await change('add', { emails: ['a@example.com', 'gone@example.com'] })).toMatchObject({
    status: 201,
    body: { contacts: { success: ['a@example.com'], failure: ['gone@example.com'] } },
  });
  expect(await change('add', { extIds: ['b'] })).toMatchObject({ status: 201 });
  expect(await change('add', { ids: [1] })).toMatchObject({ status: 400 });
  expect(await asked.ask('GET', '/contacts/lists/3')).toMatchObject({ body: { totalSubscribers: 2 } });
  expect(await change('remove', { ids: [1] })).toMatchObject({ status: 201 });
  expect(await asked.ask('GET', '/contacts/lists/3/contacts')).toMatchObject({ body: { count: 1 } });
  expect(await asked.ask('PUT', '/contacts/b?identifierType=ext_id', { unlinkListIds: [3] })).toMatchObject({
    status: 204,
  });
  expect(await asked.ask('GET', '/contacts/lists/3')).toMatchObject({ body: { totalSubscribers: 0 } });
  expect(await asked.ask('GET', '/contacts/lists/99')).toMatchObject({ status: 404 });
});

import { Brevo, BrevoClient, BrevoError } from '@getbrevo/brevo';
import { type BrevoServer, startBrevo } from '../../sandbox/src/brevo/index.ts';

/** Brevo's own client, as it is installed, against the double: what the double answers is what that client reads. */
let server: BrevoServer;
let client: BrevoClient;

beforeAll(async () => {
  server = await startBrevo();
});
afterAll(() => server.close());
beforeEach(() => {
  server.brevo.reset();
  server.brevo.settings.limits = 1_000;
  client = clientWith({});
});
const clientWith = (more: Partial<BrevoClient.Options>) =>
  new BrevoClient({ apiKey: server.brevo.apiKey, baseUrl: server.apiUrl, maxRetries: 0, ...more });

const email = 'dana@example.com';
const dana = { email, ext_id: 'crm-7', attributes: { FIRSTNAME: 'Dana', SMS: '+14155550142' } };

test('a contact: made, changed, read and removed', async () => {
  const { contacts } = client;
  expect(await contacts.createContact({ ...dana, listIds: [3], updateEnabled: true })).toEqual({ id: 1 });
  const again = await contacts.createContact({ ...dana, updateEnabled: true }).withRawResponse();
  expect([again.data, again.rawResponse.status]).toEqual([undefined, 204]);
  const found = await contacts.getContactInfo({ identifier: 'crm-7', identifierType: 'ext_id' });
  expect(found).toMatchObject({
    id: 1,
    email,
    listIds: [3],
    emailBlacklisted: false,
    smsBlacklisted: false,
    attributes: { FIRSTNAME: 'Dana', SMS: '14155550142', EXT_ID: 'crm-7' },
    statistics: {},
  });
  await contacts.updateContact({ identifier: 1, attributes: { FIRSTNAME: '' }, unlinkListIds: [3] });
  const emptied = await contacts.getContactInfo({ identifier: email });
  expect([emptied.listIds, emptied.attributes]).toEqual([[], { SMS: '14155550142', EXT_ID: 'crm-7' }]);
  await contacts.updateBatchContacts({ contacts: [{ email, attributes: { FIRSTNAME: 'D' } }] });
  expect(await contacts.getContacts({ limit: 10 })).toMatchObject({
    count: 1,
    contacts: [{ id: 1, attributes: { FIRSTNAME: 'D' } }],
  });
  await contacts.deleteContact({ identifier: '+14155550142', identifierType: 'phone_id' });
  await expect(contacts.getContactInfo({ identifier: email })).rejects.toThrow(Brevo.NotFoundError);
});

test('attributes and lists of the account', async () => {
  const { contacts } = client;
  await contacts.createAttribute({ attributeCategory: 'normal', attributeName: 'TOTAL', type: 'float' });
  const { attributes } = await contacts.getAttributes();
  expect(attributes).toContainEqual({ name: 'TOTAL', category: 'normal', type: 'float' });
  await expect(
    contacts.createAttribute({ attributeCategory: 'normal', attributeName: 'TOTAL', type: 'text' }),
  ).rejects.toMatchObject({ statusCode: 400, body: { code: 'duplicate_parameter' } });
  await contacts.deleteAttribute({ attributeCategory: 'normal', attributeName: 'TOTAL' });

  const { id } = await contacts.createList({ folderId: 1, name: 'VIP' });
  await contacts.createContact(dana);
  expect(await contacts.addContactToList({ listId: id, body: { ids: [1] } })).toEqual({
    contacts: { success: [1], failure: [] },
  });
  expect(await contacts.getList({ listId: id })).toMatchObject({ id, name: 'VIP', uniqueSubscribers: 1 });
  expect(await contacts.getContactsFromList({ listId: id })).toMatchObject({ count: 1 });
  await contacts.removeContactFromList({ listId: id, body: { extIds: ['crm-7'] } });
  expect((await contacts.getLists()).lists).toContainEqual(
    expect.objectContaining({ id, uniqueSubscribers: 0 }),
  );
});

test('events: one, a batch, a batch in part, and the list', async () => {
  const { contacts, event } = client;
  await contacts.createContact(dana);
  const resolved = (custody: string) => ({
    event_name: 'SUPPORT_RESOLVED',
    event_date: '2026-11-30T12:00:00.000Z',
    identifiers: { contact_id: 1 },
    event_properties: { custody_id: custody, wait_seconds: 7.5 },
  });
  expect(await event.createEvent(resolved('a'))).toBeUndefined();
  expect(await event.createBatchEvents({ events: [resolved('b'), resolved('c')] })).toEqual({
    message: expect.any(String),
    count: 2,
  });
  // The client takes 207 for success: its type has no errors.
  const part = await event
    .createBatchEvents({ events: [resolved('d'), { ...resolved('e'), event_name: 'no name' }] })
    .withRawResponse();
  expect([part.rawResponse.status, part.data]).toEqual([
    207,
    expect.objectContaining({ errors: [{ eventIndex: [1], message: expect.any(String) }] }),
  ]);
  const { events = [], count } = await event.getEvents({
    event_name: ['SUPPORT_RESOLVED'],
    contact_id: 1,
    startDate: '2026-11-30T00:00:00Z',
    endDate: '2026-11-30T23:59:59Z',
    limit: 10_000,
  });
  expect(count).toBe(4);
  expect(events.map((one) => one.event_properties?.['custody_id']).toSorted()).toEqual(['a', 'b', 'c', 'd']);
  expect(Object.keys(events[0] ?? {})).not.toContain('id');
});

test('the account', async () => {
  expect(await client.account.getAccount()).toMatchObject({
    companyName: 'Northwind',
    plan: [{ type: 'subscription' }],
  });
});

describe('refusals', () => {
  const refused = async (asking: Promise<unknown>): Promise<BrevoError> => {
    const error = await asking.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    if (!(error instanceof BrevoError)) throw new Error('it was not refused as Brevo refuses');
    return error;
  };
  const asking = () => client.contacts.getContacts();

  test('a collision, by either code', async () => {
    await client.contacts.createContact(dana);
    for (const code of ['duplicate_parameter', 'invalid_parameter'] as const) {
      server.brevo.settings.collisionCode = code;
      const error = await refused(
        client.contacts.createContact({ email: 'b@example.com', attributes: { SMS: '+14155550142' } }),
      );
      expect(error).toBeInstanceOf(Brevo.BadRequestError);
      expect(error.body).toMatchObject({ code, metadata: { duplicate_identifiers: ['SMS'] } });
    }
  });

  test('another key', async () => {
    const error = await refused(clientWith({ apiKey: 'x' }).event.getEvents());
    expect(error).toBeInstanceOf(Brevo.UnauthorizedError);
    expect(error.body).toEqual({ code: 'unauthorized', message: 'Key not found' });
  });

  test.each([
    ['address', 401, 'unauthorized'],
    ['credits', 402, 'not_enough_credits'],
    ['forbidden', 403, 'permission_denied'],
  ] as const)('of the whole account: %s', async (refuses, statusCode, code) => {
    server.brevo.settings.refuses = refuses;
    expect(await refused(asking())).toMatchObject({ statusCode, body: { code } });
  });

  test.each([
    [425, 'account_in_process'],
    [429, 'too_many_requests'],
    [500, 'internal_error'],
    [503, 'internal_error'],
  ])('status %i', async (status, code) => {
    server.brevo.faults.add({ kind: 'status', status });
    expect(await refused(client.contacts.createContact(dana))).toMatchObject({
      statusCode: status,
      body: { code },
    });
  });

  test('a limit, which says when it ends in seconds from now', async () => {
    server.brevo.settings.limits = 0.01;
    await client.event.getEvents();
    const { rawResponse, statusCode } = await refused(client.event.getEvents());
    const reset = Number(rawResponse?.headers.get('x-sib-ratelimit-reset'));
    expect([statusCode, reset > 0, reset <= 3_600]).toEqual([429, true, true]);
    expect(rawResponse?.headers.get('retry-after')).toBeNull();
  });

  test.each(['reset-before', 'reset-after'] as const)('%s', async (kind) => {
    server.brevo.faults.add({ kind });
    // The client leaves its clock running where a connection breaks.
    const brief = clientWith({ timeoutInSeconds: 1 });
    expect((await refused(brief.contacts.createContact(dana))).statusCode).toBeUndefined();
    expect(server.brevo.contacts.all()).toHaveLength(kind === 'reset-after' ? 1 : 0);
  });

  test('no answer', async () => {
    server.brevo.faults.add({ kind: 'stall-after' });
    const impatient = clientWith({ timeoutInSeconds: 0.2 });
    // Its BrevoTimeoutError is for another fetch than Node's, which rejects with the reason alone.
    const { message, statusCode } = await refused(impatient.contacts.createContact(dana));
    expect([message, statusCode]).toEqual(['"timeout"', undefined]);
    expect(server.brevo.contacts.all()).toHaveLength(1);
  });
});

test('the client repeats an event that was taken, where the answer is 503', async () => {
  await client.contacts.createContact(dana);
  server.brevo.faults.add({ kind: 'status-after' });
  await clientWith({ maxRetries: 1 }).event.createEvent({ event_name: 'E', identifiers: { contact_id: 1 } });
  expect(server.brevo.events.all()).toHaveLength(2);
});

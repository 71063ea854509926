import { type AskedBrevo, askBrevo } from './testing.ts';

let asked: AskedBrevo;
beforeEach(async () => {
  asked = askBrevo();
  asked.brevo.settings.limits = 1_000;
  await asked.ask('POST', '/contacts', { email: 'a@example.com', attributes: { SMS: '+14155550142' } });
  await asked.ask('POST', '/contacts', { ext_id: 'b' });
});
const event = (more: object = {}) => ({
  event_name: 'SUPPORT_RESOLVED',
  event_date: '2026-11-30T11:00:00Z',
  identifiers: { email_id: 'a@example.com' },
  event_properties: { custody_id: 'x', wait_seconds: 7 },
  ...more,
});
const send = (more: object = {}) => asked.ask('POST', '/events', event(more));
const list = async (query = '') =>
  (await asked.ask('GET', `/events${query}`)).body as { count: number; events: Record<string, unknown>[] };

test('an event is 204, and is listed without an id', async () => {
  expect(await send()).toMatchObject({ status: 204, body: undefined });
  expect(await list()).toEqual({
    count: 1,
    events: [
      {
        contact_id: 1,
        event_name: 'SUPPORT_RESOLVED',
        event_date: '2026-11-30T11:00:00.000Z',
        event_properties: { custody_id: 'x', wait_seconds: 7 },
        contact_properties: {},
      },
    ],
  });
});

test('what is sent twice is there twice', async () => {
  await send();
  await send();
  expect(await list()).toMatchObject({ count: 2 });
});

test.each([
  ['no name', { event_name: undefined }, 'missing_parameter'],
  ['a name with a space', { event_name: 'SUPPORT RESOLVED' }, 'invalid_parameter'],
  ['a name of 256 characters', { event_name: 'A'.repeat(256) }, 'invalid_parameter'],
  ['a day as a date', { event_date: '2026-11-30' }, 'invalid_parameter'],
  ['no identifiers', { identifiers: {} }, 'missing_parameter'],
  ['an identifier of another name', { identifiers: { email: 'a@example.com' } }, 'invalid_parameter'],
  ['properties of 50 KB', { event_properties: { a: 'x'.repeat(50 * 1024) } }, 'invalid_parameter'],
  ['a key with a dot', { event_properties: { 'a.b': 1 } }, 'invalid_parameter'],
  ['null', { event_properties: { a: null } }, 'invalid_parameter'],
])('refuses %s', async (_what, more, code) => {
  expect(await send(more)).toMatchObject({ status: 400, body: { code } });
  expect(await list()).toMatchObject({ count: 0 });
});

test('the number of a contact counts more than its address', async () => {
  await send({ identifiers: { contact_id: 2, email_id: 'a@example.com' } });
  await send({ identifiers: { phone_id: '+14155550142' } });
  expect((await list()).events.map((one) => one['contact_id'])).toEqual([2, 1]);
});

test('contact_properties change the contact', async () => {
  await send({ contact_properties: { FIRSTNAME: 'Ann' } });
  expect(await asked.ask('GET', '/contacts/1')).toMatchObject({ body: { attributes: { FIRSTNAME: 'Ann' } } });
});

test('an event of an unknown contact is dropped, refused, or makes it', async () => {
  const identifiers = { ext_id: 'new' };
  expect(await send({ identifiers })).toMatchObject({ status: 204 });
  expect([await list(), asked.brevo.droppedEvents]).toMatchObject([{ count: 0 }, 1]);
  await asked.control('POST', '', { unknownContacts: 'refuse' });
  expect(await send({ identifiers })).toMatchObject({ status: 400 });
  await asked.control('POST', '', { unknownContacts: 'create' });
  expect(await send({ identifiers })).toMatchObject({ status: 204 });
  expect(await list()).toMatchObject({ events: [{ contact_id: 3 }] });
});

test('a batch says by index what it did not take', async () => {
  const batch = (events: unknown[]) => asked.ask('POST', '/events/batch', { events });
  expect(await batch([event(), event()])).toEqual(
    expect.objectContaining({ status: 202, body: { message: expect.any(String), count: 2 } }),
  );
  const wrong = event({ event_name: 'a b' });
  const flagged = event({ event_properties: { yes: true } });
  expect(await batch([wrong, event(), wrong, flagged])).toMatchObject({
    status: 207,
    body: {
      total_events: 4,
      successful_events: 1,
      failed_events: 3,
      errors: [
        { eventIndex: [0, 2], message: 'event_name is not valid' },
        { eventIndex: [3], message: expect.stringContaining('type') },
      ],
    },
  });
  expect(await list()).toMatchObject({ count: 3 });
  expect(await batch(Array.from({ length: 201 }, () => event()))).toMatchObject({ status: 400 });
  const large = event({ event_properties: { a: 'x'.repeat(40_000) } });
  expect(await batch(Array.from({ length: 14 }, () => large))).toMatchObject({ status: 413 });
});

describe('the list', () => {
  beforeEach(async () => {
    for (const [name, day] of [
      ['A', '01'],
      ['B', '02'],
      ['A', '03'],
    ])
      await send({ event_name: name, event_date: `2026-11-${day}T12:00:00Z` });
    await send({ event_name: 'A', event_date: '2026-11-04T12:00:00Z', identifiers: { ext_id: 'b' } });
  });
  const days = async (query: string) =>
    (await list(query)).events.map((one) => String(one['event_date']).slice(8, 10));

  test.each([
    ['', ['04', '03', '02', '01']],
    ['?event_name=A', ['04', '03', '01']],
    ['?event_name=A&event_name=B&contact_id=1', ['03', '02', '01']],
    ['?startDate=2026-11-02&endDate=2026-11-03', ['03', '02']],
    ['?startDate=2026-11-03T12:00:00Z&endDate=2026-11-03T12:00:00Z', ['03']],
    ['?limit=1&offset=1', ['03']],
  ])('%s', async (query, expected) => {
    expect(await days(query)).toEqual(expected);
  });

  test.each([
    '?limit=10001',
    '?limit=0',
    '?startDate=2026-11-02',
    '?startDate=2026-11-03&endDate=2026-11-02',
  ])('refuses %s', async (query) => {
    expect(await asked.ask('GET', `/events${query}`)).toMatchObject({ status: 400 });
  });
});

test('an event appears after so many requests, or so much time', async () => {
  await asked.control('POST', '', { appearAfterRequests: 2 });
  await send();
  expect(await list()).toMatchObject({ count: 0 });
  expect(await list()).toMatchObject({ count: 1 });
  await asked.control('POST', '', { appearAfterRequests: 0, appearAfterMs: 5_000 });
  await send();
  expect(await list()).toMatchObject({ count: 1 });
  asked.pass(5_000);
  expect(await list()).toMatchObject({ count: 2 });
});

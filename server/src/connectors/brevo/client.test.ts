import http from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { until } from '../../../../test/support/until.ts';
import type { Budgets, LimitReport } from '../budget.ts';
import type { BrevoContact, BrevoEvent } from './brevo-api.ts';
import { type BrevoCall, type BrevoOptions, createBrevo } from './client.ts';
import type { BrevoClass } from './limits.ts';

interface Seen {
  request: string;
  headers: http.IncomingHttpHeaders;
  body: unknown;
}

const key = 'xkeysib-of-a-test';
const seen: Seen[] = [];
const turns: BrevoClass[] = [];
const learned: [BrevoClass, LimitReport][] = [];
const paused: [BrevoClass, number][] = [];
const calls: BrevoCall[] = [];
const agent = new http.Agent({ keepAlive: true });
let answer: (request: http.IncomingMessage, response: http.ServerResponse) => void;
let baseUrl: string;

const server = http.createServer(async (request, response) => {
  const body = await text(request);
  seen.push({
    request: `${request.method} ${request.url}`,
    headers: request.headers,
    body: body === '' ? undefined : JSON.parse(body),
  });
  answer(request, response);
});
const answers =
  (status: number, body?: unknown, headers: http.OutgoingHttpHeaders = {}): typeof answer =>
  (_request, response) =>
    response.writeHead(status, headers).end(body === undefined ? undefined : JSON.stringify(body));

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v3`;
});
afterAll(() => {
  agent.destroy();
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  for (const list of [seen, turns, learned, paused, calls]) list.length = 0;
  answer = answers(204);
});

const budgets: Budgets<BrevoClass> = {
  turn: async (of, signal) => {
    signal?.throwIfAborted();
    turns.push(of);
  },
  learn: async (of, report) => void learned.push([of, report]),
  pause: async (of, ms) => void paused.push([of, ms]),
};
const brevo = (options: Partial<BrevoOptions> = {}) =>
  createBrevo({ apiKey: () => key, baseUrl, budgets, agent, called: (call) => calls.push(call), ...options });

const contact: BrevoContact = {
  identifiers: {
    email: 'ada@example.com',
    extId: 'crm-7',
    phone: '0034 600-111-222',
    whatsapp: '+34600111222',
  },
  attributes: { FIRSTNAME: 'Ada', AVERAGE_WAIT: 0, VIP: false, EMPTY: '', BLANK: ' ', WRONG: Number.NaN },
  listIds: [3, 4],
};
const event: BrevoEvent = {
  name: 'SUPPORT_RESOLVED',
  at: new Date('2026-11-30T10:00:00Z'),
  identifiers: { email: 'ada@example.com', phone: '+34600111222' },
  properties: { custody_id: 'c1', channel: 'voice', wait_seconds: 12.5, transferred: true, queue_name: '' },
};

/** The only request that was made; its headers without the key and what Node adds. */
function request() {
  expect(seen).toHaveLength(1);
  const { headers, ...rest } = seen[0] as Seen;
  expect(headers['api-key']).toBe(key);
  const { accept, 'content-type': type } = headers;
  return { of: turns[0], accept, type, ...rest };
}

describe('requests', () => {
  const got = { accept: 'application/json', type: undefined, body: undefined };
  const posted = { accept: 'application/json', type: 'application/json' };

  test('a contact is created or updated; an empty text empties an attribute, and nothing else is empty', async () => {
    answer = answers(201, { id: 7 });
    expect(await brevo().putContact(contact)).toEqual({ kind: 'done', value: { id: 7 } });
    expect(request()).toEqual({
      ...posted,
      of: 'contacts',
      request: 'POST /v3/contacts',
      body: {
        email: 'ada@example.com',
        ext_id: 'crm-7',
        attributes: {
          FIRSTNAME: 'Ada',
          AVERAGE_WAIT: 0,
          VIP: false,
          EMPTY: '',
          SMS: '+34600111222',
          WHATSAPP: '+34600111222',
        },
        listIds: [3, 4],
        updateEnabled: true,
      },
    });
  });

  test('an update states no id; two contacts are merged only when asked', async () => {
    const sms = {
      identifiers: { phone: '+34600111222', email: '', extId: '', whatsapp: '' },
      attributes: {},
      listIds: [],
    };
    expect(await brevo().putContact(sms, { merge: true })).toEqual({ kind: 'done', value: {} });
    expect(request().body).toEqual({
      attributes: { SMS: '+34600111222' },
      updateEnabled: true,
      forceMerge: true,
      getId: true,
    });
  });

  test('what is no number is not sent as one, and consent to mail and SMS never is', async () => {
    const identifiers = { extId: 'chat-1', phone: 'anonymous', whatsapp: '+0' };
    const blacklists = { emailBlacklisted: true, smsBlacklisted: true };
    await brevo().putContact({ identifiers, attributes: {}, listIds: [], ...blacklists } as BrevoContact);
    expect(request().body).toEqual({ ext_id: 'chat-1', updateEnabled: true });
  });

  test.each([
    [{ contactId: 7, email: 'a@example.com' }, '/v3/contacts/7?identifierType=contact_id'],
    [{ email: 'a+b@example.com', extId: 'x' }, '/v3/contacts/a%2Bb%40example.com?identifierType=email_id'],
    [{ extId: 'a/b c' }, '/v3/contacts/a%2Fb%20c?identifierType=ext_id'],
    [{ phone: '+34600111222', whatsapp: '+1' }, '/v3/contacts/%2B34600111222?identifierType=phone_id'],
    [{ whatsapp: '+34600111222' }, '/v3/contacts/%2B34600111222?identifierType=whatsapp_id'],
  ])('a contact is asked for by its strongest identifier: %j', async (identifiers, path) => {
    answer = answers(200, { id: 7, attributes: { FIRSTNAME: 'Ada' }, listIds: [3], emailBlacklisted: false });
    expect(await brevo().contact(identifiers)).toEqual({
      kind: 'done',
      value: { id: 7, attributes: { FIRSTNAME: 'Ada' }, listIds: [3] },
    });
    expect(request()).toEqual({ ...got, of: 'contacts', request: `GET ${path}` });
  });

  test('a contact is emptied, or removed', async () => {
    const what = { attributes: ['FIRSTNAME', 'TIER'], listIds: [3] };
    expect(await brevo().forget(7, what)).toEqual({ kind: 'done', value: undefined });
    expect(request()).toEqual({
      ...posted,
      of: 'contacts',
      request: 'PUT /v3/contacts/7?identifierType=contact_id',
      body: { attributes: { FIRSTNAME: '', TIER: '' }, unlinkListIds: [3] },
    });
    seen.length = 0;
    answer = answers(404, { code: 'document_not_found', message: 'x' });
    expect(await brevo().forget(7, 'contact')).toEqual({ kind: 'missing' });
    expect(request()).toEqual({
      ...got,
      of: 'contacts',
      request: 'DELETE /v3/contacts/7?identifierType=contact_id',
    });
  });

  test('an event names its contact by all that is known, or by its number alone', async () => {
    expect(await brevo().sendEvent(event)).toEqual({ kind: 'done', value: undefined });
    const body = {
      event_name: 'SUPPORT_RESOLVED',
      event_date: '2026-11-30T10:00:00.000Z',
      identifiers: { email_id: 'ada@example.com', phone_id: '+34600111222' },
      event_properties: { custody_id: 'c1', channel: 'voice', wait_seconds: 12.5, transferred: true },
    };
    expect(request()).toEqual({ ...posted, of: 'events', request: 'POST /v3/events', body });
    seen.length = 0;
    await brevo().sendEvent({ ...event, identifiers: { ...event.identifiers, contactId: 7 } });
    expect(request().body).toEqual({ ...body, identifiers: { contact_id: 7 } });
  });

  test('a batch has texts and numbers alone', async () => {
    answer = answers(207, { failed_events: 1, errors: [{ eventIndex: [1], message: 'bad voice' }] });
    expect(await brevo().sendEvents([event, event])).toEqual({
      kind: 'done',
      value: { refused: [{ index: 1, code: 'unknown', message: 'bad [redacted]' }] },
    });
    const { body, ...rest } = request();
    expect(rest).toEqual({ ...posted, of: 'batch', request: 'POST /v3/events/batch' });
    const { events } = body as { events: { event_properties: unknown }[] };
    expect(events).toHaveLength(2);
    expect(events[0]?.event_properties).toEqual({
      custody_id: 'c1',
      channel: 'voice',
      wait_seconds: 12.5,
      transferred: 'true',
    });
  });

  test('events are looked up by name, contact and period', async () => {
    answer = answers(200, { count: 0, events: [] });
    const [from, to] = [new Date('2026-11-30T10:00:00Z'), new Date('2026-11-30T11:00:00Z')];
    const found = await brevo().events({ name: 'A_B', contactId: 7, from, to });
    expect(found).toEqual({ kind: 'done', value: { events: [], isWhole: true } });
    expect(request()).toEqual({
      ...got,
      of: 'other',
      request:
        'GET /v3/events?event_name=A_B&contact_id=7&startDate=2026-11-30T10%3A00%3A00.000Z&endDate=2026-11-30T11%3A00%3A00.000Z&limit=10000',
    });
  });

  test('attributes are listed and created; one that is there already is no failure', async () => {
    answer = answers(200, {
      attributes: [
        { name: 'TIER', category: 'normal', type: 'text' },
        { name: 'STATE', category: 'category' },
      ],
    });
    expect(await brevo().attributes()).toEqual({
      kind: 'done',
      value: [
        { name: 'TIER', type: 'text' },
        { name: 'STATE', type: 'category' },
      ],
    });
    expect(request()).toEqual({ ...got, of: 'contacts', request: 'GET /v3/contacts/attributes' });
    seen.length = 0;
    answer = answers(400, { code: 'duplicate_parameter', message: 'Attribute already exists' });
    expect(await brevo().createAttribute('WAIT', 'float')).toEqual({ kind: 'done', value: undefined });
    expect(request()).toEqual({
      ...posted,
      of: 'contacts',
      request: 'POST /v3/contacts/attributes/normal/WAIT',
      body: { type: 'float' },
    });
  });

  test('a list and the account', async () => {
    answer = answers(200, { id: 3, name: 'Support' });
    expect(await brevo().list(3)).toEqual({ kind: 'done', value: { name: 'Support' } });
    expect(request()).toEqual({ ...got, of: 'contacts', request: 'GET /v3/contacts/lists/3' });
    seen.length = 0;
    turns.length = 0;
    answer = answers(200, { companyName: 'Example', email: 'a@example.com', plan: [{ type: 'free' }, {}] });
    const account = await brevo().account();
    expect(account).toEqual({ kind: 'done', value: { company: 'Example', plans: ['free'] } });
    expect(request()).toEqual({ ...got, of: 'other', request: 'GET /v3/account' });
  });
});

test('a request that Brevo cannot take is refused before it is sent', async () => {
  await expect(brevo().sendEvents(Array.from({ length: 201 }, () => event))).rejects.toThrow(RangeError);
  const large = { ...event, properties: { text: 'x'.repeat(3_000) } };
  await expect(brevo().sendEvents(Array.from({ length: 200 }, () => large))).rejects.toThrow(RangeError);
  await expect(brevo().contact({ phone: '600111222' })).rejects.toThrow(RangeError);
  expect(() => brevo({ baseUrl: 'http://api.brevo.com/v3' })).toThrow(RangeError);
  expect(seen).toEqual([]);
});

test('without a key nothing is sent, and no turn is taken', async () => {
  const without = brevo({ apiKey: async () => undefined });
  expect(await without.sendEvent(event)).toEqual({ kind: 'pause', reason: 'key', status: 0 });
  expect([seen, turns]).toEqual([[], []]);
});

test('a budget learns from every answer, and 429 pauses its class', async () => {
  const headers = {
    'x-sib-ratelimit-limit': 100,
    'x-sib-ratelimit-remaining': 0,
    'x-sib-ratelimit-reset': 20,
  };
  answer = answers(429, {}, headers);
  expect(await brevo().account()).toEqual({ kind: 'later', status: 429, afterMs: 21_000 });
  expect(learned).toEqual([['other', { limit: 100, remaining: 0, resetSeconds: 20 }]]);
  expect(paused).toEqual([['other', 21_000]]);
});

test('an answer counts also where the budget cannot be written', async () => {
  const warned: string[] = [];
  const failing = { ...budgets, learn: async () => Promise.reject(new Error('away')) };
  const log = { warn: (_fields: object, message: string) => void warned.push(message) };
  expect(await brevo({ budgets: failing, log }).sendEvent(event)).toMatchObject({ kind: 'done' });
  expect(warned).toHaveLength(1);
});

describe('without an answer', () => {
  test('a connection that ends after the request was sent: an event may have been taken', async () => {
    answer = (request) => request.socket.destroy();
    expect(await brevo().sendEvent(event)).toEqual({ kind: 'unknown' });
    expect(await brevo().sendEvents([event])).toEqual({ kind: 'unknown' });
    expect(await brevo().putContact(contact)).toEqual({ kind: 'later' });
  });

  test('an answer that is cut, or comes too late', async () => {
    answer = (_request, response) =>
      response.writeHead(200, { 'content-length': 10 }).write('half', () => response.destroy());
    expect(await brevo().sendEvent(event)).toEqual({ kind: 'unknown' });
    expect(await brevo().account()).toEqual({ kind: 'later' });
    answer = () => undefined;
    expect(await brevo({ limitMs: 50 }).sendEvent(event)).toEqual({ kind: 'unknown' });
    expect(await brevo({ limitMs: 50 }).attributes()).toEqual({ kind: 'later' });
  });

  test('nothing that takes connections: nothing was sent', async () => {
    const closed = createServer().listen(0, '127.0.0.1');
    await until(() => closed.listening);
    const { port } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));
    const nowhere = brevo({ baseUrl: `http://127.0.0.1:${port}/v3` });
    expect(await nowhere.sendEvent(event)).toEqual({ kind: 'later' });
    expect(await nowhere.sendEvents([event])).toEqual({ kind: 'later' });
  });

  test('who breaks off hears its reason; of an event that was sent, that it is unknown', async () => {
    answer = () => undefined;
    const reason = new Error('stopping');
    await expect(brevo().sendEvent(event, AbortSignal.abort(reason))).rejects.toBe(reason);
    expect(seen).toEqual([]);
    const stop = new AbortController();
    const [sent, asked] = [brevo().sendEvent(event, stop.signal), brevo().account(stop.signal)];
    const refused = expect(asked).rejects.toBe(reason);
    await until(() => seen.length === 2);
    stop.abort(reason);
    await refused;
    expect(await sent).toEqual({ kind: 'unknown' });
  });
});

test('what is reported of a call has no address, identifier or value', async () => {
  answer = answers(400, { code: 'invalid_parameter', message: 'ada@example.com is crm-7, Ada' });
  const refused = await brevo().putContact(contact);
  expect(refused).toEqual({
    kind: 'refused',
    status: 400,
    code: 'invalid_parameter',
    message: '[redacted] is [redacted], [redacted]',
  });
  answer = answers(404);
  await brevo().contact({ email: 'ada@example.com' });
  expect(calls).toEqual([
    {
      of: 'contacts',
      method: 'POST',
      route: '/contacts',
      outcome: 'refused',
      status: 400,
      ms: expect.any(Number),
    },
    {
      of: 'contacts',
      method: 'GET',
      route: '/contacts/{id}',
      outcome: 'missing',
      status: 404,
      ms: expect.any(Number),
    },
  ]);
});

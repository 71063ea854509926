import fc from 'fast-check';
import { account, contact, contactId, events, refusedEvents } from './answers.ts';
import type { BrevoOutcome } from './brevo-api.ts';
import { limitReport, outcomeOf, outcomeWithoutAnswer } from './outcome.ts';

const of = (
  status: number,
  body: unknown = '',
  { onlyOnce = false, headers = {}, sent = [] as string[] } = {},
): BrevoOutcome<{ id?: number }> =>
  outcomeOf(
    { status, headers, text: typeof body === 'string' ? body : JSON.stringify(body) },
    { value: (found) => ({ value: contactId(found) }), onlyOnce, sent },
  );
const error = (code: string, message: string, metadata?: object) => ({ code, message, metadata });
const address =
  'We have detected you are using an unrecognised IP address 203.0.113.7. Add it at https://app.brevo.com/security/authorised_ips';

test.each([
  ['created', 201, { id: 7 }, { kind: 'done', value: { id: 7 } }],
  ['updated', 204, '', { kind: 'done', value: {} }],
  ['an unknown key', 401, error('unauthorized', 'Key not found'), { kind: 'pause', reason: 'key' }],
  [
    'an address that is not authorised',
    401,
    error('unauthorized', address),
    { kind: 'pause', reason: 'address' },
  ],
  ['the same with 403', 403, error('permission_denied', address), { kind: 'pause', reason: 'address' }],
  ['no credits', 402, error('not_enough_credits', 'No credits'), { kind: 'pause', reason: 'credits' }],
  ['no credits, said with 400', 400, error('not_enough_credits', 'x'), { kind: 'pause', reason: 'credits' }],
  ['forbidden', 403, error('permission_denied', 'x'), { kind: 'pause', reason: 'forbidden' }],
  [
    'an account under validation',
    400,
    error('account_under_validation', 'x'),
    { kind: 'pause', reason: 'forbidden' },
  ],
  ['an account in process', 400, error('account_in_process', 'x'), { kind: 'later', status: 400 }],
  ['too early', 425, '', { kind: 'later', status: 425 }],
  ['a time-out of Brevo’s', 408, '', { kind: 'later', status: 408 }],
  ['a fault', 500, '<html>', { kind: 'later', status: 500 }],
  ['a redirect', 302, '', { kind: 'later', status: 302 }],
  ['not found', 404, error('document_not_found', 'x'), { kind: 'missing' }],
] as const)('%s', (_, status, body, outcome) => {
  expect(of(status, body)).toMatchObject(outcome);
});

test.each([
  ['duplicate_parameter', ['SMS'], ['SMS']],
  ['invalid_parameter', ['email'], ['email']],
  [
    'another_code',
    ['ext_id', 'whatsapp', 'LANDLINE_NUMBER', 'unheard_of'],
    ['ext_id', 'WHATSAPP', 'LANDLINE_NUMBER'],
  ],
])('a collision with code %s names %j', (code, duplicate_identifiers, identifiers) => {
  expect(of(400, error(code, 'x', { duplicate_identifiers }))).toEqual({ kind: 'collision', identifiers });
});

test.each([
  [
    'duplicate_parameter',
    'Unable to create contact, SMS is already associated with another Contact',
    ['SMS'],
  ],
  [
    'invalid_parameter',
    'Unable to update contact, email is already associated with another Contact',
    ['email'],
  ],
  ['duplicate_parameter', 'email and SMS are already associated with another Contact', ['email', 'SMS']],
  ['duplicate_parameter', 'Contact already exist', []],
  ['duplicate_parameter', undefined, []],
])('a collision without metadata: %s, %s', (code, message, identifiers) => {
  expect(of(400, { code, message })).toEqual({ kind: 'collision', identifiers });
});

test('another wrong parameter is no collision', () => {
  expect(of(400, error('invalid_parameter', 'Invalid phone number', { duplicate_identifiers: [] }))).toEqual({
    kind: 'refused',
    status: 400,
    code: 'invalid_parameter',
    message: 'Invalid phone number',
  });
});

test('a message of Brevo’s keeps neither addresses nor numbers nor anything that was sent', () => {
  const message =
    'Ada Lovelace <ada@example.com>, 0044 7700 900123, +34600111222, 203.0.113.7, xkeysib-ab12: bad VIP Gold';
  const refused = of(400, error('invalid_parameter', message), { sent: ['Ada Lovelace', 'VIP Gold', 'd'] });
  expect(refused).toMatchObject({ kind: 'refused' });
  const said = refused.kind === 'refused' ? refused.message : '';
  expect(said).toContain('bad [redacted]');
  expect(said).not.toMatch(/Ada|example|7700|900123|6001|203\.0|ab12|VIP/);
  expect(of(400, error('a code with ada@example.com', 'x'))).toMatchObject({ code: 'unknown' });
});

test.each([
  ['30', 31_000],
  ['1', 1_000],
  ['0', 1_000],
  ['999999', 3_600_000],
  ['soon', undefined],
])('429 with a reset in %s s', (reset, afterMs) => {
  const outcome = of(429, '', { headers: { 'x-sib-ratelimit-reset': reset } });
  expect(outcome).toEqual({ kind: 'later', status: 429, ...(afterMs !== undefined && { afterMs }) });
});

test('an event that a gateway passed on may have been taken; a contact may be sent again', () => {
  for (const status of [504, 520, 524]) {
    expect(of(status, '', { onlyOnce: true })).toEqual({ kind: 'unknown' });
    expect(of(status)).toEqual({ kind: 'later', status });
  }
  for (const status of [500, 502, 503, 429, 408])
    expect(of(status, '', { onlyOnce: true }).kind).toBe('later');
  expect(outcomeWithoutAnswer(true, true)).toEqual({ kind: 'unknown' });
  expect(outcomeWithoutAnswer(true, false)).toEqual({ kind: 'later' });
  expect(outcomeWithoutAnswer(false, true)).toEqual({ kind: 'later' });
});

test('what an answer says about its limit', () => {
  const headers = {
    'x-sib-ratelimit-limit': '100',
    'x-sib-ratelimit-remaining': '-3',
    'x-sib-ratelimit-reset': '12',
  };
  expect(limitReport(headers)).toEqual({ limit: 100, resetSeconds: 12 });
  expect(limitReport({ 'x-sib-ratelimit-limit': ['1', '2'] })).toEqual({});
});

describe('a batch of three', () => {
  const batch = (body: unknown, status = 207) => refusedEvents(body, { status, count: 3, sent: ['Ada'] });
  const one = { index: 1, code: 'unknown', message: 'bad [redacted]' };

  test.each([
    ['all taken', { message: 'ok', count: 3 }, 202, []],
    ['by errors', { failed_events: 1, errors: [{ eventIndex: [1], message: 'bad Ada' }] }, 207, [one]],
    ['one error alone', { eventIndex: [1], message: 'bad Ada' }, 207, [one]],
    ['a list of errors', [{ eventIndex: 1, message: 'bad Ada' }], 207, [one]],
    [
      'one error of several',
      { errors: [{ eventIndex: [2, 1], message: 'bad Ada' }] },
      207,
      [one, { ...one, index: 2 }],
    ],
    ['no error at all', { failed_events: 0, errors: [] }, 207, []],
  ])('%s', (_, body, status, refused) => {
    expect(batch(body, status)).toEqual({ refused });
  });

  test.each([
    ['no body', undefined],
    ['an error that names none', { errors: [{ message: 'bad' }] }],
    ['an index that is none of ours', { errors: [{ eventIndex: [7] }] }],
    ['fewer names than failures', { failed_events: 2, errors: [{ eventIndex: [1] }] }],
  ])('%s: each may have been taken', (_, body) => {
    expect(batch(body)).toBeUndefined();
  });
});

test('events that Brevo has; one that cannot be read, or more than came, makes the answer incomplete', () => {
  const event = {
    event_name: 'A',
    event_date: '2026-11-30T10:00:00Z',
    contact_id: 7,
    event_properties: { custody_id: 'x' },
  };
  const read = {
    name: 'A',
    at: new Date('2026-11-30T10:00:00Z'),
    contactId: 7,
    properties: { custody_id: 'x' },
  };
  expect(events({ count: 1, events: [event] }, 100)).toEqual({ events: [read], isWhole: true });
  expect(events({ count: 2, events: [event] }, 100)).toEqual({ events: [read], isWhole: false });
  expect(events({ events: [event] }, 1)).toEqual({ events: [read], isWhole: false });
  expect(events({ count: 1, events: [{ ...event, event_date: 'then' }] }, 9)).toEqual({
    events: [],
    isWhole: false,
  });
  expect(events({ count: 0 }, 100)).toEqual({ events: [], isWhole: true });
  expect(events({ message: 'x' }, 100)).toBeUndefined();
});

test('no status and no body throws, and only a success is done', () => {
  const keys = fc.constantFrom(
    'code',
    'message',
    'metadata',
    'duplicate_identifiers',
    'errors',
    'eventIndex',
    'id',
    'events',
  );
  const strange = fc.oneof(
    fc.json(),
    fc.string(),
    fc.dictionary(keys, fc.jsonValue()).map((value) => JSON.stringify(value)),
    fc.dictionary(keys, fc.dictionary(keys, fc.jsonValue())).map((value) => JSON.stringify(value)),
  );
  const headers = fc.dictionary(
    fc.constantFrom('x-sib-ratelimit-reset', 'x-sib-ratelimit-limit'),
    fc.string(),
  );
  const readers = [
    contactId,
    contact,
    account,
    (body: unknown) => events(body, 10),
    (body: unknown, status: number) => refusedEvents(body, { status, count: 3, sent: ['a'] }),
  ];
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 999 }),
      strange,
      headers,
      fc.boolean(),
      fc.nat(readers.length - 1),
      (status, text, headers, onlyOnce, n) => {
        const outcome = outcomeOf<unknown>(
          { status, headers, text },
          {
            value: (body, code) => {
              const value = readers[n]?.(body, code);
              return value === undefined ? undefined : { value };
            },
            onlyOnce,
            sent: ['sent'],
          },
        );
        if (status < 200 || status > 299) expect(outcome.kind).not.toBe('done');
        if (status < 200 || status >= 500) expect(['later', 'unknown']).toContain(outcome.kind);
      },
    ),
    { numRuns: 2_000 },
  );
});

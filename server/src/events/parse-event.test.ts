import { eventTypes, isHandled, ownTypes, typeOf } from './event-types.ts';
import { mostCharacters, parseEvent } from './parse-event.ts';
import { account, cloudEvent, kinesisRecord, sid } from './testing/cloud-events.ts';

const receivedAt = new Date('2026-06-01T00:00:00Z');
const parse = (record: unknown) => parseEvent(record, { accounts: [account], source: 'webhook', receivedAt });
const ofHost = (record: unknown) => parseEvent(record, { accounts: [account], source: 'own', receivedAt });
const event = (record: unknown) => {
  const parsed = parse(record);
  if (!('event' in parsed)) throw new Error(`set aside: ${parsed.aside.reason}`);
  return parsed.event;
};
const reason = (record: unknown) => {
  const parsed = parse(record);
  return 'aside' in parsed ? parsed.aside.reason : 'none';
};
const deep = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`;
const cyclic: Record<string, unknown> = {};
cyclic['self'] = cyclic;

test('all forms of one event are read the same', () => {
  const given = cloudEvent({ n: 1 });
  const texts = JSON.stringify(given);
  const inner = JSON.stringify(given['data']);
  const forms = [
    given,
    texts,
    Buffer.from(texts),
    new Uint8Array(Buffer.from(texts)),
    JSON.stringify(texts),
    kinesisRecord({ n: 1 }),
    { ...given, data: inner },
    { ...given, data: JSON.stringify(inner) },
    { ...given, datacontenttype: '2026-05-28T20:26:40Z' },
  ];
  for (const form of forms) expect(event(form)).toEqual(event(given));
  expect(event(given)).toEqual({
    id: 'EZ1',
    type: 'com.twilio.taskrouter.reservation.accepted',
    at: new Date(1_780_000_000_001),
    atFrom: 'payload',
    eventSid: sid('EV', 1),
    sameAs: `com.twilio.taskrouter.reservation.accepted ${sid('WR', 1)} 1780000000001`,
    sids: [sid('WR', 1), sid('WT', 1), sid('CA', 1), sid('CF', 1)],
    data: inner,
  });
});

test.each([
  ['nothing', undefined, 'not_json'],
  ['null', null, 'not_json'],
  ['a number', 5, 'not_json'],
  ['a function', () => 1, 'not_json'],
  ['a circle', cyclic, 'not_json'],
  ['an array', [cloudEvent({ n: 1 })], 'not_json'],
  ['an empty text', '', 'not_json'],
  ['no JSON', '{"id":', 'not_json'],
  ['bytes that are no text', Buffer.from([0xff, 0xfe, 0]), 'not_json'],
  ['a text in a text in a text', JSON.stringify(JSON.stringify(JSON.stringify({}))), 'not_json'],
  ['more text than any event has', ' '.repeat(mostCharacters + 1), 'too_large'],
  ['a deep envelope', { ...cloudEvent({ n: 1 }), extra: JSON.parse(deep(100)) }, 'too_deep'],
  ['a deep text', `{"extra":${deep(50_000)}}`, 'too_deep'],
  ['deep data', cloudEvent({ n: 1, data: `{"x":${deep(100)}}` }), 'too_deep'],
  ['no type', cloudEvent({ n: 1, type: '' }), 'type_unusable'],
  ['a type that is too long', cloudEvent({ n: 1, type: 'x'.repeat(257) }), 'type_unusable'],
  ['a type with NUL', cloudEvent({ n: 1, type: 'com.twilio.x\0' }), 'type_unusable'],
  ['another type', cloudEvent({ n: 1, type: 'com.twilio.taskrouter.task.invented' }), 'unknown_type'],
  ['another type without data', cloudEvent({ n: 1, type: 'com.twilio.x', data: null }), 'unknown_type'],
  ['content', cloudEvent({ n: 1, type: 'com.twilio.conversations.message.added' }), 'content'],
  ['no data', cloudEvent({ n: 1, data: null }), 'data_unusable'],
  ['data that is no object', cloudEvent({ n: 1, data: '[1]' }), 'data_unusable'],
  ['data that is no JSON', cloudEvent({ n: 1, data: 'plain' }), 'data_unusable'],
  ['no id', cloudEvent({ n: 1, id: null }), 'id_unusable'],
  ['an empty id', cloudEvent({ n: 1, id: '' }), 'id_unusable'],
  ['an id that is too long', cloudEvent({ n: 1, id: 'x'.repeat(513) }), 'id_unusable'],
  ['an id with NUL', cloudEvent({ n: 1, id: 'a\0' }), 'id_unusable'],
  ['an id with half a pair', cloudEvent({ n: 1, id: 'a\ud800' }), 'id_unusable'],
  ["another account's data", cloudEvent({ n: 1, data: { account_sid: sid('AC', 1) } }), 'other_account'],
  [
    "another account's payload",
    cloudEvent({ n: 1, payload: { account_sid: sid('AC', 1) } }),
    'other_account',
  ],
  [
    "another account's call",
    cloudEvent({
      n: 1,
      type: 'com.twilio.voice.status-callback.call.completed',
      data: { request: { parameters: { AccountSid: sid('AC', 1) } } },
    }),
    'other_account',
  ],
])('%s is set aside', (_, record, why) => {
  expect(reason(record)).toBe(why);
});

describe.each(Object.values(ownTypes))("the host's own type %s", (type) => {
  const forged = cloudEvent({ n: 1, type });
  const { data } = forged;

  test.each(['kinesis', 'webhook', 'repair'] as const)('is set aside from %s, in whatever form', (source) => {
    const forms = [
      forged,
      JSON.stringify(forged),
      kinesisRecord({ n: 1, type }),
      { ...forged, source: 'own' },
      { ...forged, data: { ...(data as object), source: 'own' } },
      { ...forged, data: null },
    ];
    for (const form of forms)
      expect(parseEvent(form, { accounts: [account], source, receivedAt })).toMatchObject({
        aside: { reason: 'own_type', type },
      });
  });

  test.each([type.toUpperCase(), ` ${type}`, `${type}.`, `com.twilio.${type}`, `${type}\n`])(
    'is not known as %j from anywhere',
    (other) => {
      for (const source of ['webhook', 'own'] as const)
        expect(
          parseEvent(cloudEvent({ n: 1, type: other }), { accounts: [account], source, receivedAt }),
        ).toMatchObject({ aside: { reason: 'unknown_type' } });
    },
  );

  test('is read from the host, and no subscription asks Twilio for it', () => {
    expect(ofHost(forged)).toMatchObject({ event: { id: 'EZ1', type } });
    expect([eventTypes.includes(type), isHandled(type)]).toEqual([false, false]);
  });
});

test("an event of Twilio's is none of the host's own", () => {
  expect(ofHost(cloudEvent({ n: 1 }))).toMatchObject({ aside: { reason: 'unknown_type' } });
});

test.each([
  ['a number', 17, '17'],
  ['a SHA-256', 'f'.repeat(64), 'f'.repeat(64)],
  ['spaces and signs', ' a/b "c" ', ' a/b "c" '],
  ['the longest', 'x'.repeat(512), 'x'.repeat(512)],
])('an id may be %s', (_, id, stored) => {
  expect(event(cloudEvent({ n: 1, id })).id).toBe(stored);
});

const none = { timestamp_ms: null };
test.each([
  ["the payload's milliseconds", {}, {}, '2026-05-28T20:26:40.001Z', 'payload'],
  ['milliseconds in a text', {}, { timestamp_ms: '1780000000123' }, '2026-05-28T20:26:40.123Z', 'payload'],
  ['the envelope', {}, none, '2026-05-28T20:26:40.000Z', 'envelope'],
  [
    'the envelope, before a time of seconds',
    {},
    { ...none, timestamp: 1_600_000_000 },
    '2026-05-28T20:26:40.000Z',
    'envelope',
  ],
  [
    'seconds, where the envelope has none',
    { time: null },
    { ...none, timestamp: '1600000000' },
    '2020-09-13T12:26:40.000Z',
    'payload',
  ],
  [
    'ISO 8601, where the envelope is malformed',
    { time: 'Thu' },
    { ...none, timestamp: '2026-01-02T03:04:05Z' },
    '2026-01-02T03:04:05.000Z',
    'payload',
  ],
  [
    'when it came, without any',
    { time: '' },
    { ...none, timestamp: 'soon' },
    '2026-06-01T00:00:00.000Z',
    'received',
  ],
  [
    'when it came, where its time cannot be',
    { time: '9999-01-01T00:00:00Z' },
    { timestamp_ms: 9e15 },
    '2026-06-01T00:00:00.000Z',
    'received',
  ],
])('its time is %s', (_, given, payload, at, from) => {
  const { at: found, atFrom } = event(cloudEvent({ n: 1, ...given, payload }));
  expect([found.toISOString(), atFrom]).toEqual([at, from]);
});

test('attributes stay as they are: null, empty, no JSON', () => {
  for (const attributes of [null, '', 'no json', '{"a":'])
    expect(
      JSON.parse(event(cloudEvent({ n: 1, payload: { task_attributes: attributes } })).data).payload,
    ).toMatchObject({
      task_attributes: attributes,
    });
});

test('an event without a reservation, a worker or a payload is an event', () => {
  expect(event(cloudEvent({ n: 1, data: {} }))).toMatchObject({ sids: [], data: '{}' });
});

test('SIDs are found wherever they are', () => {
  const data = { url: `https://x/${account}/Calls/${sid('CA', 5)}.json`, list: [{ deep: sid('RE', 6) }] };
  expect(event(cloudEvent({ n: 1, id: sid('WT', 9), data })).sids).toEqual([
    sid('WT', 9),
    sid('CA', 5),
    sid('RE', 6),
  ]);
});

test('of a record of an unknown type all is kept, of a broken one its beginning', () => {
  const long = 'x'.repeat(100_000);
  const kept = (record: unknown) => {
    const parsed = parse(record);
    return 'aside' in parsed ? parsed.aside.raw?.length : undefined;
  };
  const unknown = JSON.stringify(cloudEvent({ n: 1, type: 'com.twilio.x', data: { long } }));
  expect(kept(unknown)).toBe(unknown.length);
  expect(kept(long)).toBe(65_536);
});

test('types of earlier names have the name of today', () => {
  const call = 'com.twilio.voice.status-callback.call.completed';
  expect(typeOf('com.twilio.voice.webhook.status-callback.call.completed')).toBe(call);
  expect(typeOf('com.twilio.voice.webhook.call.completed')).toBe(call);
  expect(
    event(cloudEvent({ n: 1, type: 'com.twilio.voice.webhook.status-callback.call.completed' })).type,
  ).toBe(call);
  expect(typeOf('com.twilio.taskrouter.task-queue.expression.updated')).toBe(
    'com.twilio.taskrouter.task-queue.expression-updated',
  );
  expect(eventTypes.every((type) => isHandled(type) && typeOf(type) === type)).toBe(true);
  expect(eventTypes).toContain('com.twilio.apiusage.taskrouter.ratelimits');
  expect(new Set(eventTypes).size).toBe(eventTypes.length);
});

import type { Channel, Interaction } from '../interaction.ts';
import { interactionWith, mappingOf, totals, withAttributes } from './testing/mapping-of.ts';

const contact = (given: object, interaction: Interaction, before?: Readonly<Record<string, unknown>>) =>
  mappingOf(given).contact(interaction, totals, before);
const whyOf = (given: object, interaction: Interaction, rule: string) =>
  mappingOf(given)
    .explain(interaction, totals)
    .find((reason) => reason.rule === rule)?.why;
const at = (address: string | undefined, channel: Channel, attributes: object = {}): Interaction => ({
  ...interactionWith({ channel, kind: channel === 'voice' ? 'voice' : 'text' }),
  customer: { ...(address !== undefined && { address }), attributes: { ...attributes } },
});

describe('the default mapping', () => {
  test('of a call', () => {
    const mapping = mappingOf();
    const call = withAttributes({
      name: '+34600111222',
      customers: { name: 'Ada Lovelace', email: ' Ada@Example.com' },
    });
    expect(mapping.customer(call)).toEqual({
      key: 'email:ada@example.com',
      identifiers: { email: 'ada@example.com', phone: '+34600111222' },
    });
    expect(mapping.contact(call, totals)).toEqual({
      identifiers: { email: 'ada@example.com', phone: '+34600111222' },
      attributes: {
        FIRSTNAME: 'Ada Lovelace',
        LAST_CONVERSATION_DATE: '2026-11-30',
        TOTAL_CONVERSATIONS: 3,
        AVG_WAIT_TIME: 12.3,
        AVG_TALK_TIME: 200,
        LAST_CSAT_SCORE: 4,
        PREFERRED_CHANNEL: 'whatsapp',
      },
      listIds: [],
    });
    expect(mapping.needsBefore).toBe(false);
  });

  test.each<[channel: Channel, address: string | undefined, identifiers: object | string]>([
    ['voice', '+34600111222', { phone: '+34600111222' }],
    ['sms', '+34 600 111 222', { phone: '+34600111222' }],
    ['sms', 'sms:+34600111222', { phone: '+34600111222' }],
    ['voice', '0034600111222', { phone: '+34600111222' }],
    ['whatsapp', 'whatsapp:+34600111222', { phone: '+34600111222', whatsapp: '+34600111222' }],
    ['whatsapp', '+34600111222', { phone: '+34600111222', whatsapp: '+34600111222' }],
    ['whatsapp', 'whatsapp:anonymous', 'nothing identifies its customer'],
    ['webchat', 'visitor-17', { extId: 'visitor-17' }],
    ['webchat', 'chat:visitor-17', { extId: 'visitor-17' }],
    ['voice', 'client:alice', 'nothing identifies its customer'],
    ['voice', 'sip:+34600111222@trunk.example', 'nothing identifies its customer'],
    ['voice', 'anonymous', 'nothing identifies its customer'],
    ['voice', '+266696687', 'nothing identifies its customer'],
    ['voice', 'unknown', 'nothing identifies its customer'],
    ['voice', 'Restricted', 'nothing identifies its customer'],
    ['voice', '+7378742833', 'nothing identifies its customer'],
    ['voice', '600111222', 'nothing identifies its customer'],
    ['voice', '', 'nothing identifies its customer'],
    ['voice', undefined, 'nothing identifies its customer'],
    ['webchat', 'Anonymous', 'nothing identifies its customer'],
    ['webchat', undefined, 'nothing identifies its customer'],
  ])('%s from %s', (channel, address, identifiers) => {
    const found = mappingOf().customer(at(address, channel));
    if (typeof identifiers === 'string') expect(found).toEqual({ why: identifiers });
    else expect(found).toMatchObject({ identifiers });
  });

  test('who calls and who writes by WhatsApp from one number is one customer', () => {
    const keys = (['voice', 'sms', 'whatsapp'] as const).map((channel) => {
      const found = mappingOf().customer(at('+34600111222', channel));
      return 'key' in found && found.key;
    });
    expect(keys).toEqual(Array(3).fill('phone:+34600111222'));
  });

  test('both identifiers of a WhatsApp number are explained', () => {
    const reasons = mappingOf().explain(at('whatsapp:+34600111222', 'whatsapp'), totals);
    expect(reasons.filter(({ rule }) => rule === 'field_mapping.identity')).toMatchObject([
      { target: 'SMS', why: 'identity is sent' },
      { target: 'WHATSAPP', why: 'identity is sent' },
    ]);
  });

  test.each<[attributes: object, name: string | undefined]>([
    [{ friendly_name: 'Ada' }, 'Ada'],
    [{ customers: { name: ' Ada ' }, name: 'Other' }, 'Ada'],
    [{ customerName: 'Ada' }, 'Ada'],
    [{ name: 'Ada' }, 'Ada'],
    [{ name: '+34600111222' }, undefined],
    [{ name: '600 111 222' }, undefined],
    [{ customerName: 'whatsapp:+34600111222', name: 'Ada' }, 'Ada'],
    [{ name: 'client:ada' }, undefined],
    [{ name: 'ada@example.com' }, undefined],
    [{ name: 'Anonymous' }, undefined],
    [{ name: 17 }, undefined],
    [{ customers: 'x' }, undefined],
  ])('the name of %j is %s', (attributes, name) =>
    expect(contact({}, withAttributes(attributes)).attributes['FIRSTNAME']).toBe(name),
  );

  test('totals that are not known are left out', () => {
    const few = { conversations: 1, lastConversationAt: Number.NaN, preferredChannel: '' };
    expect(mappingOf().contact(interactionWith(), few).attributes).toEqual({ TOTAL_CONVERSATIONS: 1 });
  });
});

describe("the page's rules, one by one", () => {
  const chat = (attributes: object = {}) => at('visitor-17', 'webchat', attributes);
  test.each<[rule: object, interaction: Interaction, attributes: object]>([
    [{ friendly_name: 'FIRSTNAME' }, chat({ name: 'Ada' }), { FIRSTNAME: 'Ada' }],
    [{ last_conversation_date: 'LAST_CONTACT' }, chat(), { LAST_CONTACT: '2026-11-30' }],
    [{ total_conversations: 'CHATS' }, chat(), { CHATS: 3 }],
    [{ avg_wait_time: 'WAIT' }, chat(), { WAIT: 12.3 }],
    [{ avg_talk_time: 'TALK' }, chat(), { TALK: 200 }],
    [{ last_csat_score: 'CSAT' }, chat(), { CSAT: 4 }],
    [{ preferred_channel: 'CHANNEL' }, chat(), { CHANNEL: 'whatsapp' }],
    [{ 'attributes.language': 'LANGUAGE' }, chat({ language: 'es' }), { LANGUAGE: 'es' }],
    [{ 'attributes.a.b.0.c': 'DEEP' }, chat({ a: { b: [{ c: 1 }] } }), { DEEP: 1 }],
    [{ customer_tier: 'CUSTOMER_TIER' }, chat({ customer_tier: 'gold' }), { CUSTOMER_TIER: 'gold' }],
    [{ account_id: 'ACCOUNT_ID' }, chat({ account_id: 17 }), { ACCOUNT_ID: 17 }],
    [{ is_vip: 'VIP' }, chat({ is_vip: false }), { VIP: false }],
    [{ 'account.id': 'ACCOUNT_ID' }, chat({ account: { id: 'x' } }), { ACCOUNT_ID: 'x' }],
    [
      { identity: 'VISITOR', 'attributes.email': 'email' },
      chat({ email: 'a@b.example' }),
      { VISITOR: 'visitor-17' },
    ],

    [
      { x: { to: 'X', transform: 'strip-channel' } },
      chat({ x: 'whatsapp:+34600111222' }),
      { X: '+34600111222' },
    ],
    [{ x: { to: 'X', transform: 'e164' } }, chat({ x: '+34 600-111-222' }), { X: '+34600111222' }],
    [{ x: { to: 'X', transform: 'e164' } }, chat({ x: '600111222' }), {}],
    [{ x: { to: 'X', transform: { e164: 'ES' } } }, chat({ x: '600 111 222' }), { X: '+34600111222' }],
    [{ x: { to: 'X', transform: { e164: 'ES' } } }, chat({ x: 'no number' }), {}],
    [{ x: { to: 'X', transform: 'date' } }, chat({ x: '2026-02-03T23:30:00-05:00' }), { X: '2026-02-04' }],
    [{ x: { to: 'X', transform: 'date' } }, chat({ x: '2026-02-03' }), { X: '2026-02-03' }],
    [{ x: { to: 'X', transform: 'date' } }, chat({ x: 1_767_225_600 }), { X: '2026-01-01' }],
    [{ x: { to: 'X', transform: 'date' } }, chat({ x: '1767225600000' }), { X: '2026-01-01' }],
    [{ x: { to: 'X', transform: 'date' } }, chat({ x: '03/02/2026' }), {}],
    [{ x: { to: 'X', transform: 'date' } }, chat({ x: '2026-13-45' }), {}],
    [{ x: { to: 'X', transform: 'number' } }, chat({ x: ' 4.50 ' }), { X: 4.5 }],
    [{ x: { to: 'X', transform: 'number' } }, chat({ x: 'four' }), {}],
    [{ x: { to: 'X', transform: 'boolean' } }, chat({ x: 'Yes' }), { X: true }],
    [{ x: { to: 'X', transform: 'boolean' } }, chat({ x: 0 }), { X: false }],
    [{ x: { to: 'X', transform: 'boolean' } }, chat({ x: 'maybe' }), {}],
    [{ x: { to: 'X', transform: 'lower' } }, chat({ x: 'GOLD' }), { X: 'gold' }],
    [{ x: { to: 'X', transform: 'join' } }, chat({ x: ['a', '', 2, { b: 1 }] }), { X: 'a, 2' }],
    [
      { x: { to: 'X', transform: [{ join: ['y', 'attributes.z'] }, 'lower'] } },
      chat({ x: 'A', z: 'B' }),
      { X: 'a b' },
    ],
    [{ x: { to: 'X', transform: { join: ['y'], separator: '/' } } }, chat({ y: 'B' }), { X: 'B' }],
    [{ x: { to: 'X', transform: { join: ['y'] } } }, chat(), {}],
    [{ x: { to: 'X', default: 'none' } }, chat(), { X: 'none' }],
    [{ x: { to: 'X', default: 0 } }, chat({ x: ' ' }), { X: 0 }],
    [{ x: { to: 'X', default: 'none' } }, chat({ x: 'some' }), { X: 'some' }],
    [{ x: { to: 'X', transform: ['number', { default: 7 }] } }, chat({ x: 'four' }), { X: 7 }],
    [{ x: { to: 'X', transform: [{ default: '5' }, 'number'] } }, chat(), { X: 5 }],

    [{ x: 'X' }, chat({ x: '' }), {}],
    [{ x: 'X' }, chat({ x: ' \u0000\n ' }), {}],
    [{ x: 'X' }, chat({ x: null }), {}],
    [{ x: 'X' }, chat({ x: [] }), {}],
    [{ x: 'X' }, chat({ x: { y: 1 } }), {}],
    [{ x: 'X' }, chat({ x: 'x'.repeat(2_001) }), {}],
    [{ x: 'X' }, chat({ x: 'a\u0000b\uD800' }), { X: 'a b\uFFFD' }],
    [{ x: 'X' }, chat(), {}],
    [{ 'toString.name': 'X' }, chat(), {}],
  ])('%j', (rule, interaction, attributes) =>
    expect(
      contact({ field_mapping: { 'attributes.id': 'ext_id', ...rule } }, interaction).attributes,
    ).toEqual(attributes),
  );

  test.each<[rules: object, interaction: Interaction, identifiers: object]>([
    [{ 'attributes.email': 'email' }, chat({ email: 'Ada@Example.com' }), { email: 'ada@example.com' }],
    [{ 'attributes.email': 'email' }, chat({ email: 'ada' }), {}],
    [{ 'attributes.email': 'email' }, chat({ email: ['ada@example.com'] }), {}],
    [{ identity: 'ext_id' }, chat(), { extId: 'visitor-17' }],
    [{ identity: 'ext_id' }, at('+34600111222', 'voice'), { phone: '+34600111222' }],
    [{ identity: 'email' }, at('ada@example.com', 'webchat'), { email: 'ada@example.com' }],
    [{ identity: 'SMS' }, at('+34600111222', 'whatsapp'), { phone: '+34600111222' }],
    [{ identity: 'SMS' }, at('visitor-17', 'webchat'), {}],
    [{ identity: 'SMS' }, at('+34600111222', 'sms'), { phone: '+34600111222' }],
    [{ identity: 'WHATSAPP' }, at('+34600111222', 'voice'), {}],
    [{ identity: 'WHATSAPP' }, at('whatsapp:+34600111222', 'whatsapp'), { whatsapp: '+34600111222' }],
    [
      { 'attributes.phone': 'SMS', identity: 'ext_id' },
      at('whatsapp:+34600111222', 'whatsapp', { phone: '+34600111333' }),
      { phone: '+34600111333', whatsapp: '+34600111222' },
    ],
    [{ account_id: 'ext_id' }, chat({ account_id: 17 }), { extId: '17' }],
    [{ 'attributes.phone': 'SMS' }, chat({ phone: 'whatsapp:+34600111222' }), { phone: '+34600111222' }],
    [{ 'attributes.phone': 'SMS' }, chat({ phone: '600111222' }), {}],
    [
      { phone: { to: 'SMS', transform: { e164: 'ES' } } },
      chat({ phone: '600111222' }),
      { phone: '+34600111222' },
    ],
    [{ phone: { to: 'WHATSAPP', transform: { e164: 'ES' } } }, chat({ phone: 'client:a' }), {}],
    [{ a: 'email', b: 'email' }, chat({ a: ' ', b: 'b@c.example' }), { email: 'b@c.example' }],
    [{ a: 'email', b: 'email' }, chat({ a: 'a@c.example', b: 'b@c.example' }), { email: 'a@c.example' }],
  ])('%j identifies', (rules, interaction, identifiers) => {
    const mapping = mappingOf({ field_mapping: rules });
    expect(mapping.contact(interaction, totals).identifiers).toEqual(identifiers);
    expect(mapping.customer(interaction)).toMatchObject(
      Object.keys(identifiers).length > 0 ? { identifiers } : { why: 'nothing identifies its customer' },
    );
  });
});

test('the strongest identifier is the key', () => {
  const rules = { field_mapping: { e: 'email', i: 'ext_id', p: 'SMS', w: 'WHATSAPP' } };
  const key = (attributes: object) => {
    const found = mappingOf(rules).customer(withAttributes(attributes));
    return 'key' in found ? found.key : undefined;
  };
  const [p, w] = ['+34600111222', '+34600111333'];
  expect(key({ e: 'a@b.example', i: 'x', p, w })).toBe('email:a@b.example');
  expect(key({ i: 'x', p, w })).toBe('extId:x');
  expect(key({ p, w })).toBe(`phone:${p}`);
  expect(key({ w })).toBe(`whatsapp:${w}`);
  expect(key({})).toBeUndefined();
});

describe('overwrite', () => {
  const rules = (overwrite: string) => ({ field_mapping: { identity: 'ext_id', x: { to: 'X', overwrite } } });
  const [full, empty] = [withAttributes({ x: 'new' }), withAttributes({ x: '' })];

  test('if-set: an empty value never erases', () => {
    expect(contact(rules('if-set'), full, { X: 'old' }).attributes).toEqual({ X: 'new' });
    expect(contact(rules('if-set'), empty, { X: 'old' }).attributes).toEqual({});
  });

  test('never: a value that Brevo has, or may have, stays', () => {
    expect(mappingOf(rules('never')).needsBefore).toBe(true);
    expect(mappingOf({ ...rules('never'), sync: { customers: false } }).needsBefore).toBe(false);
    expect(contact(rules('never'), full).attributes).toEqual({});
    expect(contact(rules('never'), full, { X: 'old' }).attributes).toEqual({});
    expect(contact(rules('never'), full, { X: 0 }).attributes).toEqual({});
    expect(contact(rules('never'), full, { X: ['old'] }).attributes).toEqual({});
    expect(contact(rules('never'), full, { X: ' ' }).attributes).toEqual({ X: 'new' });
    expect(contact(rules('never'), full, {}).attributes).toEqual({ X: 'new' });
    expect(contact(rules('never'), empty, {}).attributes).toEqual({});
  });

  test('always: an empty value empties', () => {
    expect(contact(rules('always'), full, { X: 'old' })).toMatchObject({ attributes: { X: 'new' } });
    expect(contact(rules('always'), empty).attributes).toEqual({ X: '' });
    expect(contact(rules('always'), empty, { X: 'old' }).attributes).toEqual({ X: '' });
  });
});

describe('what settings leave out', () => {
  const flow = `FO${'0a'.repeat(16)}`;
  const other = `FO${'0b'.repeat(16)}` as const;
  test.each<[given: object, interaction: Interaction, why: string | undefined]>([
    [{ channels: ['sms'] }, interactionWith(), 'the channel voice is not in channels'],
    [{}, interactionWith({ channel: 'other' }), 'the channel other is not in channels'],
    [{}, interactionWith({ direction: 'internal' }), 'it is a call between agents'],
    [
      { flex_flow_sid: flow },
      interactionWith({ flexFlowSid: other }),
      'its task is of another Flex Flow than flex_flow_sid',
    ],
    [{ flex_flow_sid: flow }, interactionWith({ flexFlowSid: flow }), undefined],
    [{ flex_flow_sid: flow }, interactionWith(), undefined],
    [{}, interactionWith({ flexFlowSid: other }), undefined],
  ])('%j', (given, interaction, why) => {
    const mapping = mappingOf(given);
    expect('why' in mapping.customer(interaction)).toBe(why !== undefined);
    if (why !== undefined) {
      expect(mapping.customer(interaction)).toEqual({ why });
      expect(mapping.event(interaction, 'task.created')).toBeUndefined();
      expect(mapping.explain(interaction, totals)[0]).toMatchObject({
        target: '',
        why: `nothing is sent: ${why}`,
      });
    } else expect(mapping.event(interaction, 'task.created')).toBeDefined();
  });

  test.each<[value: unknown, isSent: boolean]>([
    [true, true],
    ['true', true],
    ['TRUE', true],
    ['yes', true],
    [1, true],
    ['1', true],
    [false, false],
    ['no', false],
    [0, false],
    [2, false],
    ['', false],
    [null, false],
    [undefined, false],
    [{}, false],
    [['true'], false],
    ['consented', false],
  ])('a consent of %j: %s', (value, isSent) => {
    const mapping = mappingOf({ consent: { attribute: 'gdpr.ok' } });
    const call = withAttributes({ gdpr: { ok: value } });
    expect(mapping.customer(call)).toEqual(
      isSent
        ? { key: 'phone:+34600111222', identifiers: { phone: '+34600111222' } }
        : { why: 'its task attribute of consent is not true' },
    );
    expect(mapping.event(call, 'task.created') !== undefined).toBe(isSent);
  });

  test('without customers a contact has its identifiers alone', () => {
    const given = { sync: { customers: false }, lists: { support_contacts: 1 } };
    expect(contact(given, interactionWith())).toEqual({
      identifiers: { phone: '+34600111222' },
      attributes: {},
      listIds: [],
    });
    expect(mappingOf(given).attributes).toEqual([]);
    expect(whyOf(given, interactionWith(), 'field_mapping.total_conversations')).toBe(
      'total_conversations is not sent: sync.customers is false',
    );
  });

  test('without csat no score is sent', () => {
    const given = { sync: { csat: false }, csat: { measure: 'score' }, lists: { csat_respondents: 2 } };
    const answered = interactionWith({ csatScore: 5, surveyedAt: 1 });
    expect(contact(given, answered).attributes).not.toHaveProperty('LAST_CSAT_SCORE');
    expect(contact(given, answered).listIds).toEqual([]);
    expect(mappingOf(given).event(answered, 'survey.completed')).toBeUndefined();
    expect(mappingOf(given).event(answered, 'task.created')?.properties).not.toHaveProperty('csat_score');
  });
});

test('lists: all who had an interaction, and all who answered', () => {
  const given = { csat: { measure: 'score' }, lists: { support_contacts: 1, csat_respondents: 2 } };
  const { lastCsatScore: _, ...never } = totals;
  const mapping = mappingOf(given);
  expect(mapping.contact(interactionWith(), never).listIds).toEqual([1]);
  expect(mapping.contact(interactionWith({ csatScore: 1 }), never).listIds).toEqual([1, 2]);
  expect(mapping.contact(interactionWith(), totals).listIds).toEqual([1, 2]);
});

test('the attributes that Brevo must have, with their types', () => {
  const rules = {
    identity: 'ext_id',
    a: 'A',
    b: { to: 'B', transform: 'number', default: 0 },
    c: { to: 'C', transform: 'date' },
    d: { to: 'D', transform: 'boolean' },
    e: { to: 'E', transform: ['join', 'lower'] },
    last_conversation_date: 'F',
    total_conversations: 'G',
  };
  expect(mappingOf({ field_mapping: rules }).attributes).toEqual([
    { name: 'A' },
    { name: 'B', type: 'float' },
    { name: 'C', type: 'date' },
    { name: 'D', type: 'boolean' },
    { name: 'E', type: 'text' },
    { name: 'F', type: 'date' },
    { name: 'G', type: 'float' },
  ]);
});

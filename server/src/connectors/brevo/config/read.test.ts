import { readBrevoFile } from './file.ts';

const accountSid = `AC${'0a'.repeat(16)}`;
const least = { account_sid: accountSid, consent: 'all' };
const linesOf = (text: string) => {
  const read = readBrevoFile(text, accountSid);
  return 'faults' in read ? read.faults : [];
};
/** JSON is YAML. */
const faults = (more: object) => linesOf(JSON.stringify({ ...least, ...more }));
const config = (more: object = {}) => {
  const read = readBrevoFile(JSON.stringify({ ...least, ...more }), accountSid);
  if ('faults' in read) throw new Error(read.faults.join('\n'));
  return read.config;
};

test('what is left out has its default', () => {
  const { field_mapping, event_mapping, ...rest } = config();
  expect(rest).toEqual({
    enabled: true,
    account_sid: accountSid,
    plan: 'general',
    plan_factor: 1,
    sync: { conversations: true, tasks: true, customers: true, csat: true, agent_activity: true },
    lists: {},
    channels: ['voice', 'sms', 'whatsapp', 'webchat'],
    consent: 'all',
    collisions: 'drop-identifier',
    erase: 'attributes',
    create_attributes: false,
    csat: undefined,
    settle_seconds: 60,
    resend_uncertain_after: 60,
    limits: { flex: 100, conversations: 100, taskrouter: 30, events: 20, searches: 3 },
    debug: false,
    log_api_calls: false,
  });
  expect(field_mapping.map(({ rule }) => rule)).toContain('field_mapping.identity');
  expect(event_mapping.map(({ trigger, name }) => [trigger, name])).toEqual([
    ['task.created', 'SUPPORT_REQUESTED'],
    ['task.completed', 'SUPPORT_RESOLVED'],
    ['task.canceled', 'SUPPORT_ABANDONED'],
    ['conversation.ended', 'CONVERSATION_ENDED'],
    ['survey.completed', 'CSAT_SUBMITTED'],
  ]);
});

test('an empty key is left out', () => {
  expect(config({ plan: null, sync: null, lists: { support_contacts: null }, field_mapping: null })).toEqual(
    config(),
  );
});

test.each<[object, object]>([
  [{ enabled: false }, { enabled: false }],
  [{ flex_flow_sid: `FO${'0b'.repeat(16)}` }, { flex_flow_sid: `FO${'0b'.repeat(16)}` }],
  [{ sync: { tasks: false } }, { sync: { tasks: false, csat: true } }],
  [{ channels: ['whatsapp'] }, { channels: ['whatsapp'] }],
  [{ consent: { attribute: 'attributes.gdpr.ok' } }, { consent: { attribute: 'gdpr.ok' } }],
  [
    { csat: { measure: 'conversation_measure_10', scale: 5 } },
    { csat: { measure: 'conversation_measure_10', scale: 5 } },
  ],
  [{ csat: { measure: 'survey.score' }, lists: { csat_respondents: 3 } }, { lists: { csat_respondents: 3 } }],
  [
    { resend_uncertain_after: 0.1, plan_factor: 50 },
    { resend_uncertain_after: 0.1, plan_factor: 50 },
  ],
  [{ limits: { searches: 10 } }, { limits: { searches: 10, flex: 100 } }],
])('%j is taken', (given, read) => expect(config(given)).toMatchObject(read));

/** Each fault alone, with the beginning of its line. */
const wrong: [given: object, line: string][] = [
  [{ account_sid: null }, 'account_sid is missing: it must be AC and 32'],
  [{ account_sid: 'AC1' }, 'account_sid must be AC and 32 lower-case'],
  [{ account_sid: `AC${'0c'.repeat(16)}` }, "account_sid is another account than the host's"],
  [{ flex_flow_sid: 'FW1' }, 'flex_flow_sid must be FO and 32'],
  [{ enabled: 'yes' }, 'enabled must be true or false'],
  [{ plan: 'gold' }, 'plan must be one of general, advanced, extended'],
  [{ plan_factor: 0 }, 'plan_factor must be a number'],
  [{ sync: true }, 'sync must have keys of its own: conversations, tasks'],
  [{ sync: { contacts: true } }, 'sync.contacts is no key of this file'],
  [{ sync: { agent_activty: true } }, 'sync.agent_activty is no key of this file: write sync.agent_activity'],
  [{ sync: { csat: 1 } }, 'sync.csat must be true or false'],
  [{ chanels: ['voice'] }, 'chanels is no key of this file: write channels'],
  [{ colour: 'red', consent: 'all' }, 'colour is no key of this file'],
  [
    { lists: { support_contacts: 0 } },
    'lists.support_contacts must be a whole number of Brevo (the id of a list) from 1',
  ],
  [{ lists: { support_contacts: '12' } }, 'lists.support_contacts must be a whole number'],
  [{ lists: { csat_respondents: 3 } }, 'lists.csat_respondents needs to know where the answer is'],
  [{ channels: [] }, 'channels must be a list of voice, sms'],
  [{ channels: ['voice', 'voice'] }, 'channels must be a list of voice, sms'],
  [{ channels: 'voice' }, 'channels must be a list of voice, sms'],
  [{ channels: ['fax'] }, 'channels must be a list of voice, sms'],
  [{ consent: null }, 'consent must be stated: write `consent: {attribute: NAME}`'],
  [{ consent: true }, 'consent must be all, or name a task attribute'],
  [{ consent: { attribute: '' } }, 'consent must be all, or name a task attribute'],
  [{ consent: { attribute: 'a..b' } }, 'consent must be all, or name a task attribute'],
  [{ consent: { attribute: 'a', other: 1 } }, 'consent must be all, or name a task attribute'],
  [{ consent: { attribute: 'total_conversations' } }, 'consent names a source that the connector computes'],
  [{ collisions: 'drop' }, 'collisions must be one of drop-identifier, merge, skip, report'],
  [{ erase: 'all' }, 'erase must be one of attributes, contact'],
  [{ create_attributes: 'no' }, 'create_attributes must be true or false'],
  [{ csat: 'conversation_measure_1' }, 'csat must have keys of its own: measure, scale'],
  [{ csat: { measure: 'conversation_measure_11' } }, 'csat.measure must be conversation_measure_1 to'],
  [{ csat: { measure: 'a b' } }, 'csat.measure must be conversation_measure_1 to'],
  [{ csat: { measure: 'score', scale: 0 } }, 'csat.scale must be a whole number of points from 1 to 100'],
  [{ csat: { scale: 5 } }, 'csat.scale has no measure'],
  [{ settle_seconds: -1 }, 'settle_seconds must be a whole number of seconds from 0 to 3600'],
  [{ settle_seconds: 0.5 }, 'settle_seconds must be a whole number'],
  [{ resend_uncertain_after: 10_081 }, 'resend_uncertain_after must be a number of minutes from 0 to 10080'],
  [{ limits: { flex: 0 } }, 'limits.flex must be a whole number of requests a second from 1 to 1000'],
  [{ debug: 'x' }, 'debug must be true or false'],
  [{ log_level: 'trace' }, 'log_level must be one of error, warn, info, debug, verbose'],
  [{ log_api_calls: 2 }, 'log_api_calls must be true or false'],

  [{ field_mapping: [] }, 'field_mapping must be sources with their targets'],
  [{ field_mapping: {} }, 'field_mapping must be sources with their targets'],
  [
    { field_mapping: { friendly_name: 'FIRSTNAME' } },
    'field_mapping has no rule for email, ext_id, SMS or WHATSAPP',
  ],
  [rule({ x: null }), 'field_mapping.x must name a target: an identifier'],
  [rule({ x: 5 }), 'field_mapping.x must name a target: an identifier'],
  [rule({ x: { transform: 'lower' } }), 'field_mapping.x must name a target: an identifier'],
  [
    rule({ x: 'firstname' }),
    "field_mapping.x must be in capital letters, as Brevo's attributes are (in small letters email and ext_id are identifiers): write FIRSTNAME",
  ],
  [rule({ x: 'FIRST NAME' }), 'field_mapping.x must be an attribute of Brevo: 1 to 50'],
  [rule({ x: 'A'.repeat(51) }), 'field_mapping.x must be an attribute of Brevo: 1 to 50'],
  [rule({ x: 'EMAIL' }), 'field_mapping.x is an identifier in another case: write email'],
  [rule({ x: 'sms' }), 'field_mapping.x is an identifier in another case: write SMS'],
  [rule({ x: 'EXT_ID' }), 'field_mapping.x is an identifier in another case: write ext_id'],
  [rule({ x: 'LANDLINE_NUMBER' }), 'field_mapping.x is an identifier that the connector does not send'],
  [rule({ x: 'emailBlacklisted' }), 'field_mapping.x is never sent'],
  [rule({ x: { to: 'SMS_BLACKLISTED' } }), 'field_mapping.x.to is never sent'],
  [
    rule({ x: 'A', 'attributes.y': 'A' }),
    'field_mapping.attributes.y writes A, which field_mapping.x writes too',
  ],
  [
    rule({ x: { to: 'A', transfrom: 'lower' } }),
    'field_mapping.x.transfrom is no option of a rule: write transform',
  ],
  [rule({ x: { to: 'A', overwrite: 'yes' } }), 'field_mapping.x.overwrite must be never, if-set, always'],
  [rule({ x: { to: 'SMS', overwrite: 'never' } }), 'field_mapping.x.overwrite is for attributes'],
  [rule({ x: { to: 'A', default: '' } }), 'field_mapping.x.default has a default that is no value'],
  [rule({ x: { to: 'A', default: [1] } }), 'field_mapping.x.default has a default that is no value'],
  [rule({ x: { to: 'A', transform: 'upper' } }), 'field_mapping.x.transform must be of strip-channel, e164'],
  [
    rule({ x: { to: 'A', transform: ['lower', 'upper'] } }),
    'field_mapping.x.transform (number 2) must be of',
  ],
  [
    rule({ x: { to: 'A', transform: { e164: 'Spain' } } }),
    'field_mapping.x.transform names no country for e164',
  ],
  [rule({ x: { to: 'A', transform: { e164: 'ES', more: 1 } } }), 'field_mapping.x.transform must be of'],
  [
    rule({ x: { to: 'A', transform: { default: null } } }),
    'field_mapping.x.transform has a default that is no value',
  ],
  [rule({ x: { to: 'A', transform: { join: [] } } }), 'field_mapping.x.transform joins no sources'],
  [
    rule({ x: { to: 'A', transform: { join: ['a..b'] } } }),
    'field_mapping.x.transform joins a source that must be a source',
  ],
  [
    rule({ x: { to: 'A', transform: { join: ['b'], separator: 1 } } }),
    'field_mapping.x.transform has a separator',
  ],
  [
    rule({ 'attributes.': 'A' }),
    'field_mapping.attributes. must be a source, or the path of a task attribute',
  ],
  [
    rule({ 'total-conversation': 'A' }),
    'field_mapping.total-conversation is almost the name of a source: write total_conversations',
  ],
  [rule({ avg_wait_time: 'email' }), 'field_mapping.avg_wait_time identifies no customer'],

  [{ event_mapping: 'task.created' }, 'event_mapping must be triggers with the names of events'],
  [
    { event_mapping: { 'task.complete': 'X' } },
    'event_mapping.task.complete is no trigger: write task.completed',
  ],
  [
    { event_mapping: { interaction: 'X' } },
    'event_mapping.interaction is no trigger: write one of task.created,',
  ],
  [{ event_mapping: { 'task.created': 'A B' } }, 'event_mapping.task.created must name an event: 1 to 255'],
  [{ event_mapping: { 'task.created': 'x'.repeat(256) } }, 'event_mapping.task.created must name an event'],
  [{ event_mapping: { 'task.created': ['OK', 7] } }, 'event_mapping.task.created must name an event'],
  [
    { event_mapping: { 'task.created': { name: 'X', if: {} } } },
    'event_mapping.task.created.if is no option of an event',
  ],
  [
    { event_mapping: { 'task.created': { name: 'X', when: 'voice' } } },
    'event_mapping.task.created.when must be conditions',
  ],
  [when({ chanel: 'voice' }), 'event_mapping.task.created.when.chanel is no condition: write channel'],
  [when({ channel: 'fax' }), 'event_mapping.task.created.when.channel must be of voice, sms'],
  [when({ channel: [] }), 'event_mapping.task.created.when.channel must be of voice, sms'],
  [when({ channel: { not: 'fax' } }), 'event_mapping.task.created.when.channel must be of voice, sms'],
  [when({ reason: '' }), 'event_mapping.task.created.when.reason must be texts of 1 to 255'],
  [when({ outcome: 'solved' }), 'event_mapping.task.created.when.outcome must be of resolved'],
  [when({ kind: 'call' }), 'event_mapping.task.created.when.kind must be of voice, text, work'],
  [when({ direction: 'in' }), 'event_mapping.task.created.when.direction must be of inbound'],
  [
    { channels: ['sms'], ...when({ channel: 'voice' }) },
    'event_mapping.task.created.when.channel names a channel that `channels` leaves out',
  ],
  [
    { event_mapping: { 'task.created': 'X', 'task.accepted': 'X' } },
    'event_mapping.task.accepted has the event of task.created',
  ],
];

function rule(rules: object): object {
  return { field_mapping: { identity: 'ext_id', ...rules } };
}
function when(conditions: object): object {
  return { event_mapping: { 'task.created': { name: 'X', when: conditions } } };
}

test.each(wrong)('%j has one fault', (given, line) => {
  const lines = faults(given);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/ \(line \d+, column \d+\)$|^account_sid is missing|^consent must be stated/);
  expect(lines[0]?.startsWith(line)).toBe(true);
});

test('all faults at once, each with its line, and no value among them', () => {
  const secret = 'hush-hush';
  const lines = linesOf(
    [
      '# the connector',
      `account_sid: ${accountSid}`,
      'plan: hush-hush',
      'field_mapping:',
      '  attributes.email: email',
      '  attributes.tier: hush-hush',
      'event_mapping:',
      '  task.completed: "hush hush"',
      'lists:',
      '  support_contacts: hush-hush',
    ].join('\n'),
  );
  expect(lines).toEqual([
    'plan must be one of general, advanced, extended (line 3, column 1)',
    expect.stringMatching(/^lists\.support_contacts must .* \(line 10, column 3\)$/),
    expect.stringMatching(/^field_mapping\.attributes\.tier must .* \(line 6, column 3\)$/),
    expect.stringMatching(/^event_mapping\.task\.completed must .* \(line 8, column 3\)$/),
    expect.stringMatching(/^consent must be stated: /),
  ]);
  expect(lines.join()).not.toContain(secret);
});

test.each([
  ['', 'the file must have keys and values: see docs/brevo.example.yaml'],
  ['- a', 'the file must have keys and values: see docs/brevo.example.yaml'],
  ['a: b: c', 'it is not valid YAML (line 1, column 4)'],
  ['plan: general\nplan: advanced', 'a field appears twice (line 2, column 1)'],
])('%j is no file of the connector', (text, line) => expect(linesOf(text)[0]).toBe(line));

test('an outcome is assumed where a rule states none', () => {
  const { event_mapping } = config({
    event_mapping: {
      'task.canceled': [
        { name: 'A', when: { channel: 'voice' } },
        { name: 'B', when: { outcome: { not: 'open' } } },
      ],
      'task.accepted': 'C',
      'task.created': false,
      'task.completed': null,
    },
  });
  expect(event_mapping.map(({ name, when: conditions }) => [name, conditions])).toEqual([
    [
      'A',
      [
        { on: 'channel', values: ['voice'], not: false },
        { on: 'outcome', values: ['abandoned'], not: false },
      ],
    ],
    ['B', [{ on: 'outcome', values: ['open'], not: true }]],
    ['C', []],
  ]);
});

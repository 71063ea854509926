import { lineOf } from './fault.ts';
import { type DataSource, fields, isSecretKey, keys, type SecretKey } from './fields.ts';
import { nearest } from './nearest.ts';
import { readSettings } from './read.ts';

const none = () => false;
const lines = (given: unknown, has: (key: SecretKey) => boolean = none) =>
  readSettings(given, has).faults.map(lineOf);
const x = (length: number) => 'x'.repeat(length);
const sid = (letters: string) => `${letters}${'0a'.repeat(16)}`;
const role = (length: number) => `arn:aws:iam::111122223333:role/${x(length - 31)}`;

test('what is left out has its default', () => {
  const { settings, faults } = readSettings({}, none);
  expect(faults).toEqual([]);
  expect(settings).toEqual({
    seating: 'Free',
    minimumSessionSeconds: 0,
    longCallMinutes: 120,
    longHoldMinutes: 30,
    sessionAuditing: 'Full Switch',
    timeZone: 'UTC',
    specifyCredentials: false,
    specifyRole: false,
    advanced: {},
  });
  expect(readSettings({ longCallMinutes: null, tenant: ' ', advanced: null }, none).settings).toEqual(
    settings,
  );
});

/** What else must be set beside the setting that is looked at. */
const beside: Readonly<Record<string, object>> = {
  accessKeyId: { specifyCredentials: true, secretAccessKey: 's' },
  secretAccessKey: { specifyCredentials: true, accessKeyId: 'AKIA' },
  roleArn: { specifyRole: true, externalId: 'x' },
  externalId: { specifyRole: true, roleArn: role(40) },
  roleSessionName: { specifyRole: true, roleArn: role(40), externalId: 'x' },
  defaultOrganization: { defaultEmployee: 'ada' },
  defaultEmployee: { defaultOrganization: 'Sales' },
  twilioAccountSid: { twilioAuthToken: '0a'.repeat(16) },
  twilioAuthToken: { twilioAccountSid: sid('AC') },
  twilioApiKey: { twilioAccountSid: sid('AC'), twilioApiSecret: x(16) },
  twilioApiSecret: { twilioAccountSid: sid('AC'), twilioApiKey: sid('SK') },
};

const nodes = (count: number) => Array.from({ length: count }, (_, at) => `node-${at}`);

/** Of each setting: values at its bounds, then values just outside of them, or of another form. */
const bounds: Readonly<Record<string, [good: unknown[], bad: unknown[]]>> = {
  seating: [['Free'], ['free', 'Fixed', 1]],
  minimumSessionSeconds: [
    [0, 1, 3_599, 3_600],
    [-1, 3_601, 0.5, '10', Number.NaN],
  ],
  longCallMinutes: [
    [1, 1_440],
    [0, 1_441, 1.5, true],
  ],
  longHoldMinutes: [
    [1, 3_000],
    [0, 3_001, []],
  ],
  sessionAuditing: [['Full Switch'], ['full switch', 'Selective']],
  textLanguage: [
    ['en', 'en-US', 'zh-Hant-TW'],
    ['e', 'English', 'en_US', x(36)],
  ],
  timeZone: [
    ['UTC', 'Europe/Madrid'],
    ['Madrid', '+01:00', x(65)],
  ],
  defaultOrganization: [
    [x(1), x(128)],
    [x(129), 1, 'a\nb', ' a'],
  ],
  defaultEmployee: [[x(1), x(128)], [x(129)]],
  streamName: [
    [x(1), x(1_024), 'arn:aws:kinesis:eu-central-1:111122223333:stream/twilio-events'],
    [
      x(1_025),
      'a b',
      'arn:aws:sqs:eu-central-1:111122223333:events',
      'arn:aws:kinesis:eu-central-1:1:stream/a',
    ],
  ],
  region: [
    ['eu-central-1', 'us-gov-west-1'],
    ['eu-central-9', 'EU-CENTRAL-1', 'Europe (Frankfurt)'],
  ],
  customRegion: [
    ['eu-isoe-west-1', 'xx-new-2'],
    ['Europe (Frankfurt)', 'Frankfurt', 'eu-central', x(65)],
  ],
  specifyCredentials: [[false], ['yes', 1]],
  accessKeyId: [
    [x(1), x(1_024)],
    [x(1_025), 'a b'],
  ],
  secretAccessKey: [
    [x(1), x(1_024)],
    [x(1_025), 1],
  ],
  specifyRole: [[false], ['no', 0]],
  roleArn: [
    [role(40), role(1_024)],
    [role(1_025), x(20), 'arn:aws:iam::1:role/x'],
  ],
  externalId: [
    [x(1), x(1_024)],
    [x(1_025), 'a b'],
  ],
  roleSessionName: [
    [x(2), x(64)],
    [x(1), x(65), 'a b'],
  ],
  twilioAccountSid: [[sid('AC')], [sid('AD'), sid('AC').slice(1), `${sid('AC')}0`, sid('AC').toUpperCase()]],
  twilioAuthToken: [['0a'.repeat(16)], [x(32), '0a'.repeat(15), `${'0a'.repeat(16)}0`]],
  twilioApiKey: [[sid('SK')], [sid('AC'), sid('SK').slice(1), `${sid('SK')}0`]],
  twilioApiSecret: [
    [x(16), x(128)],
    [x(15), x(129), `${x(16)} ${x(16)}`],
  ],
  integrationNode: [
    [x(1), x(128)],
    [x(129), 'a b'],
  ],
  redundantPair: [[nodes(2)], [nodes(1), nodes(3), ['a', 'a'], ['a', ''], 'a,b']],
  captureNodes: [
    [nodes(1), nodes(64)],
    [[], nodes(65), ['a', x(129)], ['a', 1]],
  ],
  ...Object.fromEntries(
    ['tenant', 'siteGroup', 'site', 'server'].map((key) => [key, [[x(1), x(128)], [x(129)]]]),
  ),
  advanced: [[{}], ['x', [1]]],
};

test('each setting has its bounds here', () => {
  expect(Object.keys(bounds).toSorted()).toEqual([...keys].toSorted());
});

describe.each(Object.entries(bounds))('%s', (key, [good, bad]) => {
  test.each(good.map((value, at) => [at, value]))('is taken at its bound (%i)', (_, value) => {
    const { settings, secrets, faults } = readSettings({ ...beside[key], [key]: value }, none);
    expect(faults).toEqual([]);
    if (isSecretKey(key)) expect(secrets[key]).toEqual({ value });
    else expect(settings[key as keyof DataSource]).toEqual(value);
  });

  test.each(bad.map((value, at) => [at, value]))(
    'is refused beyond it, once, with what to do (%i)',
    (_, value) => {
      const found = lines({ ...beside[key], [key]: value });
      expect(found).toHaveLength(1);
      const { next } = fields[key as keyof typeof fields];
      expect(found[0]).toMatch(new RegExp(`^${key} must .+: ${next.replaceAll(/[.()/*+?]/g, '\\$&')}`));
    },
  );
});

test('a message names the bound', () => {
  expect(lines({ longCallMinutes: 1_441, minimumSessionSeconds: 3_601, streamName: x(1_025) })).toEqual([
    'longCallMinutes must be a whole number of minutes from 1 to 1440: set 120, the default, or more for longer calls',
    'minimumSessionSeconds must be a whole number of seconds from 0 to 3600: set 0 to keep every call',
    'streamName must have 1 to 1024 characters: copy the name or the ARN from the Kinesis console',
  ]);
});

test.each([
  ['region', 'Europe (Frankfurt)'],
  ['customRegion', 'Europe (Frankfurt)'],
  ['customRegion', 'Frankfurt'],
])('a display name as %s has a message of its own', (key, value) => {
  expect(lines({ [key]: value })[0]).toContain('not its display name');
  expect(lines({ [key]: 'eu_central_1' })[0]).not.toContain('display name');
});

const arn = 'arn:aws:kinesis:eu-west-1:111122223333:stream/events';
const full = {
  credentials: { specifyCredentials: true, accessKeyId: 'AKIA', secretAccessKey: 's' },
  role: { specifyRole: true, roleArn: role(40), externalId: 'x' },
};

/** Each pair that contradicts itself or is filled in half, with the start of its one line. */
const together: [given: Record<string, unknown>, line: string][] = [
  [{ defaultEmployee: 'ada' }, 'defaultOrganization is missing, and comes before defaultEmployee'],
  [{ defaultOrganization: 'Sales' }, 'defaultEmployee is missing while defaultOrganization is set'],
  [{ region: 'eu-west-1', customRegion: 'eu-west-9' }, 'customRegion must be blank while region is set'],
  [
    { streamName: arn, region: 'eu-central-1' },
    'region is another one than that of the ARN in streamName (eu-west-1)',
  ],
  [{ streamName: arn, customRegion: 'eu-west-9' }, 'region is another one than that of the ARN'],
  [{ accessKeyId: 'AKIA' }, 'accessKeyId must be blank while specifyCredentials is false'],
  [{ secretAccessKey: 's' }, 'secretAccessKey must be unset while specifyCredentials is false'],
  [{ ...full.credentials, accessKeyId: '' }, 'accessKeyId is missing (1 to 1024 characters)'],
  [{ ...full.credentials, secretAccessKey: 'unset' }, 'secretAccessKey is missing (1 to 1024 characters)'],
  [{ roleArn: role(40) }, 'roleArn must be blank while specifyRole is false'],
  [{ externalId: 'x' }, 'externalId must be blank while specifyRole is false'],
  [{ roleSessionName: 'xx' }, 'roleSessionName must be blank while specifyRole is false'],
  [{ ...full.role, roleArn: null }, 'roleArn is missing (1 to 1024 characters)'],
  [{ ...full.role, externalId: null }, 'externalId is missing (1 to 1024 characters)'],
  [{ twilioAuthToken: '0a'.repeat(16) }, 'twilioAccountSid is missing while credentials of Twilio are set'],
  [{ twilioAccountSid: sid('AC') }, 'twilioAuthToken is missing while twilioAccountSid is set'],
  [
    { twilioAccountSid: sid('AC'), twilioApiKey: sid('SK') },
    'twilioApiSecret is missing (16 to 128 characters)',
  ],
  [
    { twilioAccountSid: sid('AC'), twilioApiSecret: x(16) },
    'twilioApiKey is missing while twilioApiSecret is set',
  ],
  [
    { integrationNode: 'a', redundantPair: ['a', 'b'] },
    'redundantPair must be blank while integrationNode is set',
  ],
];

test.each(together)('together: %j', (given, line) => {
  const found = lines(given);
  expect(found).toHaveLength(1);
  expect(found[0]).toContain(line);
  // And what to do.
  expect(found[0]).toMatch(/: [a-z].{10}/);
});

test('each of these has a message of its own', () => {
  const all = together.map(([given]) => lines(given)[0]);
  expect(new Set(all).size).toBe(all.length - 1); // The ARN's region is compared with both kinds of region.
});

test.each([
  full.credentials,
  full.role,
  { ...full.credentials, ...full.role },
  { streamName: arn, region: 'eu-west-1' },
])('whole: %j', (given) => expect(lines(given)).toEqual([]));

test('keys that do not exist are refused, with the nearest that does', () => {
  expect(lines({ longCallMinute: 5, LONGHOLDMINUTES: 3, elephant: 1, ['\u001b[2J']: 1 })).toEqual([
    'longCallMinute is not a setting of the data source: write longCallMinutes',
    'LONGHOLDMINUTES is not a setting of the data source: write longHoldMinutes',
    'elephant is not a setting of the data source: remove it',
    '??2J is not a setting of the data source: remove it',
  ]);
  expect(lines(JSON.parse('{"__proto__": {"a": 1}, "constructor": 1}'))).toHaveLength(2);
  expect(nearest('regoin', keys)).toBe('region');
});

describe('advanced keys', () => {
  const advanced = (value: object) => lines({ advanced: value });

  test.each([
    [{ TwilioEnablePauseResume: 'True', WEBSOCKET_TARGET_URL: 'wss://a.example/twilio/v1' }],
    [{ TwilioEnablePauseResume: 'False', WEBSOCKET_TARGET_URL: `wss://a.example/${x(1_008)}` }],
  ])('%j', (value) =>
    expect(readSettings({ advanced: value }, none)).toMatchObject({
      settings: { advanced: value },
      faults: [],
    }),
  );

  test("YAML's boolean is the word", () => {
    const { settings } = readSettings({ advanced: { TwilioEnablePauseResume: true } }, none);
    expect(settings.advanced).toEqual({ TwilioEnablePauseResume: 'True' });
  });

  test.each([
    [{ TwilioEnablePauseResume: 'true' }, 'must be True or False: write True or False with a capital letter'],
    [{ TwilioEnablePauseResume: 1 }, 'must be True or False'],
    [{ WEBSOCKET_TARGET_URL: 'ws://a.example' }, 'must be a wss:// URL'],
    [{ WEBSOCKET_TARGET_URL: 'wss://a.example/?x=1' }, 'must be a wss:// URL'],
    [{ WEBSOCKET_TARGET_URL: 'wss://me:pw@a.example' }, 'must be a wss:// URL'],
    [{ WEBSOCKET_TARGET_URL: `wss://a.example/${x(1_009)}` }, 'must have 1 to 1024 characters'],
    [
      { websocket_target_url: 'wss://a.example' },
      'is in the wrong case, and the case of advanced keys counts: write WEBSOCKET_TARGET_URL',
    ],
    [
      { twilioEnablePauseResume: 'True' },
      'is in the wrong case, and the case of advanced keys counts: write TwilioEnablePauseResume',
    ],
    [
      { WEBSOCKET_TARGET_URI: 'wss://a.example' },
      'is not a setting of the data source: write advanced.WEBSOCKET_TARGET_URL',
    ],
  ])('%j is refused', (value, line) => {
    expect(advanced(value)).toEqual([expect.stringContaining(`advanced.${Object.keys(value)[0]} ${line}`)]);
  });
});

describe('secrets', () => {
  test('are apart from the settings; what is there stays with "set"', () => {
    const given = { specifyCredentials: true, accessKeyId: 'AKIA', secretAccessKey: 'hush-hush' };
    const { settings, secrets } = readSettings(given, none);
    expect(JSON.stringify(settings)).not.toContain('hush');
    expect(secrets).toEqual({ secretAccessKey: { value: 'hush-hush' } });
    const kept = { ...given, secretAccessKey: 'set' };
    expect(readSettings(kept, (key) => key === 'secretAccessKey')).toMatchObject({
      faults: [],
      secrets: { secretAccessKey: 'set' },
    });
    expect(lines(kept)[0]).toContain('flex-custody secrets set data-source/secretAccessKey');
    // Left out counts as unchanged.
    const { secretAccessKey: _, ...without } = given;
    expect(lines(without, () => true)).toContainEqual(expect.stringContaining('twilioAccountSid is missing'));
    expect(lines(without, (key) => key === 'secretAccessKey')).toEqual([]);
  });

  test('no message quotes a value', () => {
    const secret = 'hush\nhush';
    const given = Object.fromEntries(keys.map((key) => [key, secret]));
    expect(lines(given).join()).not.toContain('hush');
  });
});

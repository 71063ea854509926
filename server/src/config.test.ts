import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { howToGet } from './config/parse.ts';
import { variables } from './config/variables.ts';
import { type Config, loadConfig, loadKeyConfig, loadPartOfConfig, twilioCredentials } from './config.ts';

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const publicPem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
const aes = (id: string) => `${id}:${Buffer.alloc(32, 7).toString('base64')}\n`;

const complete = {
  TWILIO_ACCOUNT_SID: `AC${'0a'.repeat(16)}`,
  TWILIO_AUTH_TOKEN: '0123456789abcdef'.repeat(2),
  TWILIO_WORKSPACE_SID: `WS${'0b'.repeat(16)}`,
  CUSTODY_PUBLIC_URL: 'https://custody.example.com/',
  AWS_REGION: 'eu-central-1',
  CUSTODY_BUCKET: 'recordings',
  CUSTODY_KEY_KIND: 'raw-aes',
  CUSTODY_KEYS: `${aes('new')}${aes('old')}`,
  CUSTODY_FUNCTION_SECRETS: 'f'.repeat(32),
  CUSTODY_MEDIA_SECRET: Buffer.alloc(32, 1).toString('base64'),
};

/** The lines of the complaint, or none. */
function faults(changes: Record<string, string | undefined>): string[] {
  try {
    loadConfig({ ...complete, ...changes });
    return [];
  } catch (error) {
    expect(error).toMatchObject({ code: 'config_invalid' });
    return (error as Error).message.split('\n');
  }
}

test('what is set and what is assumed', () => {
  const config = loadConfig(complete);
  expect(config).toMatchObject({
    publicUrl: 'https://custody.example.com',
    host: '127.0.0.1',
    port: 4100,
    ops: { host: '127.0.0.1', port: 4190 },
    roles: ['http', 'worker', 'recorder'],
    store: { bucket: 'recordings', region: 'eu-central-1', mode: 'envelope', pathStyle: false },
    keyConfig: { kind: 'raw-aes', keys: [{ keyId: 'new' }, { keyId: 'old' }] },
    mediaTtlSeconds: 600,
    flexOrigins: ['https://flex.twilio.com'],
    agentsMayPlayOwn: false,
    mediaChannels: ['customer', 'others'],
    segmentLinkDays: 0,
    pause: { enabled: false, behavior: 'silence', resumeAfterSeconds: 600 },
    database: { directory: '.data/host' },
    leaseMs: 15_000,
    copiesAtOnce: 2,
    logLevel: 'info',
  });
  expect(config.mediaSecret).toHaveLength(32);
});

test.each([
  ['True', true],
  ['true', true],
  ['False', false],
  ['false', false],
])("pausing is switched by Verint's name and by its %s", (text, enabled) => {
  const config = loadConfig({
    ...complete,
    TwilioEnablePauseResume: text,
    CUSTODY_PAUSE_BEHAVIOR: 'skip',
    CUSTODY_PAUSE_RESUME_SECONDS: '0',
  });
  expect(config.pause).toEqual({ enabled, behavior: 'skip', resumeAfterSeconds: 0 });
});

test('pausing is not guessed at', () => {
  expect(
    faults({
      TwilioEnablePauseResume: 'yes',
      CUSTODY_PAUSE_BEHAVIOR: 'beep',
      CUSTODY_PAUSE_RESUME_SECONDS: '14401',
    }),
  ).toEqual([
    'TwilioEnablePauseResume must be true or false',
    'CUSTODY_PAUSE_BEHAVIOR must be silence or skip',
    'CUSTODY_PAUSE_RESUME_SECONDS must be a whole number from 0 to 14400',
  ]);
});

test('the API key is preferred to the auth token', () => {
  const key = { TWILIO_API_KEY: `SK${'0c'.repeat(16)}`, TWILIO_API_SECRET: 's'.repeat(32) };
  expect(twilioCredentials(loadConfig({ ...complete, ...key })).username).toBe(key.TWILIO_API_KEY);
  expect(twilioCredentials(loadConfig({ ...complete, ...key, TWILIO_AUTH_TOKEN: undefined })).password).toBe(
    key.TWILIO_API_SECRET,
  );
  expect(twilioCredentials(loadConfig(complete)).username).toBe(complete.TWILIO_ACCOUNT_SID);
});

test.each([
  'http://127.0.0.1:4100',
  'http://localhost:4100',
  'http://[::1]:4100',
  'https://custody.example.com:8443',
])('the public URL may be %s', (url) =>
  expect(loadConfig({ ...complete, CUSTODY_PUBLIC_URL: `${url}/` }).publicUrl).toBe(url),
);

test('an endpoint means path style, unless said otherwise', () => {
  const endpoint = { AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:9000' };
  expect(loadConfig({ ...complete, ...endpoint }).store).toMatchObject({
    endpoint: 'http://127.0.0.1:9000',
    pathStyle: true,
  });
  expect(loadConfig({ ...complete, ...endpoint, CUSTODY_S3_PATH_STYLE: 'false' }).store.pathStyle).toBe(
    false,
  );
});

test.each([
  ['s3://inventories', ''],
  ['s3://inventories/', ''],
  ['s3://inventories/of/calls', 'of/calls/'],
  ['s3://inventories/of/calls/', 'of/calls/'],
])('the inventory is at %s, below "%s"', (text, prefix) =>
  expect(loadConfig({ ...complete, CUSTODY_INVENTORY: text }).inventory).toEqual({
    bucket: 'inventories',
    prefix,
  }),
);

test('an empty variable is an unset one, but for the channels', () => {
  expect(loadConfig({ ...complete, PORT: ' ', TWILIO_REALM: '' }).port).toBe(4100);
  expect(loadConfig({ ...complete, CUSTODY_MEDIA_CHANNELS: '' }).mediaChannels).toEqual([]);
  expect(faults({ CUSTODY_BUCKET: '' })).toEqual([
    `CUSTODY_BUCKET is missing: ${howToGet['CUSTODY_BUCKET']}`,
  ]);
});

test.each([
  'TWILIO_ACCOUNT_SID',
  'TWILIO_AUTH_TOKEN',
  'TWILIO_WORKSPACE_SID',
  'CUSTODY_PUBLIC_URL',
  'AWS_REGION',
  'CUSTODY_BUCKET',
  'CUSTODY_KEY_KIND',
  'CUSTODY_FUNCTION_SECRETS',
  'CUSTODY_MEDIA_SECRET',
])('%s missing has one line of its own', (name) => {
  const lines = faults({ [name]: undefined });
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(new RegExp(`^${name} is missing: .{10}`));
});

test.each([
  ['TWILIO_ACCOUNT_SID', 'AC12', 'AC and 32'],
  ['TWILIO_AUTH_TOKEN', 'short', '32 lower-case'],
  ['TWILIO_WORKSPACE_SID', complete.TWILIO_ACCOUNT_SID, 'WS and 32'],
  ['TWILIO_REALM', 'a b', 'realm'],
  ['CUSTODY_PUBLIC_URL', 'custody.example.com', 'https:// origin'],
  ['CUSTODY_PUBLIC_URL', 'https://u:p@custody.example.com', 'https:// origin'],
  ['CUSTODY_PUBLIC_URL', 'https://custody.example.com/?a=1', 'https:// origin'],
  ['CUSTODY_PUBLIC_URL', 'https://custody.example.com/base', 'without a path'],
  ['CUSTODY_PUBLIC_URL', 'http://custody.example.com', 'loopback alone'],
  ['CUSTODY_PUBLIC_URL', 'http://127.0.0.1.example.com', 'loopback alone'],
  ['HOST', 'a b', 'host name'],
  ['PORT', '70000', '0 to 65535'],
  ['PORT', '4100x', 'whole number'],
  ['CUSTODY_OPS_HOST', 'a/b', 'host name'],
  ['CUSTODY_OPS_PORT', '-1', 'whole number'],
  ['CUSTODY_ROLES', 'http,cook', 'http, worker'],
  ['AWS_REGION', 'Frankfurt am Main', 'region'],
  ['AWS_ENDPOINT_URL_S3', 's3', 'URL'],
  ['AWS_ENDPOINT_URL_KINESIS', 'http://kinesis.example.com', 'https://'],
  ['CUSTODY_STREAM_START', 'oldest', 'trim_horizon or latest'],
  ['CUSTODY_STREAM_SILENT_MINUTES', '1441', 'from 0 to 1440'],
  ['CUSTODY_BUCKET', 'a/b', 'bucket'],
  ['CUSTODY_S3_PATH_STYLE', 'yes', 'true or false'],
  ['CUSTODY_STORAGE_MODE', 'plain', 'envelope or sse-kms'],
  ['CUSTODY_SSE_KMS_KEY_ID', 'a key', 'ids or ARNs'],
  ['CUSTODY_STORAGE_CLASS', 'GLACIER', 'read at once'],
  ['CUSTODY_STORAGE_CLASS', 'standard', 'STANDARD, STANDARD_IA'],
  ['CUSTODY_KEY_KIND', 'dsa', 'rsa, raw-aes or kms'],
  ['CUSTODY_FUNCTION_SECRETS', 'short', '32 characters'],
  ['CUSTODY_FUNCTION_SECRETS', ['a', 'b', 'c'].map((c) => c.repeat(32)).join(), 'two while rotating'],
  ['CUSTODY_MEDIA_SECRET', 'c2hvcnQ=', '32 bytes'],
  ['CUSTODY_MEDIA_TTL_SECONDS', '901', '5 to 900'],
  ['CUSTODY_FLEX_ORIGINS', 'https://flex.twilio.com/', 'origins'],
  ['CUSTODY_FLEX_ORIGINS', '*', 'origins'],
  ['CUSTODY_AGENTS_MAY_PLAY_OWN', '1', 'true or false'],
  ['CUSTODY_SEGMENT_LINK_DAYS', '31', '0 to 30'],
  ['DATABASE_URL', 'mysql://x/y', 'postgres://'],
  ['CUSTODY_LEASE_MS', '11999', '12000 to 60000'],
  ['CUSTODY_COPIES_AT_ONCE', '0', '1 to 64'],
  ['CUSTODY_INVENTORY', 'inventories/daily', 's3://bucket/prefix'],
  ['CUSTODY_INVENTORY', 's3://a', 's3://bucket/prefix'],
  ['CUSTODY_ALARM_WEBHOOK_SECRET', 'short', '32 characters'],
  ['CUSTODY_ALARM_WEBHOOK_PRIVATE', 'yes', 'true or false'],
  ['CUSTODY_ALARM_WEBHOOK_NEWS', 'recording.proven,all', 'must be of recording.proven'],
  ['CUSTODY_LOG_LEVEL', 'loud', 'debug'],
])('%s=%s is malformed, and the line says how it must be', (name, value, must) => {
  const lines = faults({ [name]: value });
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain(`${name} must be`);
  expect(lines[0]).toContain(must);
});

test('all faults at once, and no value among them', () => {
  const secret = 'hush-hush-hush';
  const lines = faults({
    TWILIO_AUTH_TOKEN: secret,
    CUSTODY_MEDIA_SECRET: secret,
    CUSTODY_BUCKET: undefined,
  });
  expect(lines.map((line) => line.split(' ')[0]).sort()).toEqual([
    'CUSTODY_BUCKET',
    'CUSTODY_MEDIA_SECRET',
    'TWILIO_AUTH_TOKEN',
  ]);
  expect(lines.join()).not.toContain(secret);
});

test.each([
  [{ TWILIO_API_KEY: `SK${'0c'.repeat(16)}` }, 'TWILIO_API_SECRET is missing'],
  [{ TWILIO_API_SECRET: 's'.repeat(32) }, 'TWILIO_API_KEY is missing'],
  [{ AWS_ACCESS_KEY_ID: 'AKIA' }, 'AWS_SECRET_ACCESS_KEY is missing'],
  [{ AWS_SECRET_ACCESS_KEY: 'secret' }, 'AWS_ACCESS_KEY_ID is missing'],
  [
    { CUSTODY_SIGNING_KEY_FILE: 'a.pem', CUSTODY_SIGNING_KEYS: 'text' },
    'CUSTODY_SIGNING_KEYS must not be set',
  ],
  [{ CUSTODY_KEYS: undefined }, 'CUSTODY_KEY_FILE is missing'],
  [{ CUSTODY_KEY_FILE: '/nowhere' }, 'CUSTODY_KEYS must not be set'],
  [
    { CUSTODY_KEYS: undefined, CUSTODY_KEY_FILE: '/nowhere' },
    'CUSTODY_KEY_FILE gives no usable keys: the file cannot be read (ENOENT)',
  ],
  [{ CUSTODY_KEYS: pem }, 'CUSTODY_KEYS gives no usable keys: they are of kind rsa'],
  [{ CUSTODY_KEYS: publicPem }, 'CUSTODY_KEYS gives no usable keys: a public key can only encrypt'],
  [{ CUSTODY_KEYS: 'rubbish' }, 'CUSTODY_KEYS gives no usable keys: line 1'],
  [{ CUSTODY_KEY_KIND: 'kms' }, 'CUSTODY_KMS_KEY_IDS is missing'],
  [{ CUSTODY_KEY_KIND: 'kms', CUSTODY_KMS_KEY_IDS: 'alias/x' }, 'CUSTODY_KMS_KEY_IDS must be ARNs'],
  [{ CUSTODY_ROLES: 'http' }, 'DATABASE_URL is missing'],
  [{ CUSTODY_ROLES: 'worker,recorder' }, 'DATABASE_URL is missing'],
])('together: %j', (changes, line) => {
  const lines = faults(changes as Record<string, string | undefined>);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain(line);
});

test('the embedded database does without the role recorder, as before there was one', () => {
  expect(loadConfig({ ...complete, CUSTODY_ROLES: 'http,worker' }).roles).toEqual(['http', 'worker']);
});

const webhook = {
  CUSTODY_ALARM_WEBHOOK: 'https://hooks.example.com/alarms?token=1',
  CUSTODY_ALARM_WEBHOOK_SECRET: `${'n'.repeat(32)}, ${'o'.repeat(32)}`,
};

test('where alarms are sent, and by which secrets they are signed', () => {
  expect(loadConfig(complete).alarmWebhook).toBeUndefined();
  expect(loadConfig({ ...complete, ...webhook }).alarmWebhook).toEqual({
    url: webhook.CUSTODY_ALARM_WEBHOOK,
    secrets: ['n'.repeat(32), 'o'.repeat(32)],
    allowPrivate: false,
    news: [],
  });
  expect(faults({ ...webhook, CUSTODY_ALARM_WEBHOOK_SECRET: undefined })).toEqual([
    'CUSTODY_ALARM_WEBHOOK_SECRET is missing: `openssl rand -hex 32` makes it; give the receiver of alarms the same',
  ]);
});

test.each([
  'hooks.example.com',
  'ftp://hooks.example.com/',
  'https://me:pass@hooks.example.com/',
  'https://x/#y',
])('%s is no URL for alarms', (url) =>
  expect(faults({ ...webhook, CUSTODY_ALARM_WEBHOOK: url })).toEqual([
    'CUSTODY_ALARM_WEBHOOK must be an https:// URL without credentials and fragment',
  ]),
);

test.each([
  'http://hooks.example.com/',
  'https://localhost/',
  'https://10.0.0.1/',
  'https://0x7f000001/',
  'https://[::1]:8443/',
  'https://[::ffff:192.168.0.1]/',
])('alarms are sent to %s where private networks are allowed alone', (url) => {
  const settings = { ...complete, ...webhook, CUSTODY_ALARM_WEBHOOK: url };
  expect(faults(settings)).toEqual([
    'CUSTODY_ALARM_WEBHOOK must be an https:// URL on the public Internet; CUSTODY_ALARM_WEBHOOK_PRIVATE=true allows others',
  ]);
  const allowed = loadConfig({ ...settings, CUSTODY_ALARM_WEBHOOK_PRIVATE: 'true' });
  expect(allowed.alarmWebhook).toMatchObject({ url, allowPrivate: true });
});

test('keys: several PEMs with their names, a file, KMS, or none where S3 seals', () => {
  const named = `# key id: 2026-02\n${pem}# key id: 2026-01\n${pem}`;
  const rsa = loadConfig({ ...complete, CUSTODY_KEY_KIND: 'rsa', CUSTODY_KEYS: named }).keyConfig;
  expect(rsa).toMatchObject({ kind: 'rsa', keys: [{ keyId: '2026-02' }, { keyId: '2026-01' }] });

  const folder = mkdtempSync(join(tmpdir(), 'keys-'));
  writeFileSync(join(folder, 'keys'), aes('k'), { mode: 0o600 });
  const file = { ...complete, CUSTODY_KEYS: undefined, CUSTODY_KEY_FILE: join(folder, 'keys') };
  expect(loadConfig(file).keyConfig).toMatchObject({ keys: [{ keyId: 'k' }] });
  expect(
    loadKeyConfig({ CUSTODY_KEY_KIND: 'raw-aes', CUSTODY_KEY_FILE: file.CUSTODY_KEY_FILE }),
  ).toMatchObject({
    keys: [{ keyId: 'k' }],
  });
  rmSync(folder, { recursive: true });

  const arn = (id: string) => `arn:aws:kms:eu-central-1:111122223333:key/${id}`;
  const kms = {
    CUSTODY_KEY_KIND: 'kms',
    CUSTODY_KMS_KEY_IDS: `${arn('a')}, ${arn('b')}`,
    CUSTODY_KEYS: undefined,
  };
  expect(loadConfig({ ...complete, ...kms }).keyConfig).toEqual({
    kind: 'kms',
    keyIds: [arn('a'), arn('b')],
  });
  const none = { CUSTODY_STORAGE_MODE: 'sse-kms', CUSTODY_KEY_KIND: undefined, CUSTODY_KEYS: undefined };
  expect(loadConfig({ ...complete, ...none }).keyConfig).toBeUndefined();
});

test('in mode sse-kms the first key seals, and the others are known', () => {
  const sealing = { CUSTODY_STORAGE_MODE: 'sse-kms', CUSTODY_KEY_KIND: undefined, CUSTODY_KEYS: undefined };
  expect(loadConfig({ ...complete, ...sealing }).store).not.toHaveProperty('kmsKeyId');
  const { store } = loadConfig({ ...complete, ...sealing, CUSTODY_SSE_KMS_KEY_ID: 'new, old' });
  expect(store).toMatchObject({ kmsKeyId: 'new', olderKmsKeyIds: ['old'] });
});

test('recordings have the storage class that is set, and the default of the store otherwise', () => {
  expect(loadConfig(complete).store).not.toHaveProperty('storageClass');
  const { store } = loadConfig({ ...complete, CUSTODY_STORAGE_CLASS: 'GLACIER_IR' });
  expect(store).toMatchObject({ storageClass: 'GLACIER_IR' });
});

test('a connector to Brevo is set up where its file is named', () => {
  const [file, apiKey] = ['/etc/custody/brevo.yaml', 'xkeysib-0123456789abcdef'];
  expect(loadConfig({ ...complete, CUSTODY_BREVO_API_KEY: apiKey }).brevo).toBeUndefined();
  const named = { ...complete, CUSTODY_BREVO_FILE: file };
  expect(loadConfig(named).brevo).toEqual({ file });
  expect(loadConfig({ ...named, CUSTODY_BREVO_API_KEY: apiKey }).brevo).toEqual({ file, apiKey });
  expect(faults({ CUSTODY_BREVO_API_KEY: 'short' })).toEqual([
    'CUSTODY_BREVO_API_KEY must be 16 to 256 characters without spaces',
  ]);
});

test('where the signing keys are, and whether somebody said so', () => {
  const certificateKeyFile = '.data/certificate-key.pem';
  const [file, named] = ['.data/signing-key.pem', '/etc/custody/signing.pem'];
  expect(loadConfig(complete).signing).toEqual({ file, configured: false, certificateKeyFile });
  const other = { ...complete, CUSTODY_SIGNING_KEY_FILE: named };
  expect(loadConfig(other).signing).toEqual({ file: named, configured: true, certificateKeyFile });
  const text = loadConfig({ ...complete, CUSTODY_SIGNING_KEYS: 'text' }).signing;
  expect(text).toEqual({ file, configured: false, keys: 'text', certificateKeyFile });
});

test('of a part only what the named settings are made of must be there', () => {
  const part = (names: (keyof Config)[], environment: Record<string, string>) => () =>
    loadPartOfConfig(names, environment);
  expect(
    part(['accountSid', 'signing'], { TWILIO_ACCOUNT_SID: complete.TWILIO_ACCOUNT_SID, PORT: 'x' })(),
  ).toEqual({
    accountSid: complete.TWILIO_ACCOUNT_SID,
    signing: loadConfig(complete).signing,
  });
  expect(part(['authToken', 'apiKey'], {})).toThrow(/^TWILIO_AUTH_TOKEN is missing: [^\n]*$/);
  expect(part(['keyConfig'], { ...complete, CUSTODY_KEYS: 'no keys' })).toThrow(
    /^CUSTODY_KEYS gives no usable keys/,
  );
  expect(part(['accountSid'], { ...complete, CUSTODY_KEYS: 'no keys' })).not.toThrow();
});

test('what has no default is said to be missing with how to get it', () => {
  const lines = () => loadConfig({});
  expect(lines).toThrow(/^TWILIO_ACCOUNT_SID is missing: /);
  expect(lines).not.toThrow(/is missing: set it$/m);
});

test('the whole environment is asked for every variable', () => {
  // A text without limits takes any value.
  const free = /_FILE$|^CUSTODY_KEYS$|^CUSTODY_SIGNING_KEYS$|^CUSTODY_DATA_DIR$|_CHANNELS$/;
  for (const name of Object.keys(variables.shape).filter((one) => !free.test(one)))
    expect(faults({ [name]: 'a b' }).join('\n')).toContain(name);
});

test('the keys alone: their faults and no others', () => {
  expect(() => loadKeyConfig({})).toThrow('CUSTODY_KEY_KIND is missing');
  expect(() => loadKeyConfig({ CUSTODY_KEY_KIND: 'rsa' })).toThrow('CUSTODY_KEY_FILE is missing');
});

describe('what is written about it', () => {
  const names = Object.keys(variables.shape);
  const page = readFileSync('docs/configuration.md', 'utf8');
  const rowsOf = (part: string | undefined) =>
    new Map(
      [...(part ?? '').matchAll(/^\| `([A-Za-z_0-9]+)` \| (.*?) \| (.*) \|$/gm)].map(
        ([, name, assumed, about]) => [name, { assumed, about }],
      ),
    );
  const [host, functions] = page.split('## The Functions').map(rowsOf);
  const assumedOf = (name: string): string => {
    const empty = (
      variables.shape as Record<string, { safeParse(value: unknown): { data?: unknown; success: boolean } }>
    )[name]?.safeParse(undefined);
    if (!empty?.success) return 'required';
    return empty.data === undefined ? '' : `\`${[empty.data].flat().join(',')}\``;
  };

  test.each(names)('docs/configuration.md has %s with its default and meaning', (name) => {
    const about = (variables.shape as Record<string, { description?: string }>)[name]?.description;
    expect(host?.get(name)).toEqual({ assumed: assumedOf(name), about });
  });

  test("the Functions' variables are all there", () => {
    const source = readFileSync('functions/lib/config.ts', 'utf8');
    const read = new Set([...source.matchAll(/text\('([A-Za-z_]+)'\)/g)].map(([, name]) => name));
    read.delete('ACCOUNT_SID');
    read.delete('AUTH_TOKEN');
    read.delete('DOMAIN_NAME');
    expect([...read].filter((name) => !functions?.has(name))).toEqual([]);
    expect(read.size).toBeGreaterThan(8);
  });

  test('.env.example has each variable once, and would be complete with its blanks filled', () => {
    const lines = readFileSync('.env.example', 'utf8').matchAll(/^(#?)([A-Za-z_0-9]+)=(.*)$/gm);
    const found = [...lines].map(([, comment, name, value]) => ({ comment, name, value }));
    expect(found.map(({ name }) => name).sort()).toEqual([...names].sort());
    const set = Object.fromEntries(
      found.filter(({ comment }) => !comment).map(({ name, value }) => [name, value]),
    );
    expect(Object.keys(set).sort()).toEqual(
      [
        'TWILIO_AUTH_TOKEN',
        'CUSTODY_KEY_KIND',
        'CUSTODY_KEY_FILE',
        ...names.filter((name) => assumedOf(name) === 'required'),
      ].sort(),
    );
  });
});

describe('a file that others may read', () => {
  let folder: string;
  const at = (name: string) => join(folder, name);
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'open-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  test.each(['CUSTODY_KEY_FILE', 'CUSTODY_TWILIO_KEY_FILE'])(
    'is refused as %s, with the next step',
    (name) => {
      const file = at(name);
      writeFileSync(file, name === 'CUSTODY_KEY_FILE' ? aes('k') : `# key id: CR${'1'.repeat(32)}\n${pem}`, {
        mode: 0o644,
      });
      const lines = faults({ CUSTODY_KEYS: undefined, CUSTODY_KEY_FILE: at('other'), [name]: file });
      expect(lines).toContain(
        `${name} names ${file}, which may be read by others (mode 0644): chmod 600 ${file}`,
      );
    },
  );
});

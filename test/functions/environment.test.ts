import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NewObjectSettings } from '@flex-custody/vault';
import { readConfig } from '../../functions/lib/config.ts';
import {
  readCallConfig,
  readPauseConfig,
  readStartConfig,
  readStreamConfig,
  readVendorConfig,
} from '../../functions/lib/flex-config.ts';
import { makeSecrets } from '../../sandbox/src/stack/secrets.ts';
import { loadPartOfConfig } from '../../server/src/config.ts';

/** https://www.twilio.com/docs/errors/82006 and the API's own limit on a variable. */
const valueBytes = 450;
const contextBytes = 3 * 1024;

const page = readFileSync('docs/deploy.md', 'utf8');

/** The two examples of docs/deploy.md with their blanks filled, as the deploy command would read them. */
function example(): Record<string, string> {
  const block = ['AWSaccessKeyId', 'CUSTODY_STREAM_URLS']
    .map((first) => new RegExp(`\`\`\`ini\\n(${first}=[\\s\\S]*?)\`\`\``).exec(page)?.[1] ?? '')
    .join('')
    .replaceAll('<host>', 'custody.example.com')
    .replaceAll(/<(?:streaming|token) address>/g, 'veridas.example.com/v1')
    .replaceAll('<region>', 'eu-central-1')
    .replaceAll(/<[a-z -]+>/g, 'a-name-or-a-secret');
  const folder = mkdtempSync(join(tmpdir(), 'environment-'));
  const { publicKey, functionSecret } = makeSecrets(folder);
  rmSync(folder, { recursive: true });
  const pairs = block
    .trim()
    .split('\n')
    .map((line) => line.split(/=(.*)/s).slice(0, 2) as [string, string]);
  return {
    ...Object.fromEntries(pairs),
    TWILIO_WORKSPACE_SID: `WS${'c'.repeat(32)}`,
    CUSTODY_HOST_SECRET: functionSecret,
    CUSTODY_PUBLIC_KEY: publicKey,
  };
}

const twilios = { ACCOUNT_SID: `AC${'a'.repeat(32)}`, AUTH_TOKEN: 'b'.repeat(32) };

/** Everything that may be set at once, at its longest. */
const most = () => ({
  ...example(),
  ...twilios,
  AWS_ENDPOINT_URL_S3: `https://${'s3.'.repeat(20)}example.com`,
  CUSTODY_HOST_URL: `https://${'custody.'.repeat(20)}example.com`,
  CUSTODY_HOST_SECRET: 'x'.repeat(128),
  CUSTODY_STORAGE_MODE: 'envelope',
  CUSTODY_SSE_KMS_KEY_ID: `arn:aws:kms:ap-southeast-2:111122223333:key/${'0'.repeat(36)}`,
  CUSTODY_STORAGE_CLASS: 'INTELLIGENT_TIERING',
  CUSTODY_KMS_KEY_ID: `arn:aws:kms:ap-southeast-2:111122223333:key/${'0'.repeat(36)}`,
  CUSTODY_FORWARD_TO_FLEX: 'true',
  CUSTODY_FUNCTIONS_URL: `https://${'functions.'.repeat(10)}example.com`,
  CUSTODY_FLEX_ORIGINS: 'https://flex.twilio.com,https://contact-centre.customer.example.com',
  CUSTODY_STREAM_URLS: `wss://${'streaming.'.repeat(10)}example.com/twilio/v1`,
  getTemporaryTokenCloudUrl: `https://${'identity.'.repeat(10)}example.com/oauth/token`,
  client_id: 'x'.repeat(64),
  client_secret: 'x'.repeat(128),
  TWILIO_REALM: 'stage-us1',
});

test('the example of the docs is a whole configuration', () => {
  const context = { ...example(), ...twilios, DOMAIN_NAME: 'flex-custody-1234-dev.twil.io' };
  const config = readConfig(context);
  expect(config).toMatchObject({ host: { url: 'https://custody.example.com' }, key: { kind: 'rsa-public' } });
  expect(config.forwardTo).toBeUndefined();
  for (const read of [readCallConfig, readPauseConfig, readStartConfig, readStreamConfig, readVendorConfig])
    expect(read(context)).toMatchObject({ origins: ['https://flex.twilio.com'] });
});

/** The variable of each setting that decides what a new object gets, and a value that is not its default. */
const ofNewObjects: Record<keyof NewObjectSettings, [variable: string, value: string]> = {
  mode: ['CUSTODY_STORAGE_MODE', 'sse-kms'],
  kmsKeyId: ['CUSTODY_SSE_KMS_KEY_ID', 'ours'],
  storageClass: ['CUSTODY_STORAGE_CLASS', 'GLACIER_IR'],
};

test.each(Object.entries(ofNewObjects))(
  'what is set of new objects holds for those of the Functions and of the host: %s',
  (setting, [variable, value]) => {
    const set = { ...example(), ...twilios, DOMAIN_NAME: 'flex-custody-1234-dev.twil.io', [variable]: value };
    expect(readConfig(set).store).toHaveProperty(setting, value);
    const host = { AWS_REGION: 'eu-central-1', CUSTODY_BUCKET: 'recordings', [variable]: value };
    expect(loadPartOfConfig(['store'], host).store).toHaveProperty(setting, value);
  },
);

test.each(Object.entries(most()))('%s fits into a variable of Twilio', (_, value) => {
  expect(Buffer.byteLength(value)).toBeLessThanOrEqual(valueBytes);
});

test('and all of them fit into the context', () => {
  expect(Buffer.byteLength(JSON.stringify(most()))).toBeLessThanOrEqual(contextBytes);
});

// What does not fit is why the Functions hold no private key: the reason must stay true.
test('an RSA-2048 public key fits, its private half would not', () => {
  expect(Buffer.byteLength(example()['CUSTODY_PUBLIC_KEY'] ?? '')).toBe(392);
  const folder = mkdtempSync(join(tmpdir(), 'environment-'));
  const pem = readFileSync(makeSecrets(folder).keyFile);
  rmSync(folder, { recursive: true });
  expect(pem.length).toBeGreaterThan(valueBytes);
});

test('every variable that the Functions read is in the table of docs/configuration.md', () => {
  const files = readdirSync('functions/lib').filter((name) => /^[\w-]+\.ts$/.test(name));
  const source = files.map((name) => readFileSync(`functions/lib/${name}`, 'utf8')).join('\n');
  const table = readFileSync('docs/configuration.md', 'utf8').split('## The Functions')[1] ?? '';
  const platforms = ['ACCOUNT_SID', 'AUTH_TOKEN', 'DOMAIN_NAME'];
  const read = [...source.matchAll(/text\('([A-Za-z_0-9]+)'\)/g)].map((match) => match[1] ?? '');
  expect(read).toEqual(
    expect.arrayContaining([...platforms, 'AWSbucket', 'CUSTODY_STREAM_URLS', 'client_secret']),
  );
  expect(read.length).toBeGreaterThan(10);
  for (const name of new Set(read)) expect([name, table.includes(`\`${name}\``)]).toEqual([name, true]);
});

import { CustodyError } from '@flex-custody/core';
import { readConfig } from './config.ts';

const good = {
  ACCOUNT_SID: `AC${'a'.repeat(32)}`,
  AUTH_TOKEN: 'b'.repeat(32),
  AWSaccessKeyId: 'AKIAEXAMPLE',
  AWSsecretAccessKey: 'secret',
  AWSbucket: 'calls',
  AWS_REGION: 'eu-central-1',
  TWILIO_WORKSPACE_SID: `WS${'c'.repeat(32)}`,
  CUSTODY_HOST_URL: 'https://custody.example.com/',
  CUSTODY_HOST_SECRET: 's'.repeat(43),
  CUSTODY_PUBLIC_KEY: 'TUlJQg==',
  CUSTODY_KEY_ID: '2026-11',
  CUSTODY_FUNCTIONS_URL: 'https://calls.example.com/',
};

const fault = (context: Record<string, unknown>): string => {
  try {
    readConfig(context);
  } catch (error) {
    expect(error).toBeInstanceOf(CustodyError);
    expect(error).toMatchObject({ code: 'config_invalid', status: 500 });
    return (error as Error).message;
  }
  return 'none';
};

test('what the guides name and what is ours becomes one configuration', () => {
  expect(readConfig(good)).toEqual({
    accountSid: good.ACCOUNT_SID,
    authToken: good.AUTH_TOKEN,
    media: { username: good.ACCOUNT_SID, password: good.AUTH_TOKEN },
    host: { url: 'https://custody.example.com', secret: good.CUSTODY_HOST_SECRET },
    store: {
      bucket: 'calls',
      region: 'eu-central-1',
      accessKeyId: 'AKIAEXAMPLE',
      secretAccessKey: 'secret',
      mode: 'envelope',
    },
    key: { kind: 'rsa-public', keyId: '2026-11', spki: 'TUlJQg==' },
    addresses: ['https://calls.example.com'],
    forwardTo: undefined,
  });
});

test('Twilio may call under the address that is set, and under the platform’s own', () => {
  const DOMAIN_NAME = 'flex-custody-1234-dev.twil.io';
  const addresses = (more: object) => readConfig({ ...good, ...more }).addresses;
  expect(addresses({ DOMAIN_NAME })).toEqual(['https://calls.example.com', `https://${DOMAIN_NAME}`]);
  expect(addresses({ DOMAIN_NAME, CUSTODY_FUNCTIONS_URL: undefined })).toEqual([`https://${DOMAIN_NAME}`]);
  expect(fault({ ...good, CUSTODY_FUNCTIONS_URL: 'http://calls.example.com' })).toContain(
    'CUSTODY_FUNCTIONS_URL',
  );
});

test.each([
  'ACCOUNT_SID',
  'AUTH_TOKEN',
  'AWSaccessKeyId',
  'AWSsecretAccessKey',
  'AWSbucket',
  'AWS_REGION',
  'CUSTODY_HOST_URL',
  'CUSTODY_HOST_SECRET',
  'CUSTODY_PUBLIC_KEY',
  'CUSTODY_KEY_ID',
  'CUSTODY_FUNCTIONS_URL',
])('without %s the message names it', (name) => {
  for (const value of [undefined, '', '  ']) expect(fault({ ...good, [name]: value })).toContain(name);
});

test('every fault is named at once, and no value', () => {
  const message = fault({
    ...good,
    AWSbucket: '',
    CUSTODY_HOST_SECRET: 'too-short',
    CUSTODY_HOST_URL: 'ftp://x',
  });
  for (const name of ['AWSbucket', 'CUSTODY_HOST_SECRET', 'CUSTODY_HOST_URL'])
    expect(message).toContain(name);
  for (const value of ['too-short', 'ftp://x', good.AWSsecretAccessKey]) expect(message).not.toContain(value);
});

test.each([
  ['http://custody.example.com', false],
  ['http://127.0.0.1:4100', true],
  ['http://localhost:4100', true],
  ['https://custody.example.com:8443', true],
  ['https://custody.example.com:8443/base', false],
  ['https://custody.example.com/?a=1', false],
  ['https://u:p@custody.example.com', false],
  ['custody.example.com', false],
])('the host by %s: %s', (url, taken) => {
  expect(fault({ ...good, CUSTODY_HOST_URL: url })).toEqual(
    taken ? 'none' : expect.stringContaining('CUSTODY_HOST_URL'),
  );
});

test('another S3 is addressed by path', () => {
  const { store } = readConfig({ ...good, AWS_ENDPOINT_URL_S3: 'https://s3.example.com' });
  expect(store).toMatchObject({ endpoint: 'https://s3.example.com', pathStyle: true });
});

test('recordings have the storage class that is set; an archive is a fault that names the others', () => {
  expect(readConfig(good).store).not.toHaveProperty('storageClass');
  expect(readConfig({ ...good, CUSTODY_STORAGE_CLASS: 'STANDARD_IA' }).store).toMatchObject({
    storageClass: 'STANDARD_IA',
  });
  expect(fault({ ...good, CUSTODY_STORAGE_CLASS: 'DEEP_ARCHIVE' })).toMatch(
    /CUSTODY_STORAGE_CLASS \(one of STANDARD, .*GLACIER_IR\)/,
  );
});

describe('who seals', () => {
  test('a KMS key goes before the public one, and may only generate', () => {
    const arn = 'arn:aws:kms:eu-central-1:111122223333:key/x';
    expect(readConfig({ ...good, CUSTODY_KMS_KEY_ID: arn }).key).toEqual({
      kind: 'kms',
      keyIds: [arn],
      generateOnly: true,
      credentials: { accessKeyId: good.AWSaccessKeyId, secretAccessKey: good.AWSsecretAccessKey },
    });
  });

  test('in sse-kms mode it is S3, without any key of ours', () => {
    const config = readConfig({
      ...good,
      CUSTODY_PUBLIC_KEY: '',
      CUSTODY_STORAGE_MODE: 'sse-kms',
      CUSTODY_SSE_KMS_KEY_ID: 'alias/calls',
    });
    expect(config.key).toBeUndefined();
    expect(config.store).toMatchObject({ mode: 'sse-kms', kmsKeyId: 'alias/calls' });
  });

  test('an unknown mode is a fault, not the default', () => {
    expect(fault({ ...good, CUSTODY_STORAGE_MODE: 'sse' })).toContain('CUSTODY_STORAGE_MODE');
  });
});

test('forwarding needs the workspace, and only then', () => {
  expect(readConfig({ ...good, TWILIO_WORKSPACE_SID: undefined }).forwardTo).toBeUndefined();
  expect(fault({ ...good, CUSTODY_FORWARD_TO_FLEX: 'true', TWILIO_WORKSPACE_SID: 'x' })).toContain(
    'TWILIO_WORKSPACE_SID',
  );
  expect(readConfig({ ...good, CUSTODY_FORWARD_TO_FLEX: 'true' }).forwardTo).toBe(good.TWILIO_WORKSPACE_SID);
});

test.each(['TRUE', '1', 'yes'])('forwarding is true or false, and %s is a fault by name', (value) => {
  expect(fault({ ...good, CUSTODY_FORWARD_TO_FLEX: value })).toContain('CUSTODY_FORWARD_TO_FLEX');
  expect(readConfig({ ...good, CUSTODY_FORWARD_TO_FLEX: 'false' }).forwardTo).toBeUndefined();
});

import { CustodyError } from '@flex-custody/core';
import {
  readCallConfig,
  readPauseConfig,
  readStartConfig,
  readStreamConfig,
  readVendorConfig,
} from './flex-config.ts';
import type { Context } from './runtime.ts';

const platform = { ACCOUNT_SID: `AC${'a'.repeat(32)}`, AUTH_TOKEN: 'b'.repeat(32) };
const flex = {
  accountSid: platform.ACCOUNT_SID,
  authToken: platform.AUTH_TOKEN,
  origins: ['https://flex.twilio.com'],
};
const workspaceSid = `WS${'c'.repeat(32)}`;
const own = {
  TWILIO_WORKSPACE_SID: workspaceSid,
  CUSTODY_HOST_URL: 'https://custody.example.com',
  CUSTODY_HOST_SECRET: 's'.repeat(43),
  DOMAIN_NAME: 'flex-custody-1234-dev.twil.io',
  CUSTODY_STREAM_URLS: 'wss://a.example/x',
  getTemporaryTokenCloudUrl: 'https://veridas.example/oauth/token',
  client_id: 'me',
  client_secret: 'the-secret',
};

const fault = (read: () => unknown): string => {
  try {
    read();
  } catch (error) {
    expect(error).toBeInstanceOf(CustodyError);
    expect(error).toMatchObject({ code: 'config_invalid', status: 500 });
    return (error as Error).message;
  }
  return 'none';
};

/** What each Function reads, and the variables that it needs for that beside the platform's. */
const readers: [string, (context: Context) => object, (keyof typeof own)[], object][] = [
  ['stop', readCallConfig, ['TWILIO_WORKSPACE_SID'], { workspaceSid }],
  [
    'start',
    readStartConfig,
    ['TWILIO_WORKSPACE_SID', 'DOMAIN_NAME'],
    { workspaceSid, functionsUrl: 'https://flex-custody-1234-dev.twil.io' },
  ],
  [
    'pause',
    readPauseConfig,
    ['TWILIO_WORKSPACE_SID', 'CUSTODY_HOST_URL', 'CUSTODY_HOST_SECRET'],
    { workspaceSid, host: { url: own.CUSTODY_HOST_URL, secret: own.CUSTODY_HOST_SECRET } },
  ],
  [
    'stream',
    readStreamConfig,
    ['TWILIO_WORKSPACE_SID', 'CUSTODY_STREAM_URLS', 'CUSTODY_HOST_URL', 'CUSTODY_HOST_SECRET'],
    {
      workspaceSid,
      host: { url: own.CUSTODY_HOST_URL, secret: own.CUSTODY_HOST_SECRET },
      targets: [own.CUSTODY_STREAM_URLS],
    },
  ],
  [
    'vendor',
    readVendorConfig,
    [
      'TWILIO_WORKSPACE_SID',
      'CUSTODY_HOST_URL',
      'CUSTODY_HOST_SECRET',
      'getTemporaryTokenCloudUrl',
      'client_id',
      'client_secret',
    ],
    {
      workspaceSid,
      host: { url: own.CUSTODY_HOST_URL, secret: own.CUSTODY_HOST_SECRET },
      vendor: { url: own.getTemporaryTokenCloudUrl, clientId: 'me', clientSecret: 'the-secret' },
    },
  ],
];

test.each(readers)('%s reads what it needs, and demands nothing else', (_, read, needs, expected) => {
  const context: Record<string, unknown> = { ...platform };
  for (const name of needs) context[name] = own[name];
  expect(read(context)).toEqual({ ...flex, ...expected });
});

test.each(readers)('%s names everything that is missing at once, and no value', (_, read, needs) => {
  const message = fault(() => read({ client_secret: '', AWSbucket: 'calls' }));
  const names = needs.map((name) => (name === 'DOMAIN_NAME' ? 'CUSTODY_FUNCTIONS_URL' : name));
  for (const name of ['ACCOUNT_SID', 'AUTH_TOKEN', ...names]) expect(message).toContain(name);
  for (const name of ['AWS', 'CUSTODY_PUBLIC_KEY', 'CUSTODY_FLEX_ORIGINS'])
    expect(message).not.toContain(name);
});

test('what is set goes before what the platform says of its address', () => {
  const context = { ...platform, ...own, CUSTODY_FUNCTIONS_URL: 'https://calls.example.com/' };
  expect(readStartConfig(context).functionsUrl).toBe('https://calls.example.com');
  expect(
    fault(() => readStartConfig({ ...context, CUSTODY_FUNCTIONS_URL: 'http://calls.example.com' })),
  ).toContain('CUSTODY_FUNCTIONS_URL');
});

test.each([
  ['https://flex.twilio.com, https://cc.example.com/', ['https://flex.twilio.com', 'https://cc.example.com']],
  ['http://localhost:3000', ['http://localhost:3000']],
  ['*', undefined],
  ['https://a.example,http://b.example', undefined],
  ['https://a.example/flex', undefined],
  [',', undefined],
])('origins %s', (text, expected) => {
  const read = () => readCallConfig({ ...platform, ...own, CUSTODY_FLEX_ORIGINS: text });
  if (expected) expect(read().origins).toEqual(expected);
  else expect(fault(read)).toContain('CUSTODY_FLEX_ORIGINS');
});

test.each([
  ['wss://a.example', true],
  ['wss://a.example/x,wss://b.example:8443/y', true],
  ['ws://127.0.0.1:4000/x', false],
  ['https://a.example/x', false],
  ['wss://a.example/x?y=1', false],
  ['wss://me:secret@a.example/x', false],
  ['wss://a.example/x, b', false],
])('streams may go to %s: %s', (text, taken) => {
  const read = () => readStreamConfig({ ...platform, ...own, CUSTODY_STREAM_URLS: text });
  if (taken) expect(read().targets).toEqual(text.split(','));
  else expect(fault(read)).toContain('CUSTODY_STREAM_URLS');
});

test.each([
  [{ WEBSOCKET_TARGET_URL: 'wss://old.example' }, 'wss://old.example', 'rename it to'],
  [
    { WEBSOCKET_TARGET_URL: 'wss://old.example', CUSTODY_STREAM_URLS: 'wss://new.example' },
    'wss://new.example',
    'no effect',
  ],
])('the old name of the list is read behind the new one, and a line says so: %j', (names, target, said) => {
  const write = jest.spyOn(process.stdout, 'write').mockReturnValue(true);
  const { CUSTODY_STREAM_URLS: _, ...others } = own;
  expect(readStreamConfig({ ...platform, ...others, ...names }).targets).toEqual([target]);
  const lines = write.mock.calls.map(([line]) => String(line));
  write.mockRestore();
  expect(lines).toEqual([expect.stringContaining(said)]);
  expect(lines.join()).not.toContain('example');
});

test("the vendor's secret goes nowhere in the clear", () => {
  const at = (getTemporaryTokenCloudUrl: string) =>
    fault(() => readVendorConfig({ ...platform, ...own, getTemporaryTokenCloudUrl }));
  expect(at('http://veridas.example/token')).toContain('getTemporaryTokenCloudUrl');
  expect(at('https://me:x@veridas.example/token')).toContain('getTemporaryTokenCloudUrl');
  expect(at('http://127.0.0.1:4000/token')).toBe('none');
});

test('a realm of its own', () => {
  expect(readCallConfig({ ...platform, ...own, TWILIO_REALM: 'stage' }).realm).toBe('stage');
});

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { proxyAgent } from '@flex-custody/net';
import { credentials, source } from '../../test/media-server.ts';
import { openMedia } from './open-media.ts';

const twilio = 'https://api.twilio.com/';
const names = ['HTTPS_PROXY', 'https_proxy', 'NO_PROXY', 'no_proxy'];
const before = names.map((name) => [name, process.env[name]] as const);
const asked: string[] = [];
let says = '';
const proxy = createServer().on('connect', (request, socket) => {
  asked.push(request.url ?? '');
  socket.end(`HTTP/1.1 ${says}\r\n\r\n`);
});

beforeAll(() => new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve)));
afterAll(() => {
  for (const [name, value] of before) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
  proxy.close();
});
beforeEach(() => {
  for (const name of names) delete process.env[name];
  asked.length = 0;
});

test.each([
  '502 Bad Gateway',
  // Not Twilio's word about the credentials.
  '403 Forbidden',
  '404 Not Found',
])('media is asked for through the proxy that the environment names, which answers %s', async (said) => {
  says = said;
  process.env['HTTPS_PROXY'] = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  await expect(openMedia(source, credentials, { stallMs: 2_000 })).rejects.toMatchObject({
    code: 'media_unavailable',
    message: `the proxy does not connect to Twilio (${said.slice(0, 3)})`,
    retryable: true,
  });
  expect(asked).toEqual(['api.twilio.com:443']);
  expect(proxyAgent(twilio)).toBe(proxyAgent(twilio));
});

test('past it where the environment says so, and where there is none', () => {
  expect(proxyAgent(twilio)).toBeUndefined();
  process.env['HTTPS_PROXY'] = 'http://127.0.0.1:9';
  process.env['NO_PROXY'] = '.twilio.com';
  expect(proxyAgent(twilio)).toBeUndefined();
});

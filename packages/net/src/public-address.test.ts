import https from 'node:https';
import { type AddressInfo, createServer, type LookupFunction, type Server } from 'node:net';
import { ConnectProxy } from '../test/connect-proxy.ts';
import { createAgent, isPrivateHost, isPublicAddress, NOT_PUBLIC, sendForStatus } from './index.ts';

test.each([
  '1.1.1.1',
  '100.63.255.255',
  '100.128.0.0',
  '172.15.255.255',
  '172.32.0.1',
  '223.255.255.255',
  '2606:4700::1111',
  '2a00::1',
  // Public IPv4 addresses, mapped and behind NAT64.
  '::ffff:1.1.1.1',
  '::ffff:101:101',
  '64:ff9b::1.1.1.1',
])('%s is on the public Internet', (address) => {
  expect(isPublicAddress(address)).toBe(true);
  expect(isPrivateHost(address)).toBe(false);
});

test.each([
  ['0.0.0.0', 'this network'],
  ['10.1.2.3', 'private'],
  ['100.64.0.1', 'shared by a carrier (CGNAT)'],
  ['100.127.255.255', 'shared by a carrier (CGNAT)'],
  ['127.0.0.1', 'loopback'],
  ['127.255.255.254', 'loopback'],
  ['169.254.169.254', 'link-local: metadata of clouds'],
  ['172.16.0.1', 'private'],
  ['172.31.255.255', 'private'],
  ['192.0.0.8', 'protocols'],
  ['192.0.2.1', 'documentation'],
  ['192.168.0.1', 'private'],
  ['198.18.0.1', 'benchmarks'],
  ['224.0.0.1', 'multicast'],
  ['239.255.255.255', 'multicast'],
  ['240.0.0.1', 'reserved'],
  ['255.255.255.255', 'broadcast'],
  ['::', 'unspecified'],
  ['::1', 'loopback'],
  ['::127.0.0.1', 'compatible, outdated'],
  ['::ffff:127.0.0.1', 'mapped loopback'],
  ['::ffff:7f00:1', 'mapped loopback'],
  ['::ffff:10.0.0.1', 'mapped private'],
  ['::ffff:a9fe:a9fe', 'mapped link-local'],
  ['64:ff9b::10.0.0.1', 'NAT64 of private'],
  ['64:ff9b::7f00:1', 'NAT64 of loopback'],
  ['64:ff9b:1::1', 'local NAT64'],
  ['100::1', 'discard'],
  ['2001::1', 'Teredo'],
  ['2001:db8::1', 'documentation'],
  ['2002:7f00:1::', '6to4 of loopback'],
  ['fc00::1', 'unique-local'],
  ['fdff::1', 'unique-local'],
  ['fe80::1', 'link-local'],
  ['fe80::1%eth0', 'link-local with its zone'],
  ['fec0::1', 'site-local, outdated'],
  ['ff02::1', 'multicast'],
  ['example.com', 'no address'],
  ['', 'no address'],
])('%s is not: %s', (address) => {
  expect(isPublicAddress(address)).toBe(false);
});

test.each(['localhost', 'LOCALHOST.', 'a.localhost', '::1', '127.0.0.1'])(
  '%s is private by its name',
  (host) => expect(isPrivateHost(host)).toBe(true),
);
test.each(['example.com', 'localhost.example.com', 'notlocalhost'])('%s is not', (host) =>
  expect(isPrivateHost(host)).toBe(false),
);

describe('an agent for the public Internet alone', () => {
  let local: Server;
  let port: number;
  let connections: number;
  const saved = process.env['HTTPS_PROXY'];
  beforeAll(async () => {
    local = createServer((socket) => {
      connections += 1;
      socket.on('error', () => undefined).end('HTTP/1.1 204 No Content\r\n\r\n');
    });
    await new Promise<void>((resolve) => local.listen(0, '127.0.0.1', resolve));
    port = (local.address() as AddressInfo).port;
  });
  afterAll(() => void local.close());
  beforeEach(() => {
    connections = 0;
  });
  afterEach(() => {
    if (saved === undefined) delete process.env['HTTPS_PROXY'];
    else process.env['HTTPS_PROXY'] = saved;
  });

  /** A DNS that gives these answers one after another. */
  const dns = (...answers: string[][]) => {
    const asked: string[] = [];
    const lookup: LookupFunction = (hostname, options, done) => {
      asked.push(hostname);
      const found = (answers.shift() ?? []).map((address) => ({ address, family: 4 }));
      if (options.all) done(null, found);
      else done(null, found[0]?.address ?? '', 4);
    };
    return { asked, lookup };
  };
  const send = (url: string, options: Parameters<typeof createAgent>[1]) =>
    sendForStatus(url, {
      agent: createAgent(url.startsWith('http:') ? 'http:' : 'https:', options),
      limitMs: 10_000,
      mostBytes: 100,
    });

  test('connects to a name without it', async () => {
    const { lookup } = dns(['127.0.0.1']);
    expect(await send(`http://hooks.example:${port}/`, { lookup })).toBe(204);
    expect(connections).toBe(1);
  });

  test.each(['http', 'https'])('refuses a name that leads to this machine, over %s', async (protocol) => {
    const { asked, lookup } = dns(['127.0.0.1'], ['1.1.1.1', '127.0.0.1']);
    for (const _ of [1, 2])
      await expect(
        send(`${protocol}://hooks.example:${port}/`, { publicOnly: true, lookup }),
      ).rejects.toMatchObject({ code: NOT_PUBLIC, message: 'hooks.example is not on the public Internet' });
    expect(asked).toEqual(['hooks.example', 'hooks.example']);
    expect(connections).toBe(0);
  });

  test('what a check was answered before the connection does not count for it', async () => {
    const { lookup } = dns(['1.1.1.1'], ['127.0.0.1']);
    const checked = await new Promise((resolve) =>
      lookup('hooks.example', { all: true }, (_, all) => resolve(all)),
    );
    expect(checked).toEqual([{ address: '1.1.1.1', family: 4 }]);
    await expect(send(`http://hooks.example:${port}/`, { publicOnly: true, lookup })).rejects.toMatchObject({
      code: NOT_PUBLIC,
    });
    expect(connections).toBe(0);
  });

  test('refuses an address in the URL, and localhost, before anything is resolved', async () => {
    const { asked, lookup } = dns();
    for (const host of ['127.0.0.1', '[::1]', '[::ffff:127.0.0.1]', '0x7f.1', 'localhost'])
      for (const protocol of ['http', 'https'])
        await expect(
          send(`${protocol}://${host}:${port}/`, { publicOnly: true, lookup }),
        ).rejects.toMatchObject({ code: NOT_PUBLIC });
    expect([asked, connections]).toEqual([[], 0]);
  });

  test('behind a proxy, which resolves the names, addresses are refused', async () => {
    const proxy = new ConnectProxy(() => port);
    await proxy.start();
    process.env['HTTPS_PROXY'] = proxy.url;
    const agent = createAgent('https:', { publicOnly: true });
    const head = (url: string) =>
      new Promise<NodeJS.ErrnoException>((resolve) =>
        https.request(url, { agent }).on('error', resolve).end(),
      );
    expect((await head('https://10.0.0.1/')).code).toBe(NOT_PUBLIC);
    expect(proxy.tunnels).toEqual([]);
    // The receiver speaks no TLS: what matters is that the proxy was asked for the name.
    expect((await head('https://hooks.example/')).code).not.toBe(NOT_PUBLIC);
    expect(proxy.tunnels).toEqual(['hooks.example:443']);
    proxy.stop();
  });
});

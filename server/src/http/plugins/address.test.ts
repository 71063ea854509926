import type { FastifyRequest } from 'fastify';
import fastify from 'fastify';
import { createAddresses } from './address.ts';

const warn = jest.fn();
const requestOf = (peer: string, ip: string, forwarded?: string) =>
  ({
    ip,
    socket: { remoteAddress: peer },
    headers: { ...(forwarded !== undefined && { 'x-forwarded-for': forwarded }) },
    log: { warn },
  }) as unknown as FastifyRequest;
const of = (ip: string, proxies = ['127.0.0.0/8', '::1']) => createAddresses(proxies).of(requestOf(ip, ip));

beforeEach(() => warn.mockReset());

test.each([
  ['203.0.113.7', '203.0.113.7'],
  ['::ffff:203.0.113.7', '203.0.113.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
  ['2001:0DB8:0001:0002::9', '2001:db8:1:2'],
  ['2001:db8::1', '2001:db8:0:0'],
  ['fe80::1%eth0', 'fe80:0:0:0'],
  ['::2', '0:0:0:0'],
  // A proxy that does not say for whom.
  ['127.0.0.1', undefined],
  ['127.9.9.9', undefined],
  ['::ffff:127.0.0.1', undefined],
  ['::1', undefined],
  ['unknown', undefined],
  ['', undefined],
])('%s is counted as %s', (ip, key) => {
  expect(of(ip)).toBe(key);
});

test('proxies are given by address or network', () => {
  const { trusts } = createAddresses(['10.0.0.0/8', 'fd00::/8', '192.0.2.1']);
  expect(['10.255.0.1', 'fd12::1', '192.0.2.1', '::ffff:10.0.0.1'].map(trusts)).toEqual([
    true,
    true,
    true,
    true,
  ]);
  expect(['11.0.0.1', 'fe80::1', '192.0.2.2', '127.0.0.1', 'x'].map(trusts)).toEqual([
    false,
    false,
    false,
    false,
    false,
  ]);
});

test('the client is the one that a trusted proxy names, whatever stands before it', async () => {
  const addresses = createAddresses(['127.0.0.1', '10.0.0.0/8']);
  const app = fastify({ trustProxy: addresses.trusts });
  app.get('/', async (request) => ({ key: addresses.of(request) ?? null }));
  const from = async (forwarded?: string) => {
    const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded };
    return (await app.inject({ url: '/', headers, remoteAddress: '127.0.0.1' })).json().key;
  };
  expect(await from()).toBeNull();
  expect(await from('203.0.113.7')).toBe('203.0.113.7');
  expect(await from('198.51.100.1, 203.0.113.7')).toBe('203.0.113.7');
  expect(await from('198.51.100.1, 203.0.113.7, 10.1.2.3')).toBe('203.0.113.7');
  const direct = await app.inject({
    url: '/',
    headers: { 'x-forwarded-for': '203.0.113.7' },
    remoteAddress: '198.51.100.9',
  });
  expect(direct.json().key).toBe('198.51.100.9');
  await app.close();
});

test('a proxy that is not trusted is named in the log, once', () => {
  const addresses = createAddresses(['127.0.0.1']);
  addresses.of(requestOf('127.0.0.1', '203.0.113.7', '203.0.113.7'));
  expect(warn).not.toHaveBeenCalled();
  for (const peer of ['10.0.0.3', '10.0.0.4']) addresses.of(requestOf(peer, peer, '203.0.113.7'));
  expect(warn).toHaveBeenCalledTimes(1);
  expect(warn).toHaveBeenCalledWith(
    { event: 'proxy.untrusted', proxy: '10.0.0.3' },
    expect.stringContaining('CUSTODY_TRUSTED_PROXIES'),
  );
});

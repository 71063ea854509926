import { BlockList, isIP } from 'node:net';
import type { FastifyRequest } from 'fastify';

/** Where a request comes from, according to trusted proxies. */
export interface Addresses {
  /** For Fastify: which addresses may name the client's address (`X-Forwarded-For`). */
  trusts(address: string): boolean;
  /**
   * Key of the limits by address: an IPv4 address, or the /64 of an IPv6 address, which belongs to one customer. Undefined if
   * a trusted proxy does not name its client.
   */
  of(request: FastifyRequest): string | undefined;
}

/** @param proxies addresses, and networks as `10.0.0.0/8`, of proxies in front of the host */
export function createAddresses(proxies: readonly string[]): Addresses {
  const trusted = new BlockList();
  for (const one of proxies) {
    const [address = '', bits] = one.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    if (bits === undefined) trusted.addAddress(address, family);
    else trusted.addSubnet(address, Number(bits), family);
  }
  const trusts = (address: string) => {
    const family = isIP(address);
    return family !== 0 && trusted.check(address, family === 6 ? 'ipv6' : 'ipv4');
  };
  let warned = false;
  return {
    trusts,
    of(request) {
      const peer = request.socket.remoteAddress ?? '';
      if (!warned && request.headers['x-forwarded-for'] !== undefined && !trusts(peer)) {
        warned = true;
        request.log.warn(
          { event: 'proxy.untrusted', proxy: peer },
          'X-Forwarded-For comes from an address that is not in CUSTODY_TRUSTED_PROXIES: if that is your proxy, add it, or all its clients share the limits of one',
        );
      }
      return isIP(request.ip) === 0 || trusts(request.ip) ? undefined : keyOf(request.ip);
    },
  };
}

function keyOf(address: string): string {
  const mapped = /^::ffff:([\d.]+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (isIP(address) === 4) return address;
  const [before = '', after] = address.split('%')[0]?.split('::') ?? [];
  const head = before === '' ? [] : before.split(':');
  const tail = after === undefined || after === '' ? [] : after.split(':');
  const zeros =
    after === undefined ? [] : Array<string>(Math.max(0, 8 - head.length - tail.length)).fill('0');
  return [...head, ...zeros, ...tail]
    .slice(0, 4)
    .map((group) => group.toLowerCase().replace(/^0+(?=.)/, ''))
    .join(':');
}

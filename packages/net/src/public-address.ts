import { lookup as systemLookup } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

/** Code of the error where a name or an address leads to a network that is not the public Internet. */
export const NOT_PUBLIC = 'address not public';

/** Networks of the IANA's registry of special addresses that are not reachable from everywhere (RFC 6890). */
const special4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/3',
];
/** Inside of 2000::/3: protocols, tunnels (Teredo, 6to4) and documentation. */
const special6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'];
/** An IPv4 address as IPv6 writes it: mapped, and translated by NAT64. */
const embedding = ['::ffff:', '64:ff9b::'];

const [special, global] = [new BlockList(), new BlockList()];
for (const network of special4) {
  const [address = '', bits] = network.split('/');
  special.addSubnet(address, Number(bits), 'ipv4');
  for (const prefix of embedding) special.addSubnet(`${prefix}${address}`, 96 + Number(bits), 'ipv6');
}
for (const network of special6) {
  const [address = '', bits] = network.split('/');
  special.addSubnet(address, Number(bits), 'ipv6');
}
global.addSubnet('2000::', 3, 'ipv6');
for (const prefix of embedding) global.addSubnet(`${prefix}0.0.0.0`, 96, 'ipv6');

/** Whether an address is on the public Internet: not private, loopback, link-local, multicast, shared or reserved. */
export function isPublicAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return !special.check(address, 'ipv4');
    case 6:
      // One with a zone is link-local.
      return !address.includes('%') && global.check(address, 'ipv6') && !special.check(address, 'ipv6');
    default:
      return false;
  }
}

/** Whether a host of a URL is an address that is not public, or a name of this very machine. */
export const isPrivateHost = (host: string): boolean =>
  isIP(host) === 0 ? /(^|\.)localhost\.?$/i.test(host) : !isPublicAddress(host);

/**
 * Resolves a name for a connection, which is then made to these very addresses: an answer that changes between a check and
 * the connection has no effect. One address that is not public refuses the name.
 */
export function publicLookup(lookup: LookupFunction = systemLookup): LookupFunction {
  return (hostname, options, done) =>
    lookup(hostname, options, (error, found, family) => {
      const all = typeof found === 'string' ? [found] : (found ?? []).map(({ address }) => address);
      if (error || all.every(isPublicAddress)) done(error, found, family);
      else done(notPublic(hostname), options.all ? [] : '', 0);
    });
}

export const notPublic = (host: string): Error =>
  Object.assign(new Error(`${host} is not on the public Internet`), { code: NOT_PUBLIC });

import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Addresses, createAddresses } from './address.ts';
import { atOnce, enterAll, perMinute, type Rate } from './rate.ts';

/** Limits of one client, so that this process stays available to the others. */
export interface Limits {
  readonly addresses: Addresses;
  /** Tokens that IAM refuses, by address. */
  readonly strangers: Rate;
  /** Media links that are issued, by viewer. */
  readonly links: Rate;
  /** Requests with a segment link, each of which writes a row of the audit log. */
  readonly bearers: Rate;
  /**
   * Counts an answer with audio for as long as its connection has it.
   * @throws CustodyError `too_many_requests` (429)
   */
  stream(request: FastifyRequest, reply: FastifyReply, of: { link: string; viewer?: string }): void;
}

export interface LimitOptions {
  /** Proxies in front of the host, by address or network. */
  trustedProxies: readonly string[];
  streamsPerLink?: number;
  streamsPerViewer: number;
  streamsPerAddress: number;
  /** Epoch ms. */
  now?: () => number;
}

/** Accepted tokens are not counted, so many people can share one address. */
const strangersAMinute = 30;
const linksAMinute = 60;
/** A listener who moves through a recording sends several requests a second, for some seconds. */
const bearersAMinute = 300;
/** A player has two or three requests at once, and another for each position sought. */
const streamsPerLink = 8;

export function createLimits(options: LimitOptions): Limits {
  const { streamsPerLink: ofLink = streamsPerLink, streamsPerViewer, streamsPerAddress, now } = options;
  const addresses = createAddresses(options.trustedProxies);
  const links = atOnce(ofLink);
  const viewers = atOnce(streamsPerViewer);
  const clients = atOnce(streamsPerAddress);
  return {
    addresses,
    strangers: perMinute(strangersAMinute, now),
    links: perMinute(linksAMinute, now),
    bearers: perMinute(bearersAMinute, now),
    stream(request, reply, { link, viewer }) {
      const leave = enterAll([
        { room: links, key: link, what: `${ofLink} requests with one link` },
        { room: viewers, key: viewer, what: `${streamsPerViewer} requests of one viewer` },
        { room: clients, key: addresses.of(request), what: `${streamsPerAddress} requests of one address` },
      ]);
      reply.raw.once('close', leave);
    },
  };
}

import { Agent, get } from 'node:http';
import type { Stack } from '../../../sandbox/src/stack/index.ts';
import { median } from './figures.ts';
import { filledSid } from './growth-world.ts';

const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });
const firstBytes = 65_536;
/** A host gives each viewer sixty links a minute. */
const supervisors = 500;

interface Answer {
  body: Buffer;
  firstByteMs: number;
}

function ask(url: string, headers: Record<string, string>): Promise<Answer> {
  const began = performance.now();
  return new Promise((resolve, reject) => {
    get(url, { headers, agent }, (response) => {
      const firstByteMs = performance.now() - began;
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('end', () => {
        const body = Buffer.concat(chunks);
        if (response.statusCode === 200 || response.statusCode === 206) resolve({ body, firstByteMs });
        else reject(new Error(`${response.statusCode} from ${new URL(url).pathname}: ${body.toString()}`));
      });
      response.once('error', reject);
    }).once('error', reject);
  });
}

/** Hosts with the role http on one database, and what a supervisor may play there. */
export interface Listener {
  /** Asks for the link of a recording of the fill, of which the bucket has nothing. @returns ms */
  filledLink(n: number): Promise<number>;
  /** Asks for the link of a recording that is in the bucket. @returns ms */
  link(n: number): Promise<number>;
  /** The first bytes of a recording that is in the bucket. @returns ms to the first byte */
  firstByte(n: number): Promise<number>;
}

/**
 * @param hosts base URLs
 * @param stored recordings that the bucket has
 * @param rows how many the fill made
 */
export async function createListener(
  stack: Stack,
  hosts: readonly string[],
  stored: readonly string[],
  rows: number,
): Promise<Listener> {
  const authorizations: string[] = [];
  for (let n = 0; n < supervisors; n++) authorizations.push(await authorizationOf(stack, n));
  const host = (n: number) => hosts[n % hosts.length] ?? '';
  const linkOf = async (n: number, recording: string) => {
    const began = performance.now();
    const authorization = authorizations[n % supervisors] ?? '';
    const { body } = await ask(`${host(n)}/url-provider?recording=${recording}`, { authorization });
    return {
      url: (JSON.parse(body.toString()) as { media_url: string }).media_url,
      ms: performance.now() - began,
    };
  };
  /** Of the rows that are through all steps, as if at random. */
  const filled = (n: number) => {
    const row = 1_000 + ((n * 7_919) % (rows - 1_000));
    return filledSid(row % 1_000 < 960 ? row : row - 500);
  };
  // More links than a host lets one have at once.
  const links: string[] = [];
  for (let at = 0; at < 16; at++) links.push((await linkOf(at, stored[at % stored.length] ?? '')).url);
  return {
    filledLink: async (n) => (await linkOf(n, filled(n))).ms,
    link: async (n) => (await linkOf(n, stored[n % stored.length] ?? '')).ms,
    async firstByte(n) {
      const { pathname, search } = new URL(links[n % links.length] ?? '');
      const range = `bytes=0-${firstBytes - 1}`;
      return (await ask(`${host(n)}${pathname}${search}`, { range })).firstByteMs;
    },
  };
}

async function authorizationOf(stack: Stack, n: number): Promise<string> {
  const response = await fetch(`${stack.urls.sandbox}/sandbox/tokens`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ roles: ['supervisor'], identity: `supervisor-${n}` }),
  });
  const { token } = (await response.json()) as { token: string };
  return `Basic ${Buffer.from(`token:${token}`).toString('base64')}`;
}

/** Each a link and the first bytes behind one; medians of what one listener waits, in ms. */
export async function oneByOne(listener: Listener, plays: number): Promise<{ link: number; first: number }> {
  const times: { link: number[]; first: number[] } = { link: [], first: [] };
  for (let n = 0; n < plays + 20; n++) {
    const [link, first] = [await listener.filledLink(n), await listener.firstByte(n)];
    // The first ones find the host cold.
    if (n < 20) continue;
    times.link.push(link);
    times.first.push(first);
  }
  return { link: median(times.link), first: median(times.first) };
}

export interface Crowd {
  perSecond: number;
  p95Ms: number;
}

let next = 0;

/** So many listeners at once, each of whom plays again as soon as the last play has begun. */
export async function crowd(listener: Listener, plays: number, listeners = 50): Promise<Crowd> {
  const times: number[] = [];
  const until = next + plays;
  const began = performance.now();
  await Promise.all(
    Array.from({ length: listeners }, async () => {
      while (next < until) {
        const n = next++;
        const start = performance.now();
        await listener.link(n);
        await listener.firstByte(n);
        times.push(performance.now() - start);
      }
    }),
  );
  const seconds = (performance.now() - began) / 1_000;
  times.sort((a, b) => a - b);
  return { perSecond: plays / seconds, p95Ms: times[Math.floor(times.length * 0.95)] ?? Number.NaN };
}

import type { FastifyRequest } from 'fastify';
import type { World } from '../world.ts';
import { notFound, TwilioError } from './route.ts';

/** `Thu, 30 Jul 2015 20:00:00 +0000`: the 2010 API's dates. */
export function rfc2822(date: Date | null): string | null {
  return date === null ? null : date.toUTCString().replace('GMT', '+0000');
}

/** TaskRouter's dates: ISO 8601 in whole seconds. */
export function iso8601(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}

/** Twilio states whole seconds. */
export function wholeSeconds(from: Date, to: Date): string {
  return String(Math.max(0, Math.round((to.getTime() - from.getTime()) / 1000)));
}

export const version = '2010-04-01';

export const form = (request: FastifyRequest) => (request.body ?? {}) as Record<string, string | undefined>;
export const query = (request: FastifyRequest) => request.query as Record<string, string | undefined>;
export const params = (request: FastifyRequest) => request.params as Record<string, string>;

/** The path without `.json`, as Twilio names resources in its errors. */
export const resource = (request: FastifyRequest) => (request.url.split('?')[0] ?? '').replace(/\.json$/, '');

/** Another account's path is as unknown as a missing resource. */
export function ownAccount(world: World, request: FastifyRequest): void {
  if (params(request)['account'] !== world.account.accountSid) throw notFound(resource(request));
}

/** A value that must be one of a few. @throws TwilioError 400 that names the parameter */
export function oneOf<T extends string>(name: string, value: string | undefined, allowed: readonly T[]): T {
  const found = allowed.find((one) => one === value);
  if (found === undefined)
    throw new TwilioError(400, 20001, `Invalid ${name}: ${allowed.join(', ')} expected`);
  return found;
}

/** One page of a 2010 API list: `key` beside `next_page_uri` and its companions. */
export function page2010<T>(
  request: FastifyRequest,
  key: string,
  all: readonly T[],
  show: (one: T) => unknown,
): Record<string, unknown> {
  const { page, size, start } = pageOf(request);
  const items = all.slice(start, start + size);
  const path = request.url.split('?')[0] ?? '';
  const uri = (number: number) => {
    const search = new URLSearchParams(query(request) as Record<string, string>);
    search.set('PageSize', String(size));
    search.set('Page', String(number));
    return `${path}?${search}`;
  };
  return {
    [key]: items.map(show),
    page,
    page_size: size,
    start,
    end: Math.max(start, start + items.length - 1),
    uri: request.url,
    first_page_uri: uri(0),
    previous_page_uri: page > 0 ? uri(page - 1) : null,
    next_page_uri: start + size < all.length ? uri(page + 1) : null,
  };
}

/** One page of a v1 API list: `key` beside `meta` with absolute URLs. @param most on a page */
export function pageV1<T>(
  request: FastifyRequest,
  key: string,
  all: readonly T[],
  show: (one: T) => unknown,
  most = 1000,
): Record<string, unknown> {
  const { page, size, start } = pageOf(request, most);
  const path = `https://${request.headers.host}${request.url.split('?')[0]}`;
  const url = (number: number) => {
    const search = new URLSearchParams(query(request) as Record<string, string>);
    search.set('PageSize', String(size));
    search.set('Page', String(number));
    return `${path}?${search}`;
  };
  return {
    [key]: all.slice(start, start + size).map(show),
    meta: {
      page,
      page_size: size,
      key,
      url: url(page),
      first_page_url: url(0),
      previous_page_url: page > 0 ? url(page - 1) : null,
      next_page_url: start + size < all.length ? url(page + 1) : null,
    },
  };
}

function pageOf(request: FastifyRequest, mostOnPage = 1000): { page: number; size: number; start: number } {
  const number = (name: string, fallback: number, most: number) => {
    const value = query(request)[name];
    if (value === undefined) return fallback;
    if (!/^\d{1,6}$/.test(value)) throw new TwilioError(400, 20001, `Invalid ${name}`);
    return Math.min(Number(value), most);
  };
  const size = Math.max(1, number('PageSize', 50, mostOnPage));
  const page = number('Page', 0, 1_000_000);
  return { page, size, start: page * size };
}

import { CustodyError, isObject } from '@flex-custody/core';
import type { Event } from './runtime.ts';

/**
 * The headers of a request, as the platform hands them over: `request` with `headers` and `cookies`. A field `request` of a
 * query or body has the same place and replaces it, and is refused unless it has the platform's whole shape. A page
 * that copies that shape cannot be recognised: its origin is what it says, and the token alone decides.
 * @throws CustodyError `request_invalid` (400)
 * Source: https://www.twilio.com/docs/serverless/functions-assets/functions/headers-and-cookies/accessing
 */
export function headersOf(event: Event): Readonly<Record<string, string | string[]>> {
  const { request } = event;
  const headers = isObject(request) ? request['headers'] : undefined;
  const isPlatforms =
    isObject(request) &&
    isObject(request['cookies']) &&
    isObject(headers) &&
    Object.entries(headers).every(([name, value]) => name === name.toLowerCase() && isHeader(value));
  if (!isPlatforms) throw new CustodyError('request_invalid', 'request is not a field that may be sent');
  return headers as Record<string, string | string[]>;
}

/**
 * Whether all fields can have come in the body. The platform hands query and body over as one object; what is longer than
 * the body did not come in it alone.
 */
export function fitsBody(event: Event): boolean {
  const headers = headersOf(event);
  const type = headers['content-type'];
  const length = headers['content-length'];
  if (typeof type !== 'string' || !/^application\/(json|x-www-form-urlencoded)\b/i.test(type)) return false;
  if (length === undefined) return true;
  const { request: _, ...fields } = event;
  const least = Object.entries(fields).reduce((sum, [name, value]) => sum + name.length + 1 + size(value), 0);
  return Number(length) >= least;
}

/** Characters that a value has at least, in a form or in JSON. */
const size = (value: unknown): number =>
  typeof value === 'string' ? value.length : (JSON.stringify(value)?.length ?? 0);

const isHeader = (value: unknown): boolean =>
  typeof value === 'string' || (Array.isArray(value) && value.every((one) => typeof one === 'string'));

import { createHmac, timingSafeEqual } from 'node:crypto';
import { CustodyError, callbackHints } from '@flex-custody/core';
import type { Event } from './runtime.ts';

type HintName = (typeof callbackHints)[number];

/** How a hint may be written in the URL that was called: a browser wrote it, and a Function sees it decoded. */
const encodings: readonly ((value: string) => string)[] = [
  (value) => new URLSearchParams({ v: value }).toString().slice(2),
  encodeURIComponent,
  (value) => value,
];

export interface SignedBody {
  /** What Twilio sent in the body, and nothing else. */
  body: Readonly<Record<string, string>>;
  /** What the query had, which a browser may have written. */
  hints: Readonly<Partial<Record<HintName, string>>>;
}

/**
 * Separates body and query of a webhook. The platform hands both over as one object, and Twilio signs whatever URL a
 * browser chose for it; so the signature is made again over our own address with nothing but the two hints in its query
 * and every other field as body. A field of the body that in truth came with the query is then in the wrong place, and the
 * signatures differ.
 * @param addresses origins under which Twilio calls these Functions
 * @throws CustodyError `callback_invalid` (400)
 * Source: https://www.twilio.com/docs/usage/security#validating-requests
 */
export function signedBody(
  event: Event,
  path: string,
  { authToken, addresses }: { authToken: string; addresses: readonly string[] },
): SignedBody {
  const { request, ...fields } = event;
  // A field that came twice, once with the query, is a list: what Twilio signed cannot be made of it.
  const texts = Object.entries(fields).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  );
  const isHint = (name: string): name is HintName => callbackHints.includes(name as HintName);
  const hints: SignedBody['hints'] = Object.fromEntries(texts.filter(([name]) => isHint(name)));
  const body = Object.fromEntries(texts.filter(([name]) => !isHint(name)));
  const given = signatureOf(request);
  const signed = text(body);
  const good =
    given !== undefined &&
    addresses
      .flatMap((origin) => [origin, `${origin}:443`])
      .flatMap((origin) => queriesOf(hints).map((query) => `${origin}${path}${query}${signed}`))
      .some((one) => same(given, createHmac('sha1', authToken).update(one, 'utf8').digest()));
  if (!good) throw notOurs();
  return { body, hints };
}

function signatureOf(request: unknown): Buffer | undefined {
  const { headers } = (request ?? {}) as { headers?: Record<string, unknown> };
  const header = headers?.['x-twilio-signature'];
  return typeof header === 'string' ? Buffer.from(header, 'base64') : undefined;
}

const text = (body: SignedBody['body']): string =>
  Object.keys(body)
    .sort()
    .map((name) => `${name}${body[name]}`)
    .join('');

/** Every query in which these hints, and only they, can have come. */
function queriesOf(hints: SignedBody['hints']): string[] {
  const names = callbackHints.filter((name) => hints[name] !== undefined);
  if (names.length === 0) return [''];
  const orders = names.length === 1 ? [names] : [names, [...names].reverse()];
  return orders.flatMap((order) =>
    encodings.map((encode) => `?${order.map((name) => `${name}=${encoded(encode, hints[name])}`).join('&')}`),
  );
}

/** Half of a pair of surrogates, which a browser may write too, is no URL component. */
function encoded(encode: (value: string) => string, value = ''): string {
  try {
    return encode(value);
  } catch {
    return value;
  }
}

const same = (one: Buffer, other: Buffer): boolean =>
  one.length === other.length && timingSafeEqual(one, other);

const notOurs = () =>
  new CustodyError(
    'callback_invalid',
    "Twilio's signature does not fit: give the callback's URL taskSid and reservationSid in its query and nothing else, and set CUSTODY_FUNCTIONS_URL to the address that Twilio calls",
  );

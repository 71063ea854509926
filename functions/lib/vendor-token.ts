import { rootCertificates } from 'node:tls';
import { CustodyError, jsonFields } from '@flex-custody/core';
import { createAgent, sendRequest } from '@flex-custody/net';
import FormData from 'form-data';
import { type Deadline, timeLimit } from './deadline.ts';
import type { VendorConfig } from './flex-config.ts';

type Vendor = VendorConfig['vendor'];

const timeLimitMs = 5_000;
/** What a token has left when it is no longer handed out: time to be used. */
const marginMs = 30_000;
/** Of a token that does not say how long it lives. */
const unknownMs = 60_000;

let last: { key: string; until: number; token: Promise<string> } | undefined;

/**
 * The vendor's token for our client credentials, as `<token_type> <access_token>`: remembered until shortly before it
 * expires, and asked for once however many wait for it.
 * @param ca PEM of a private authority that the vendor's certificate may come from, beside the public ones
 * @throws CustodyError `vendor_refused` (502: it does not take our credentials), `vendor_unreachable` (502, retryable)
 */
export function vendorToken(
  vendor: Vendor,
  ca: string | undefined,
  deadline: Deadline,
  now: () => number = Date.now,
): Promise<string> {
  const key = JSON.stringify(vendor);
  if (last?.key === key && last.until > now()) return last.token;
  const mine = { key, until: Number.POSITIVE_INFINITY, token: Promise.resolve('') };
  mine.token = asked(vendor, ca, deadline).then(
    (answer) => {
      mine.until = now() + lifeOf(answer, now());
      return `${answer['token_type']} ${answer['access_token']}`;
    },
    (error: unknown) => {
      mine.until = 0;
      throw error;
    },
  );
  last = mine;
  return mine.token;
}

async function asked(
  { url, clientId, clientSecret }: Vendor,
  ca: string | undefined,
  deadline: Deadline,
): Promise<Record<string, unknown>> {
  const form = new FormData();
  form.append('grant_type', 'client_credentials');
  form.append('client_id', clientId);
  form.append('client_secret', clientSecret);
  const response = await sendRequest(url, {
    method: 'POST',
    headers: form.getHeaders(),
    body: form.getBuffer(),
    limitMs: timeLimit(timeLimitMs, deadline),
    mostBytes: 256 * 1024,
    ...(ca === undefined ? {} : { agent: createAgent('https:', { ca: [...rootCertificates, ca] }) }),
  })
    // The cause holds the request, and with it the secret: it must not reach a log.
    .catch(() => Promise.reject(unreachable('did not answer in time')));
  if (response.status >= 400 && response.status < 500 && response.status !== 408 && response.status !== 429)
    throw new CustodyError('vendor_refused', `the vendor refused with ${response.status}`);
  if (response.status !== 200 && response.status !== 201) throw unreachable(`answered ${response.status}`);
  const answer = jsonFields(response.text);
  if (!isWord(answer['token_type']) || !isWord(answer['access_token']))
    throw unreachable('answered without a token');
  return answer;
}

const unreachable = (what: string) => new CustodyError('vendor_unreachable', `the vendor ${what}`);

/** What may stand in a header beside another such word. */
const isWord = (value: unknown): value is string => typeof value === 'string' && /^[\x21-\x7e]+$/.test(value);

/** Ms for which it may be handed out: by what the vendor says, else by what the token itself says. */
function lifeOf(answer: Record<string, unknown>, now: number): number {
  const seconds = Number(answer['expires_in'] ?? Number.NaN);
  const endsAt = seconds > 0 ? now + seconds * 1000 : expiryOf(String(answer['access_token']));
  return endsAt === undefined ? unknownMs : Math.max(0, endsAt - now - marginMs);
}

/** Epoch ms of a JWT's unverified `exp`; used only to limit how long we keep the token. */
function expiryOf(token: string): number | undefined {
  const { exp } = jsonFields(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
  return typeof exp === 'number' ? exp * 1000 : undefined;
}

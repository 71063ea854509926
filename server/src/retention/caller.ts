import { createHmac } from 'node:crypto';
import type { TaskAttributes } from '@flex-custody/core';
import { callerKeyId } from '../custody/caller-secret.ts';
import { plainNumber, plainText, toE164 } from './numbers.ts';

/**
 * Makes the keyed digest that identifies a caller without storing the number: `k3f9a2b1c:<HMAC-SHA-256, base64url>`. The
 * part before the colon is the id of the secret.
 */
export interface CallerDigest {
  (number: string): string;
  /** Id of the secret, with which each of its digests begins. */
  readonly keyId: string;
}

/** @param secret never to be changed: digests by another secret identify no caller */
export function callerDigests(secret: string | undefined): CallerDigest | undefined {
  if (secret === undefined) return undefined;
  const key = Buffer.from(secret, 'base64');
  const keyId = callerKeyId(secret);
  const digest = (number: string) =>
    `${keyId}:${createHmac('sha256', key)
      .update(`caller ${plainText(number)}`)
      .digest('base64url')}`;
  return Object.assign(digest, { keyId });
}

/**
 * Whether this secret made the digest, so that it can be compared. A digest by another secret, or without an id (earlier
 * releases wrote none), may be of any caller.
 */
export const isBy = ({ keyId }: CallerDigest, digest: string): boolean => digest.startsWith(`${keyId}:`);

/**
 * Every digest that the host may have stored for a number of a policy or of an operator: of its E.164 form, and of the
 * unnormalised forms that earlier releases digested.
 */
export function digestsOf(digest: CallerDigest, number: string): string[] {
  const e164 = toE164(number) ?? number;
  const digits = e164.replace('+', '');
  return [...new Set([e164, number, digits, `00${digits}`, `011${digits}`].map(digest))];
}

/** The digest of the caller whose address Twilio states; undefined if the address has no number in E.164. */
export function callerOf(digest: CallerDigest | undefined, address: string): string | undefined {
  const number = digest && toE164(address);
  return number === undefined ? undefined : digest?.(number);
}

/** The digest of a number that can only add a hold, so a number that is not E.164 counts too. */
export function hintOf(digest: CallerDigest | undefined, address: string): string | undefined {
  const number = digest && (toE164(address) ?? plainNumber(address));
  return number === undefined ? undefined : digest?.(number);
}

const hinting = ['from', 'caller', 'outbound_to', 'to', 'called', 'name'] as const;

/** Digests of the numbers in a task's attributes. Every agent's browser can write them, so they can only add a hold. */
export function hintedCallers(attributes: TaskAttributes, digest: CallerDigest | undefined): string[] {
  const customers = attributes['customers'];
  const phone =
    typeof customers === 'object' && customers !== null
      ? (customers as Record<string, unknown>)['phone']
      : undefined;
  const found = [...hinting.map((name) => attributes[name]), phone].flatMap((value) =>
    typeof value === 'string' ? (hintOf(digest, value) ?? []) : [],
  );
  return [...new Set(found)];
}

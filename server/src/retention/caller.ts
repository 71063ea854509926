import { createHmac } from 'node:crypto';
import type { TaskAttributes } from '@flex-custody/core';
import { callerKeyId } from '../custody/caller-secret.ts';
import { plainNumber, plainText, toE164 } from './numbers.ts';

/**
 * By which a caller is found again, without the number being written down anywhere: `k3f9a2b1c:<HMAC-SHA-256, base64url>`.
 * What stands before the colon names the secret.
 */
export interface CallerDigest {
  (number: string): string;
  /** What each digest by this secret begins with, without the colon. */
  readonly keyId: string;
}

/** @param secret that is never changed: digests by another one find no caller */
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
 * Whether this secret made the digest, so that it can be compared. One by another secret, or one that names none (earlier
 * releases named none), is of nobody knows whom.
 */
export const isBy = ({ keyId }: CallerDigest, digest: string): boolean => digest.startsWith(`${keyId}:`);

/**
 * Every digest that may have been made of a number which a policy or an operator names: of its E.164 form, by which
 * callers are noted, and of the forms that earlier releases digested as they met them.
 */
export function digestsOf(digest: CallerDigest, number: string): string[] {
  const e164 = toE164(number) ?? number;
  const digits = e164.replace('+', '');
  return [...new Set([e164, number, digits, `00${digits}`, `011${digits}`].map(digest))];
}

/** The digest of a caller by Twilio's word; undefined where that names no number in E.164. */
export function callerOf(digest: CallerDigest | undefined, address: string): string | undefined {
  const number = digest && toE164(address);
  return number === undefined ? undefined : digest?.(number);
}

/** Of a number that can only add a hold, so that one which is no E.164 counts too. */
export function hintOf(digest: CallerDigest | undefined, address: string): string | undefined {
  const number = digest && (toE164(address) ?? plainNumber(address));
  return number === undefined ? undefined : digest?.(number);
}

const hinting = ['from', 'caller', 'outbound_to', 'to', 'called', 'name'] as const;

/** Digests of the numbers that a task's attributes name. Every agent's browser writes there: they can only add a hold. */
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

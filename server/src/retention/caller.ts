import { createHmac } from 'node:crypto';
import { type CallDirection, callDirections, type TaskAttributes } from '@flex-custody/core';

/** By which a caller is found again, without the number being written down anywhere. */
export type CallerDigest = (number: string) => string;

/** @param secret that is never changed: other digests would find nobody */
export function callerDigests(secret: string | undefined): CallerDigest | undefined {
  if (secret === undefined) return undefined;
  const key = Buffer.from(secret, 'base64');
  return (number) =>
    createHmac('sha256', key)
      .update(`caller ${plain(number)}`)
      .digest('base64url');
}

/** As people write numbers, and as Twilio does. */
function plain(number: string): string {
  return number.replace(/[\s()./-]/g, '');
}

/** What the policy asks of a call, as far as its task tells. */
export interface CallFacts {
  queue?: string;
  direction?: CallDirection;
  /** A digest. */
  caller?: string;
}

/** @param queue by TaskRouter; direction and number are what Flex wrote into the task's attributes */
export function callFacts(
  { queue, attributes }: { queue?: string; attributes: TaskAttributes },
  digest: CallerDigest | undefined,
): CallFacts {
  const direction = callDirections.find((known) => known === attributes['direction']);
  const names = direction === 'outbound' ? ['outbound_to', 'to', 'called'] : ['from', 'caller'];
  const number = names
    .map((name) => attributes[name])
    .find((value) => typeof value === 'string' && value !== '');
  return {
    ...(queue !== undefined && { queue }),
    ...(direction && { direction }),
    ...(digest && typeof number === 'string' && { caller: digest(number) }),
  };
}

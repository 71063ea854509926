import type { TwilioWorker } from '@flex-custody/twilio';

/**
 * A Flex worker's client identity as Flex derives it from a name: every character that is no ASCII letter or digit
 * becomes `_` and the hexadecimal of its UTF-8 bytes, so `agent@example.com` is `agent_40example_2Ecom`.
 */
export function encodeIdentity(name: string): string {
  return [...name]
    .map((character) =>
      /[A-Za-z0-9]/.test(character)
        ? character
        : [...Buffer.from(character, 'utf8')]
            .map((byte) => `_${byte.toString(16).toUpperCase().padStart(2, '0')}`)
            .join(''),
    )
    .join('');
}

function contactUri(attributes: string): string | undefined {
  try {
    const parsed: unknown = JSON.parse(attributes);
    if (typeof parsed !== 'object' || parsed === null || !('contact_uri' in parsed)) return undefined;
    return typeof parsed.contact_uri === 'string' && parsed.contact_uri !== ''
      ? parsed.contact_uri
      : undefined;
  } catch {
    return undefined;
  }
}

/**
 * True when `to`, where Twilio dialled, is this worker. `contact_uri` is where TaskRouter dials, so where it stands it
 * alone decides; only without it is the address derived from the worker's name.
 */
export function isAddressOf(worker: TwilioWorker, to: string): boolean {
  if (!to.startsWith('client:')) return false;
  const uri = contactUri(worker.attributes);
  if (uri !== undefined) return uri === to;
  return (
    worker.friendlyName !== '' &&
    (to === `client:${encodeIdentity(worker.friendlyName)}` || to === `client:${worker.friendlyName}`)
  );
}

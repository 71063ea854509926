import type { TwilioApi, TwilioWorker } from '@flex-custody/twilio';
import type { Identities } from '../../access/identities.ts';

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

/** The name that has this encoding; undefined if none has. */
export function decodeIdentity(identity: string): string | undefined {
  if (!/^(?:[A-Za-z0-9]|_[0-9A-F]{2})+$/.test(identity)) return undefined;
  const hex = identity.replace(/_([0-9A-F]{2})|(.)/g, (_, byte?: string, plain = '') =>
    byte ? byte : Buffer.from(plain).toString('hex'),
  );
  const name = Buffer.from(hex, 'hex').toString('utf8');
  return encodeIdentity(name) === identity ? name : undefined;
}

/** Whether `to`, the address that Twilio dialled, is the worker's. */
export type IsAddressOf = (worker: TwilioWorker, to: string) => Promise<boolean>;

/**
 * Decides by facts that a worker cannot write: first by what IAM stated, for a valid token, about this worker or this
 * identity; without that, by the worker's name, which is unique in TaskRouter and which only administrators change. The
 * attribute `contact_uri` never counts, because a worker may set it.
 * @throws CustodyError as TwilioApi and the database do
 */
export function addressesOfWorkers(
  identities: Pick<Identities, 'about'>,
  twilio: Pick<TwilioApi, 'workersNamed'>,
): IsAddressOf {
  return async (worker, to) => {
    if (!to.startsWith('client:')) return false;
    const identity = to.slice('client:'.length);
    if (identity === '' || worker.friendlyName === '') return false;
    const stated = await identities.about(worker.sid, identity);
    if (stated !== undefined) return stated === 'this-worker';
    if (identity === encodeIdentity(worker.friendlyName)) return true;
    if (identity !== worker.friendlyName) return false;
    // A name that is itself an encoding is the address of the worker whose name it encodes, if such a worker exists.
    const encodes = decodeIdentity(identity);
    if (encodes === undefined) return false;
    return (await twilio.workersNamed(encodes)).every((sid) => sid === worker.sid);
  };
}

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

/** The name that encodes to this; undefined where none does. */
export function decodeIdentity(identity: string): string | undefined {
  if (!/^(?:[A-Za-z0-9]|_[0-9A-F]{2})+$/.test(identity)) return undefined;
  const hex = identity.replace(/_([0-9A-F]{2})|(.)/g, (_, byte?: string, plain = '') =>
    byte ? byte : Buffer.from(plain).toString('hex'),
  );
  const name = Buffer.from(hex, 'hex').toString('utf8');
  return encodeIdentity(name) === identity ? name : undefined;
}

/** Says whether `to`, where Twilio dialled, is a worker. */
export type IsAddressOf = (worker: TwilioWorker, to: string) => Promise<boolean>;

/**
 * By facts that a worker cannot write. What IAM stated for a valid token decides, about this worker or about this
 * identity; only where it stated nothing does the worker's name, which TaskRouter keeps unique and administrators alone
 * change. `contact_uri`, an attribute that a worker may set for itself, never counts.
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
    // A name that is itself an encoded one is the address of the worker whose name it encodes, if there is such a worker.
    const encodes = decodeIdentity(identity);
    if (encodes === undefined) return false;
    return (await twilio.workersNamed(encodes)).every((sid) => sid === worker.sid);
  };
}

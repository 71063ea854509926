import { CustodyError } from '@flex-custody/core';
import { faultOfStored, whyNotStored } from '../config/stored-settings.ts';
import type { SealedSecret, SealedSecrets } from './sealed-secrets.ts';
import type { SecretKeys } from './secret-keys.ts';

/** The one store of secrets. What another process changes is seen here within {@link cacheMs}. */
export interface Secrets {
  /**
   * Undefined if there is none.
   * @throws CustodyError `secret_unreadable` with the name, never the value; `key_unavailable` if KMS does not answer
   */
  get(name: string): Promise<string | undefined>;
  /**
   * Stores the value instead of an earlier one, with an audit entry.
   * @param by `cli`, or the identity of a Flex worker
   * @throws CustodyError `secret_invalid`, `secrets_key_missing`, `audit_unavailable`
   */
  set(name: string, value: string, by: string): Promise<void>;
  list(): Promise<readonly Pick<SealedSecret, 'name' | 'setAt' | 'by'>[]>;
  /** @returns whether there was one. @throws CustodyError `audit_unavailable` */
  remove(name: string, by: string): Promise<boolean>;
}

/** How long an opened value is kept, in ms. */
export const cacheMs = 30_000;

export const nameRule = 'a name has 1 to 128 of A-Z a-z 0-9 - _ . /';
export const isSecretName = (name: string): boolean => /^[A-Za-z0-9._/-]{1,128}$/.test(name);

const mostBytes = 64 * 1024;

/** @throws CustodyError `secret_invalid`, without the value */
export function checkSecret(name: string, value: string): void {
  // What is no name is not repeated: it may be a value.
  if (!isSecretName(name)) throw new CustodyError('secret_invalid', nameRule);
  const fault =
    whyNotStored(name) ??
    (value.trim() === ''
      ? 'has an empty value'
      : Buffer.byteLength(value) > mostBytes
        ? 'has a value of more than 64 KiB'
        : faultOfStored(name, value));
  if (fault !== undefined) throw new CustodyError('secret_invalid', `${name} ${fault}`);
}

export interface SecretsDeps {
  sealed: SealedSecrets;
  keys: SecretKeys;
  /** Clock of the cache, in ms. */
  now?: () => number;
}

export function createSecrets({ sealed, keys, now = () => performance.now() }: SecretsDeps): Secrets {
  const kept = new Map<string, { until: number; value: Promise<string | undefined> }>();
  const read = async (name: string) => {
    const row = await sealed.find(name);
    return row && keys.open(row);
  };
  return {
    get(name) {
      const known = kept.get(name);
      if (known && now() < known.until) return known.value;
      const entry = { until: now() + cacheMs, value: read(name) };
      kept.set(name, entry);
      // A failure is not kept: the next call tries again.
      entry.value.catch(() => {
        if (kept.get(name) === entry) kept.delete(name);
      });
      return entry.value;
    },
    async set(name, value, by) {
      checkSecret(name, value);
      await sealed.put(await keys.seal(name, value), by);
      kept.delete(name);
    },
    list: async () => (await sealed.all()).map(({ name, setAt, by }) => ({ name, setAt, by })),
    async remove(name, by) {
      const removed = await sealed.remove(name, by);
      kept.delete(name);
      return removed;
    },
  };
}

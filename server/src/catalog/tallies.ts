import type { AccountSid } from '@flex-custody/core';
import type { Db } from '../db/db.ts';

/** What the triggers on `recordings` count, by kind: see the migration that creates `tallies`. */
export interface TalliedAs {
  standing: [state: string, link: string, isProven: boolean];
  /** Queue and direction, empty where unknown, of those that are not erased. */
  keeping: [queue: string, direction: string];
  /** Of calls that are not internal: whether the caller is known, and the id of the secret of its digest. */
  caller: [isKnown: boolean, keyId: string | null];
  /** The key of the recording; and the sidecar's, null where it is unknown, absent where there is no sidecar. */
  sealing: [keyId: string, sidecarKeyId?: string | null];
  signer: [keyId: string | null];
}

export interface Tally<K extends keyof TalliedAs> {
  what: TalliedAs[K];
  /** Recordings, more than 0. */
  n: number;
}

/** The tallies of one account. The cost depends on the number of different values, not of recordings. */
export function talliesOf<K extends keyof TalliedAs>(
  db: Pick<Db, 'query'>,
  account: AccountSid,
  kind: K,
): Promise<Tally<K>[]> {
  return db.query(
    `SELECT what, sum(n)::int AS n FROM tallies WHERE account_sid = $1 AND kind = $2
     GROUP BY what HAVING sum(n) > 0 ORDER BY what`,
    [account, kind],
  );
}

export const sumOf = (tallies: readonly { n: number }[]): number =>
  tallies.reduce((sum, { n }) => sum + n, 0);

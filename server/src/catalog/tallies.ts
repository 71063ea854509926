import type { AccountSid } from '@flex-custody/core';
import type { Db } from '../db/db.ts';

/** What the triggers on `recordings` count: see the migration that creates `tallies`. */
export interface TalliedAs {
  standing: [state: string, link: string, isProven: boolean];
  /** Queue and direction of recordings that are not erased; empty: unknown. */
  keeping: [queue: string, direction: string];
  /** For calls that are not internal: whether the caller is known, and the id of the secret of its digest. */
  caller: [isKnown: boolean, keyId: string | null];
  /** The key that sealed the recording, and the key that sealed the sidecar: null if unknown, absent without a sidecar. */
  sealing: [keyId: string, sidecarKeyId?: string | null];
  signer: [keyId: string | null];
}

export interface Tally<K extends keyof TalliedAs> {
  what: TalliedAs[K];
  /** Number of recordings, more than 0. */
  n: number;
}

/** The tallies of one account. The cost depends on the number of distinct values, not on the number of recordings. */
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

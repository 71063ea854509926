import type { AccountSid } from '@flex-custody/core';
import type { Db } from '../../db/db.ts';

interface OfDay {
  accountSid: AccountSid;
  /** Such as 2026-11-28. */
  day: string;
}

/** Of the ledger in the newest statement of the day; undefined if none was written. */
export async function statedDigest(
  db: Pick<Db, 'query'>,
  { accountSid, day }: OfDay,
): Promise<string | undefined> {
  const [row] = await db.query<{ digest: string | null }>(
    'SELECT digest FROM completeness_statements WHERE account_sid = $1 AND day = $2',
    [accountSid, day],
  );
  return row?.digest ?? undefined;
}

/**
 * The number of the day's next statement, from 1. Two processes never get the same one; if a process stops before it has written its
 * statement, that number stays unused.
 */
export async function claimVersion(db: Pick<Db, 'query'>, { accountSid, day }: OfDay): Promise<number> {
  const [row] = await db.query<{ version: number }>(
    `INSERT INTO completeness_statements AS stated (account_sid, day, version) VALUES ($1, $2, 1)
     ON CONFLICT (account_sid, day) DO UPDATE SET version = stated.version + 1
     RETURNING version`,
    [accountSid, day],
  );
  if (!row) throw new Error('the database returned no row');
  return row.version;
}

/** Notes which ledger was written, unless another process has taken a later number since. */
export async function keepDigest(
  db: Pick<Db, 'query'>,
  { accountSid, day }: OfDay,
  version: number,
  digest: string,
): Promise<void> {
  await db.query(
    'UPDATE completeness_statements SET digest = $4 WHERE account_sid = $1 AND day = $2 AND version = $3',
    [accountSid, day, version, digest],
  );
}

import type { AccountSid } from '@flex-custody/core';
import type { Db } from '../db.ts';
import { noPolicy, type Policy, readPolicy } from './policy.ts';

/** The policies of one account, of which the newest is in force for every process that has the database. */
export interface Policies {
  /** @throws CustodyError `policy_invalid` where this release cannot read what an earlier or newer one applied */
  inForce(): Promise<Policy>;
  /** @throws CustodyError `policy_invalid` */
  apply(text: string, by: string): Promise<Policy>;
}

export function createPolicies(db: Pick<Db, 'query'>, account: AccountSid): Policies {
  return {
    async inForce() {
      const [row] = await db.query<{ body: string }>(
        'SELECT body FROM policies WHERE account_sid = $1 ORDER BY id DESC LIMIT 1',
        [account],
      );
      return row ? readPolicy(row.body) : noPolicy;
    },
    async apply(text, by) {
      const policy = readPolicy(text);
      await db.query('INSERT INTO policies (account_sid, body, digest, applied_by) VALUES ($1, $2, $3, $4)', [
        account,
        text,
        policy.digest,
        by,
      ]);
      return policy;
    },
  };
}

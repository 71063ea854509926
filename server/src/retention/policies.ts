import { type AccountSid, CustodyError } from '@flex-custody/core';
import type { Db } from '../db/db.ts';
import { comparePolicies, differenceFromUnreadable, type PolicyDifference } from './compare.ts';
import { type Days, noPolicy, type Policy, readPolicy } from './policy.ts';

/** A policy as it was applied. */
export interface AppliedPolicy {
  id: number;
  /** The file's text. It may name callers. */
  body: string;
  /** SHA-256 of the text. */
  digest: string;
  appliedAt: Date;
  appliedBy: string;
}

/** An applied policy in short, without its text. */
export interface PolicySummary extends Omit<AppliedPolicy, 'body'> {
  /** Absent if this release cannot read it. */
  says?: { otherwise: Days; rules: number; holds: number; namesCallers: boolean };
}

export interface Terms {
  /** Id of the policy that must still be in force, null: no policy; absent: any. */
  over?: number | null;
  /** Refuses a policy that holds or keeps less than the policy in force. */
  unlessWeaker?: boolean;
}

/** The policies of one account. The newest is in force for every process on this database. */
export interface Policies {
  /** @throws CustodyError `policy_invalid` if this release cannot read a policy that another release applied */
  inForce(): Promise<Policy>;
  /**
   * Puts a policy in force, in one transaction with the check of `terms`, so that of two processes the second one
   * compares with the first one's policy. A text that is in force already is not applied again.
   * @throws CustodyError `policy_invalid`, `policy_changed` (409), `policy_weaker` (409) with one line for each
   * difference
   */
  apply(text: string, by: string, terms?: Terms): Promise<Policy>;
  /** The policy in force; undefined if none was ever applied. */
  current(): Promise<AppliedPolicy | undefined>;
  /** Newest first. */
  history(limit: number): Promise<AppliedPolicy[]>;
  /** Whether a policy was ever applied: without one, retention erases nothing. */
  anyApplied(): Promise<boolean>;
}

interface Row {
  id: number;
  body: string;
  digest: string;
  applied_at: Date;
  applied_by: string;
}

const toApplied = (row: Row): AppliedPolicy => ({
  id: row.id,
  body: row.body,
  digest: row.digest,
  appliedAt: row.applied_at,
  appliedBy: row.applied_by,
});

export function createPolicies(db: Pick<Db, 'query' | 'transaction'>, account: AccountSid): Policies {
  const newest = async (from: Pick<Db, 'query'>, limit: number) =>
    (
      await from.query<Row>(
        `SELECT id, body, digest, applied_at, applied_by FROM policies
         WHERE account_sid = $1 ORDER BY id DESC LIMIT $2`,
        [account, limit],
      )
    ).map(toApplied);
  const current = async () => (await newest(db, 1))[0];
  /** Deletions ask for the policy for each recording: the same text is parsed once. */
  let last: Policy | undefined;
  return {
    current,
    history: (limit) => newest(db, limit),
    anyApplied: async () => (await current()) !== undefined,
    async inForce() {
      const found = await current();
      if (!found) return noPolicy;
      if (last?.digest !== found.digest) last = readPolicy(found.body);
      return last;
    },
    async apply(text, by, { over, unlessWeaker } = {}) {
      const policy = readPolicy(text);
      await db.transaction(async (inner) => {
        // Readers do not wait; of two that apply, the second one is compared with the policy that the first one has
        // written.
        await inner.query(`SET LOCAL lock_timeout = '10s'; LOCK TABLE policies IN SHARE ROW EXCLUSIVE MODE`);
        const [before] = await newest(inner, 1);
        if (over !== undefined && over !== (before?.id ?? null)) throw changed();
        if (before?.digest === policy.digest) return;
        const weaker = unlessWeaker ? differenceFrom(before, policy).weaker : [];
        if (weaker.length > 0) throw new CustodyError('policy_weaker', weaker.join('\n'));
        await inner.query(
          'INSERT INTO policies (account_sid, body, digest, applied_by) VALUES ($1, $2, $3, $4)',
          [account, text, policy.digest, by],
        );
      });
      return policy;
    },
  };
}

/** @param before undefined if none was ever applied */
export function differenceFrom(before: AppliedPolicy | undefined, after: Policy): PolicyDifference {
  const was = before ? readable(before) : noPolicy;
  return was ? comparePolicies(was, after) : differenceFromUnreadable(after);
}

/** Undefined if this release cannot read the policy. */
export function readable({ body }: AppliedPolicy): Policy | undefined {
  try {
    return readPolicy(body);
  } catch {
    return undefined;
  }
}

export function summaryOf(applied: AppliedPolicy): PolicySummary {
  const { body: _, ...others } = applied;
  const policy = readable(applied);
  if (!policy) return others;
  const { keep, holds } = policy;
  const namesCallers = holds.some(({ callers }) => callers.length > 0);
  return {
    ...others,
    says: { otherwise: keep.otherwise, rules: keep.rules.length, holds: holds.length, namesCallers },
  };
}

const changed = () =>
  new CustodyError('policy_changed', 'another policy was applied meanwhile: run it again');

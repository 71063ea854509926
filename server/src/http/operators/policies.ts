import { CustodyError, type RecordingSid } from '@flex-custody/core';
import type { LookupCatalog } from '../../catalog/lookup-catalog.ts';
import type { CallerDigest } from '../../retention/caller.ts';
import type { PolicyDifference } from '../../retention/compare.ts';
import { effectOnCatalog, noEffect, type PolicyEffect } from '../../retention/effect.ts';
import {
  type AppliedPolicy,
  differenceFrom,
  type Policies,
  type PolicySummary,
  readable,
  summaryOf,
} from '../../retention/policies.ts';
import { noPolicy, readPolicy } from '../../retention/policy.ts';

export interface PolicyComparison {
  /** Id of the policy in force that the file was compared with; null if there is none. */
  over: number | null;
  /** The file is in force already. */
  isInForce: boolean;
  difference: PolicyDifference;
  effect: PolicyEffect;
  /** The catalog has more after it: ask again from there, and add up. */
  next?: RecordingSid;
}

export interface PolicyApplication {
  text: string;
  by: string;
  /** The policy that the file was compared with. */
  over: number | null;
  /** The operator accepts that the file holds or keeps less. */
  weaker: boolean;
}

/** What operators do with the policy. */
export interface PolicyApi {
  /** The policy in force, if there is one. */
  policy(): Promise<{ applied?: AppliedPolicy }>;
  /** The last hundred policies, newest first. */
  policies(): Promise<PolicySummary[]>;
  /**
   * What a file would change, for as much of the catalog as some seconds allow.
   * @throws CustodyError `policy_invalid`
   */
  comparePolicy(text: string, after?: RecordingSid): Promise<PolicyComparison>;
  /** @throws CustodyError `policy_invalid`, `policy_changed`, `policy_weaker` */
  applyPolicy(application: PolicyApplication): Promise<PolicySummary>;
}

export interface PolicyApiDeps {
  catalog: Pick<LookupCatalog, 'inOrder'>;
  policies: Policies;
  callerDigest?: CallerDigest | undefined;
}

const mostListed = 100;
/** Well below the time limit of an answer. */
const pageMs = 2_000;

export function createPolicyApi({ catalog, policies, callerDigest }: PolicyApiDeps): PolicyApi {
  return {
    async policy() {
      const applied = await policies.current();
      return applied ? { applied } : {};
    },
    policies: async () => (await policies.history(mostListed)).map(summaryOf),
    async comparePolicy(text, after) {
      const policy = readPolicy(text);
      const current = await policies.current();
      const before = current ? readable(current) : noPolicy;
      const both = before && { before, after: policy, digest: callerDigest, now: Date.now() };
      return {
        over: current?.id ?? null,
        isInForce: current?.digest === policy.digest,
        difference: differenceFrom(current, policy),
        ...(both ? await effectOnCatalog(catalog, both, after, pageMs) : { effect: noEffect() }),
      };
    },
    async applyPolicy({ text, by, over, weaker }) {
      await policies.apply(text, by, { over, unlessWeaker: !weaker });
      const applied = await policies.current();
      if (!applied) throw new CustodyError('policy_changed', 'the policy that was applied does not exist');
      return summaryOf(applied);
    },
  };
}

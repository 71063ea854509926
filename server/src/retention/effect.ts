import type { RecordingSid } from '@flex-custody/core';
import type { LookupCatalog } from '../catalog/lookup-catalog.ts';
import type { RecordingRow } from '../catalog/recording-row.ts';
import type { CallerDigest } from './caller.ts';
import { isShorter } from './compare.ts';
import { daysOf, holdsOn, keptUntil } from './decide.ts';
import type { Policy } from './policy.ts';

/** A count of recordings, and the first SIDs of them. */
export interface Tally {
  count: number;
  first: RecordingSid[];
}

const tallied = ['longer', 'shorter', 'released', 'held', 'due'] as const;

/** The effect of another policy on the recordings of the catalog. */
export interface PolicyEffect extends Record<(typeof tallied)[number], Tally> {
  looked: number;
  /** Kept longer, or shorter, than under the policy before. */
  longer: Tally;
  shorter: Tally;
  /** Covered by a hold before, and by none now. */
  released: Tally;
  /** Covered by no hold before, and by one now. */
  held: Tally;
  /** The next run of retention would erase them, and would have kept them before. */
  due: Tally;
}

const mostNamed = 10;
const pageRows = 1_000;

export const noEffect = (): PolicyEffect => ({
  looked: 0,
  longer: { count: 0, first: [] },
  shorter: { count: 0, first: [] },
  released: { count: 0, first: [] },
  held: { count: 0, first: [] },
  due: { count: 0, first: [] },
});

export interface Both {
  before: Policy;
  after: Policy;
  /** Undefined if no secret for callers is set: callers are not identified. */
  digest: CallerDigest | undefined;
  /** Epoch ms. */
  now: number;
}

/** Counts the effect on these recordings, without erased ones. */
export function effectOn(rows: readonly RecordingRow[], { before, after, digest, now }: Both): PolicyEffect {
  const effect = noEffect();
  const count = (what: (typeof tallied)[number], sid: RecordingSid) => {
    effect[what].count += 1;
    if (effect[what].first.length < mostNamed) effect[what].first.push(sid);
  };
  for (const row of rows) {
    if (row.state === 'erased') continue;
    effect.looked += 1;
    const [was, is] = [before, after].map((policy) => ({
      days: daysOf(policy, row),
      held: holdsOn(policy, row, digest).length > 0,
      over: (keptUntil(policy, row)?.getTime() ?? Number.POSITIVE_INFINITY) <= now,
    })) as [Standing, Standing];
    if (isShorter(was.days, is.days)) count('longer', row.recordingSid);
    if (isShorter(is.days, was.days)) count('shorter', row.recordingSid);
    if (was.held && !is.held) count('released', row.recordingSid);
    if (!was.held && is.held) count('held', row.recordingSid);
    if (is.over && !is.held && !(was.over && !was.held)) count('due', row.recordingSid);
  }
  return effect;
}

interface Standing {
  days: ReturnType<typeof daysOf>;
  held: boolean;
  over: boolean;
}

/** Adds the effects on two parts of the catalog; the first part comes first by SID. */
export function addEffects(a: PolicyEffect, b: PolicyEffect): PolicyEffect {
  const sum: PolicyEffect = { ...noEffect(), looked: a.looked + b.looked };
  for (const what of tallied)
    sum[what] = {
      count: a[what].count + b[what].count,
      first: [...a[what].first, ...b[what].first].slice(0, mostNamed),
    };
  return sum;
}

/**
 * Counts the effect on the catalog after `after`, for about `forMs`.
 * @returns also `next`, from which to continue; absent at the catalog's end
 */
export async function effectOnCatalog(
  catalog: Pick<LookupCatalog, 'inOrder'>,
  both: Both,
  after: RecordingSid | undefined,
  forMs: number,
): Promise<{ effect: PolicyEffect; next?: RecordingSid }> {
  const end = performance.now() + forMs;
  let effect = noEffect();
  let next = after;
  do {
    const rows = await catalog.inOrder(next, pageRows);
    effect = addEffects(effect, effectOn(rows, both));
    next = rows.length < pageRows ? undefined : rows.at(-1)?.recordingSid;
  } while (next !== undefined && performance.now() < end);
  return { effect, ...(next !== undefined && { next }) };
}

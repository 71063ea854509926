import type { RecordingSid } from '@flex-custody/core';
import type { LookupCatalog } from '../catalog/lookup-catalog.ts';
import type { RecordingRow } from '../catalog/recording-row.ts';
import type { CallerDigest } from './caller.ts';
import { isShorter } from './compare.ts';
import { daysOf, holdsOn, keptUntil } from './decide.ts';
import type { Policy } from './policy.ts';

/** Some recordings: how many, and the first of them by SID. */
export interface Tally {
  count: number;
  first: RecordingSid[];
}

const tallied = ['longer', 'shorter', 'released', 'held', 'due'] as const;

/** What another policy does to the recordings of the catalog. */
export interface PolicyEffect extends Record<(typeof tallied)[number], Tally> {
  looked: number;
  /** Kept longer, and shorter, than by the policy before. */
  longer: Tally;
  shorter: Tally;
  /** Under a hold before, and under none any more. */
  released: Tally;
  /** Under no hold before. */
  held: Tally;
  /** The next retention would erase them, and would not have before. */
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
  /** Undefined where callers cannot be told. */
  digest: CallerDigest | undefined;
  /** Epoch ms. */
  now: number;
}

/** What has ended is under no policy any more. */
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

/** Of two parts of the catalog, the first part first. */
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
 * Looks at the catalog behind `after`, for about `forMs`.
 * @returns also `next`, behind which to go on; absent at the catalog's end
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

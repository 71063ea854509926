import { callDirections } from '@flex-custody/core';
import { daysOf } from './decide.ts';
import { plainText } from './numbers.ts';
import type { Days, HeldCaller, Hold, Policy } from './policy.ts';
import { queueKey } from './queue-names.ts';

/** Calls whose period another policy changes. */
export interface PeriodChange {
  /** The calls in words: `inbound in Sales`, `in other queues`, `all`. */
  calls: string;
  before: Days;
  after: Days;
}

/** The differences between two policies, independent of the recordings. It names holds, queues and counts, never a phone number. */
export interface PolicyDifference {
  holds: {
    come: string[];
    gone: string[];
    /** Holds that cover less than before, with what each loses. */
    narrower: { id: string; loses: string }[];
    /** Ids of holds that cover more than before, and lose nothing. */
    wider: string[];
  };
  periods: PeriodChange[];
  /**
   * Queues that a rule named before and no rule names now: their calls have another period now, and a queue that is only
   * renamed in TaskRouter looks the same.
   */
  queuesDropped: string[];
  /** Each way in which the policy holds or keeps less than before, one line each; empty: it holds and keeps at least as much. */
  weaker: string[];
}

/** Compares the holds by their ids, and the periods of every kind of call that the rules of either policy distinguish. */
export function comparePolicies(before: Policy, after: Policy): PolicyDifference {
  const holds = compareHolds(before.holds, after.holds);
  const periods = comparePeriods(before, after);
  const named = new Set(after.keep.rules.flatMap(({ queueKeys = [] }) => queueKeys));
  const dropped = [...queuesOf(before)].filter(([key]) => !named.has(key)).map(([, name]) => name);
  const shorter = periods.filter(({ before: was, after: is }) => isShorter(is, was));
  return {
    holds,
    periods,
    queuesDropped: dropped,
    weaker: [
      ...holds.gone.map((id) => `hold ${id} is gone`),
      ...holds.narrower.map(({ id, loses }) => `hold ${id} loses ${loses}`),
      ...shorter.map(lineOf),
    ],
  };
}

/** The difference from an unreadable policy: it may have held everything. */
export const differenceFromUnreadable = (after: Policy): PolicyDifference => ({
  holds: { come: after.holds.map(({ id }) => id), gone: [], narrower: [], wider: [] },
  periods: [],
  queuesDropped: [],
  weaker: ['this release cannot read the policy in force, which may hold every recording'],
});

export const lineOf = ({ calls, before, after }: PeriodChange): string =>
  `${calls === 'all' ? 'all calls' : `calls ${calls}`}: kept ${inWords(after)} instead of ${inWords(before)}`;

export const inWords = (days: Days): string => (days === 'forever' ? 'for ever' : `for ${days} days`);

export function isShorter(a: Days, b: Days): boolean {
  if (a === 'forever') return false;
  return b === 'forever' || a < b;
}

function compareHolds(before: readonly Hold[], after: readonly Hold[]): PolicyDifference['holds'] {
  const was = new Map(before.map((hold) => [hold.id, hold]));
  const is = new Map(after.map((hold) => [hold.id, hold]));
  const narrower: PolicyDifference['holds']['narrower'] = [];
  const wider: string[] = [];
  for (const [id, old] of was) {
    const now = is.get(id);
    if (!now) continue;
    const loses = losses(old, now);
    if (loses.length > 0) narrower.push({ id, loses: loses.join(', ') });
    else if (losses(now, old).length > 0) wider.push(id);
  }
  return {
    come: after.filter(({ id }) => !was.has(id)).map(({ id }) => id),
    gone: before.filter(({ id }) => !is.has(id)).map(({ id }) => id),
    narrower,
    wider,
  };
}

function losses(old: Hold, now: Hold): string[] {
  const found: string[] = [];
  const count = (what: string, lost: number, of: number) => {
    if (lost > 0) found.push(`${lost} of its ${of} ${what}`);
  };
  count('recordings', without(old.recordings, now.recordings), old.recordings.size);
  count('tasks', without(old.tasks, now.tasks), old.tasks.size);
  // A hold that names callers also covers each recording whose caller is unknown, so a hold without callers loses those.
  const forms = new Set(now.callers.flatMap(formsOf));
  const lost = old.callers.filter((caller) => !formsOf(caller).every((form) => forms.has(form)));
  count('callers, as they are written', lost.length, old.callers.length);
  const { range } = old;
  if (range && !(now.range && now.range.from <= range.from && now.range.to >= range.to))
    found.push('some of its days');
  return found;
}

/** Earlier releases did not normalise numbers: a hold also finds callers whose number is written in the same way. */
const formsOf = ({ number, written }: HeldCaller): string[] => [number, plainText(written)];

const without = <T>(old: ReadonlySet<T>, now: ReadonlySet<T>): number =>
  [...old].filter((one) => !now.has(one)).length;

/** The queues' names as the policy writes them, by key. */
function queuesOf({ keep }: Policy): Map<string, string> {
  return new Map(keep.rules.flatMap(({ queues = [] }) => queues).map((name) => [queueKey(name), name]));
}

/** A name that no queue of TaskRouter has. */
const unnamed = '\u0000';

/** Compares every kind of call that the rules distinguish, including calls with unknown queue or direction. */
function comparePeriods(before: Policy, after: Policy): PeriodChange[] {
  const queues: [string, { queue?: string }][] = [
    ...[...new Map([...queuesOf(before), ...queuesOf(after)]).values()].map(
      (name): [string, { queue: string }] => [`in ${name}`, { queue: name }],
    ),
    ['in other queues', { queue: unnamed }],
    ['in an unknown queue', {}],
  ];
  const each = queues.map(([place, queue]) => {
    const changes = [...callDirections, undefined].map((direction) => {
      const facts = { ...queue, ...(direction && { direction }) };
      const of = direction ?? 'of unknown direction';
      return { calls: `${of} ${place}`, before: daysOf(before, facts), after: daysOf(after, facts) };
    });
    return isOne(changes) ? changes.slice(0, 1).map((change) => ({ ...change, calls: place })) : changes;
  });
  const changes = each.flat();
  const all = isOne(changes) ? changes.slice(0, 1).map((change) => ({ ...change, calls: 'all' })) : changes;
  return all.filter((change) => change.before !== change.after);
}

const isOne = (changes: readonly PeriodChange[]): boolean =>
  changes.every(({ before, after }) => before === changes[0]?.before && after === changes[0]?.after);

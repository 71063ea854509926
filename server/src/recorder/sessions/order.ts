/** The order of facts that have no version: by time, then by the event's id, so that it never depends on arrival. */
export const byTime = (a: Timed, b: Timed): number => a.at - b.at || compareText(a.id, b.id);

export interface Timed {
  at: number;
  id: string;
}

export const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/**
 * Orders facts by version, and by time within one version. A fact without a version has that of the fact before it in time.
 * @param facts ordered by {@link byTime}
 */
export function byVersion<T extends Timed>(
  facts: readonly T[],
  versionOf: (fact: T) => number | undefined,
): T[] {
  let before = 0;
  return facts
    .map((fact) => {
      const version = versionOf(fact) ?? before;
      before = Math.max(before, version);
      return { fact, version };
    })
    .sort((a, b) => a.version - b.version)
    .map(({ fact }) => fact);
}

/** The last defined value. */
export function lastOf<T, V>(facts: readonly T[], read: (fact: T) => V | undefined): V | undefined {
  for (let index = facts.length - 1; index >= 0; index -= 1) {
    const fact = facts[index];
    const value = fact === undefined ? undefined : read(fact);
    if (value !== undefined) return value;
  }
  return undefined;
}

/** Ms; undefined of none. */
export const earliest = (times: readonly number[]): number | undefined =>
  times.length === 0 ? undefined : times.reduce((a, b) => Math.min(a, b));
export const latest = (times: readonly number[]): number | undefined =>
  times.length === 0 ? undefined : times.reduce((a, b) => Math.max(a, b));

/** The items of each key, in their order. */
export function groupBy<T, K>(items: readonly T[], keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}

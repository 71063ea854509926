/** What was found, by name; `done` is how many were looked at. */
export interface Tally {
  count(name: string): void;
  readonly counts: Record<string, number>;
}

export function createTally(before: Readonly<Record<string, number>> = {}): Tally {
  const counts: Record<string, number> = { ...before };
  return {
    counts,
    count(name) {
      counts[name] = (counts[name] ?? 0) + 1;
    },
  };
}

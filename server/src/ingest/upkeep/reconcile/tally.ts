import type { Run } from '../../../runs/runs.ts';

/** Listed by name for whoever asked; more are only counted, and all are in the log. */
const mostNamed = 100;

/** What was found, by name; `done` is how many were looked at. */
export interface Tally {
  count(name: string): void;
  /** Notes what became of one, for whoever watches. */
  name(which: string, what: string): void;
  readonly counts: Record<string, number>;
  /** What was named, to be saved with the state of the run. */
  readonly named: { notes?: Record<string, string>; unnamed?: number };
}

export function createTally(before: Pick<Run, 'counts' | 'state'> = { counts: {}, state: undefined }): Tally {
  const counts: Record<string, number> = { ...before.counts };
  const notes = new Map(
    Object.entries((before.state?.['notes'] as Record<string, string> | undefined) ?? {}),
  );
  let unnamed = typeof before.state?.['unnamed'] === 'number' ? before.state['unnamed'] : 0;
  return {
    counts,
    count(name) {
      counts[name] = (counts[name] ?? 0) + 1;
    },
    name(which, what) {
      if (notes.has(which) || notes.size < mostNamed) notes.set(which, what);
      else unnamed += 1;
    },
    get named() {
      return {
        ...(notes.size > 0 && { notes: Object.fromEntries(notes) }),
        ...(unnamed > 0 && { unnamed }),
      };
    },
  };
}

import type { Run } from '../../../runs/runs.ts';

/** So many recordings are listed by SID for the operator; more are only counted, and all are in the log. */
const mostNamed = 100;

/** The findings by name; `done` is how many recordings were checked. */
export interface Tally {
  count(name: string): void;
  /** Notes the result for one recording, for the operator. */
  name(which: string, what: string): void;
  readonly counts: Record<string, number>;
  /** The noted results, to be saved with the state of the run. */
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

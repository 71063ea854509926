import { type HoldSource, holdSources } from './facts/fact.ts';

/** One source says that something is on from a moment, or off. */
export interface Signal {
  /** Epoch ms. */
  at: number;
  on: boolean;
  source: HoldSource;
}

/** From an "on" to the next "off". Times are epoch ms. */
export interface Span {
  startedAt: number;
  endedAt?: number;
  sources: HoldSource[];
}

/** Two sources that say the same within this many ms mean one moment: clocks and requests differ by less. */
export const sameMomentMs = 5_000;

interface Change {
  at: number;
  on: boolean;
  sources: Set<HoldSource>;
}

const rank = (source: HoldSource): number => holdSources.indexOf(source);
const best = (sources: Iterable<HoldSource>): number => Math.min(...[...sources].map(rank));

/**
 * Merges what several sources say of one leg. A signal is the same as an earlier one of another source if both say the same
 * within {@link sameMomentMs}; the more exact source then gives the time. What only repeats the state changes nothing.
 * @param signals in order of time; those of a conference in order of its sequence numbers
 */
export function spansOf(signals: readonly Signal[]): Span[] {
  const changes: Change[] = [];
  let on = false;
  for (const signal of signals) {
    const same = sameMoment(changes, signal);
    if (same) {
      if (rank(signal.source) < best(same.sources)) same.at = signal.at;
      same.sources.add(signal.source);
    } else if (signal.on !== on && !isStale(changes.at(-1), signal)) {
      changes.push({ at: signal.at, on: signal.on, sources: new Set([signal.source]) });
      on = signal.on;
    }
  }
  return changes.flatMap((change, index): Span[] => {
    if (!change.on) return [];
    const end = changes[index + 1];
    const sources = new Set([...change.sources, ...(end?.sources ?? [])]);
    return [
      {
        startedAt: change.at,
        ...(end && { endedAt: Math.max(change.at, end.at) }),
        sources: holdSources.filter((source) => sources.has(source)),
      },
    ];
  });
}

/** The first earlier change that the signal's source has not told yet. */
function sameMoment(changes: readonly Change[], signal: Signal): Change | undefined {
  let found: Change | undefined;
  for (let index = changes.length - 1; index >= 0; index -= 1) {
    const change = changes[index];
    if (!change || signal.at - change.at > sameMomentMs) break;
    if (change.on === signal.on && !change.sources.has(signal.source)) found = change;
  }
  return found;
}

/** A look at the participants that was taken while the state changed shows the state of before. */
const isStale = (last: Change | undefined, signal: Signal): boolean =>
  signal.source === 'participants' && last !== undefined && signal.at - last.at <= sameMomentMs;

import type { Alarms } from '../../alarms/alarms.ts';

/** Why the host did not take a request with events. */
export type EventRefusal =
  | 'method'
  | 'rate'
  | 'configuration'
  | 'signature'
  | 'body_hash'
  | 'too_large'
  | 'database'
  | 'failed';

export interface EventRefusals {
  /** Counts the request, and raises the alarm `events_refused`, at most once a minute. */
  refused(why: EventRefusal, address: string): void;
  /** Resolves the alarm. */
  accepted(): void;
}

const everyMs = 60_000;
const mostNamed = 3;
const mostCounted = 1_000;

/** @param now epoch ms */
export function createEventRefusals(
  alarms: Pick<Alarms, 'raise' | 'resolve'>,
  now: () => number = Date.now,
): EventRefusals {
  let counts = new Map<string, number>();
  let raisedAt = Number.NEGATIVE_INFINITY;
  // Another process may have raised it.
  let resolvedAt = Number.NEGATIVE_INFINITY;
  let last: Promise<unknown> = Promise.resolve();
  /** One after the other, and none of them delays an answer. Without the database no alarm can be raised. */
  const next = (work: () => Promise<unknown>) => {
    last = last.then(work).catch(() => undefined);
  };
  return {
    refused(why, address) {
      const key = `${why} from ${address}`;
      if (counts.has(key) || counts.size < mostCounted) counts.set(key, (counts.get(key) ?? 0) + 1);
      if (now() - raisedAt < everyMs) return;
      const detail = [...counts]
        .sort(([, one], [, other]) => other - one)
        .slice(0, mostNamed)
        .map(([name, count]) => `${count} × ${name}`)
        .join(', ');
      raisedAt = now();
      resolvedAt = Number.NEGATIVE_INFINITY;
      counts = new Map();
      next(() => alarms.raise('events_refused', undefined, detail));
    },
    accepted() {
      if (now() - resolvedAt < everyMs) return;
      resolvedAt = now();
      raisedAt = Number.NEGATIVE_INFINITY;
      next(() => alarms.resolve(['events_refused']));
    },
  };
}

import type { BrevoSettings } from './settings.ts';

/** An event that Brevo has taken. */
export interface BrevoEvent {
  name: string;
  /** Epoch ms. */
  at: number;
  contactId: number;
  properties: Readonly<Record<string, unknown>>;
  contactProperties: Readonly<Record<string, unknown>>;
  receivedAt: number;
  from: 'alone' | 'batch';
}

export interface EventQuery {
  names: readonly string[];
  contactIds: readonly number[];
  /** Epoch ms, both included. */
  from: number;
  to: number;
}

export interface BrevoEvents {
  /** In the order in which they came. */
  all(): readonly BrevoEvent[];
  add(event: Omit<BrevoEvent, 'receivedAt'>): void;
  /** Those that are listed by now, newest first. */
  find(query: EventQuery): readonly BrevoEvent[];
  /** A contact is merged into another. */
  move(from: number, to: number): void;
  clear(): void;
}

/** @param requests how many requests have come so far */
export function createEvents(
  settings: BrevoSettings,
  now: () => number,
  requests: () => number,
): BrevoEvents {
  let all: (BrevoEvent & { afterRequests: number; after: number })[] = [];
  return {
    all: () => all,
    add(event) {
      all.push({
        ...event,
        receivedAt: now(),
        afterRequests: requests() + settings.appearAfterRequests,
        after: now() + settings.appearAfterMs,
      });
    },
    find({ names, contactIds, from, to }) {
      const [at, count] = [now(), requests()];
      return all
        .filter(
          (one) =>
            one.after <= at &&
            one.afterRequests <= count &&
            one.at >= from &&
            one.at <= to &&
            (names.length === 0 || names.includes(one.name)) &&
            (contactIds.length === 0 || contactIds.includes(one.contactId)),
        )
        .sort((a, b) => b.at - a.at);
    },
    move(from, to) {
      for (const one of all) if (one.contactId === from) one.contactId = to;
    },
    clear() {
      all = [];
    },
  };
}

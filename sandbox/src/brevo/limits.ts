import type { BrevoSettings } from './settings.ts';

export const limitClasses = ['events', 'batch', 'contacts', 'other'] as const;
export type LimitClass = (typeof limitClasses)[number];

/** @param path below /v3 */
export function classOf(method: string, path: string): LimitClass {
  if (/^\/contacts(\/|$)/.test(path)) return 'contacts';
  if (method === 'POST' && path === '/events') return 'events';
  if (method === 'POST' && path === '/events/batch') return 'batch';
  return 'other';
}

/** Of the General plan: requests in a window. Brevo publishes none for the batch; this is the double's own. */
const figures: Readonly<Record<LimitClass, { requests: number; windowMs: number }>> = {
  events: { requests: 10, windowMs: 1_000 },
  batch: { requests: 2, windowMs: 1_000 },
  contacts: { requests: 10, windowMs: 1_000 },
  other: { requests: 100, windowMs: 3_600_000 },
};
const times = { general: 1, advanced: 2, extended: 6 } as const;

export interface Turn {
  taken: boolean;
  limit: number;
  remaining: number;
  /** Whole seconds from now, at least 1, as Brevo's header states them. */
  resetSeconds: number;
}

export interface Limits {
  /** Counts a request of the class; one that exceeds the limit is not counted. */
  take(of: LimitClass): Turn;
  clear(): void;
}

export function createLimits(settings: BrevoSettings, now: () => number): Limits {
  /** Of each class the times of its requests in the window, oldest first. */
  const taken = new Map<LimitClass, number[]>();
  return {
    take(of) {
      const { requests, windowMs } = figures[of];
      const limit = Math.max(1, Math.floor(requests * times[settings.plan] * settings.limits));
      const at = now();
      const isFixed = settings.windows === 'fixed';
      const begins = isFixed ? Math.floor(at / windowMs) * windowMs : at - windowMs + 1;
      const inWindow = taken.get(of) ?? [];
      while (inWindow[0] !== undefined && inWindow[0] < begins) inWindow.shift();
      const free = inWindow.length < limit;
      if (free) inWindow.push(at);
      taken.set(of, inWindow);
      const ends = isFixed ? begins + windowMs : (inWindow[0] ?? at) + windowMs;
      return {
        taken: free,
        limit,
        remaining: limit - inWindow.length,
        resetSeconds: Math.max(1, Math.ceil((ends - at) / 1_000)),
      };
    },
    clear: () => taken.clear(),
  };
}

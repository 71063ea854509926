import type { PauseSettings } from '@flex-custody/core';

/** Whether agents may pause, as the host says. Where it is silent they may: the caller's privacy comes first. */
export interface PausePolicy {
  readonly current: PauseSettings;
  /** Asks the host, unless it answered lately. */
  refresh(): Promise<void>;
  /** A Function said that pausing is off. */
  disable(): void;
  subscribe(listener: () => void): () => void;
}

const silent: PauseSettings = { enabled: true, behavior: 'silence', resumeAfterSeconds: 0 };
export const freshMs = 300_000;

export function pausePolicy(ask: () => Promise<PauseSettings | undefined>, now: () => number): PausePolicy {
  let current = silent;
  let answeredAt = Number.NEGATIVE_INFINITY;
  const listeners = new Set<() => void>();
  const change = (next: PauseSettings): void => {
    current = next;
    for (const listener of listeners) listener();
  };
  return {
    get current() {
      return current;
    },
    async refresh() {
      if (now() - answeredAt < freshMs) return;
      const answer = await ask().catch(() => undefined);
      if (!answer) return;
      answeredAt = now();
      change(answer);
    },
    disable: () => change({ ...current, enabled: false }),
    subscribe(listener) {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
  };
}

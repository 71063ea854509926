import type { Pace } from '../pace.ts';

/** Of tests: nothing waits long, and nothing expires by itself. */
export const testPace: Pace = {
  leaseMs: 3_600_000,
  lookMs: 10,
  listMs: 10,
  readMs: 1,
  idleMs: 5,
  silentMs: 3_600_000,
  retryMs: 1,
  limit: 10,
};

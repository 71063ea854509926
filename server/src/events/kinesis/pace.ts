import { setTimeout as sleep } from 'node:timers/promises';

/** Times of a consumer, in ms. */
export interface Pace {
  /** A lease without a beat for so long is free. With one look, it is the longest wait for a dead process's shards. */
  leaseMs: number;
  /** Between two looks at the leases, each with a beat. */
  lookMs: number;
  /** Between two listings of the stream's shards, and two looks for new settings. */
  listMs: number;
  /** Between two reads of a shard: Kinesis allows five a second, which other consumers share. */
  readMs: number;
  /** The same at the end of the shard. */
  idleMs: number;
  /** After so long without a successful read a shard is silent, and taken again. */
  silentMs: number;
  /** The first pause after a failure; each further one is about twice as long, up to twenty times. */
  retryMs: number;
  /** Records of one read. */
  limit: number;
}

export const usualPace: Pace = {
  leaseMs: 10_000,
  lookMs: 2_000,
  listMs: 5_000,
  readMs: 250,
  idleMs: 500,
  silentMs: 60_000,
  retryMs: 500,
  limit: 1_000,
};

/** Ends early, and without an error, when the signal aborts. */
export type Pause = (ms: number, signal: AbortSignal) => Promise<void>;

export const pause: Pause = (ms, signal) => sleep(ms, undefined, { signal }).catch(() => undefined);

/** The pause before a further try, from half to the whole of its length by chance: processes must not try all at once. */
export function retryPause(failures: number, { retryMs }: Pick<Pace, 'retryMs'>): number {
  const whole = retryMs * Math.min(2 ** (failures - 1), 20);
  return whole * (0.5 + Math.random() / 2);
}

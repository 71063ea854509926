import type PgBoss from 'pg-boss';
import type { Job } from './job.ts';
import type { SendOptions } from './queue.ts';
import { keptSeconds } from './start-boss.ts';

/** The singleton key: one job with the same name and key waits at a time. */
export function keyOf<D extends object>(job: Job<D>, data: D, once?: string): string {
  const key = job.key(data);
  if (once === undefined) return key;
  return key === '' ? once : `${once}:${key}`;
}

type Times = Pick<PgBoss.JobInsert, 'startAfter' | 'keepUntil'>;

/** Start of a job in pg-boss's terms, where a text is a number of seconds from now. */
export function timesOf({ since, startAfterMs }: SendOptions): Times {
  if (startAfterMs) return { startAfter: String(startAfterMs / 1_000) };
  if (since === undefined) return {};
  // pg-boss counts how long it keeps a job from its start: with an old start the job might expire before it begins.
  const now = Date.now();
  return {
    startAfter: new Date(Math.min(since.getTime(), now)),
    keepUntil: new Date(now + keptSeconds * 1_000),
  };
}

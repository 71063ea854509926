import { setTimeout as sleep } from 'node:timers/promises';

/** Longer than a busy machine takes, since only what fails waits it out. */
export const patienceMs = 60_000;

/** @throws Error when it is not `done` within `ms` */
export async function until(done: () => boolean | Promise<boolean>, ms = patienceMs): Promise<void> {
  for (const end = Date.now() + ms; !(await done()); await sleep(10))
    if (Date.now() > end) throw new Error(`not within ${ms / 1_000} s: ${done}`);
}

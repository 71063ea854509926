import { errorCode } from '@flex-custody/core';
import type { Alarms } from '../catalog/alarms.ts';
import type { Queue } from '../queue/queue.ts';
import type { Runs } from '../runs/runs.ts';
import { eraseExpired, type KeepingParts } from './erase.ts';

const everySeconds = 60 * 60;

export interface RetentionParts extends KeepingParts {
  alarms: Pick<Alarms, 'raise' | 'mended'>;
  queue: Pick<Queue, 'work' | 'every'>;
  runs: Pick<Runs, 'run'>;
}

/** Erases by the hour what the policy keeps no longer, where there is a policy. */
export async function startRetention(parts: RetentionParts): Promise<void> {
  const { config, queue } = parts;
  await queue.work('retention', { concurrency: 1 }, (_data, { signal }) => retainNow(parts, signal));
  if (config.policyFile !== undefined) await queue.every('retention', everySeconds);
}

export async function retainNow(parts: RetentionParts, signal: AbortSignal): Promise<void> {
  const { alarms, log, runs } = parts;
  // Also of a schedule that an earlier setting has left.
  if (parts.config.policyFile === undefined) return;
  try {
    const { counts } = await runs.run('retention', {}, (run) => eraseExpired(parts, run), signal);
    await alarms.mended(['retention_failed']);
    if ((counts['erased'] ?? 0) > 0)
      log.info({ event: 'retained', ...counts }, 'what was kept long enough is erased');
  } catch (error) {
    const code = errorCode(error);
    // Another process is at it.
    if (code === 'run_busy') return;
    // Nothing is erased by a policy that nobody can read: somebody has to look.
    if (code === 'policy_invalid') {
      await alarms.raise('retention_failed', undefined, code);
      log.warn({ code }, 'nothing is erased by the policy: see `flex-custody policy check`');
      return;
    }
    throw error;
  }
}

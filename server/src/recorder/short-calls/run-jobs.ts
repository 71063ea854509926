import { errorCode } from '@flex-custody/core';
import { jobRunner } from '../../dead-jobs.ts';
import type { RunJob } from '../../queue/job.ts';
import type { Runs } from '../../runs/runs.ts';
import { deleteShortCalls, type ShortCallDeps } from './delete-short-calls.ts';
import { shortCallJobs } from './jobs.ts';
import { minimumLength } from './look-at-short.ts';

export interface ShortJobDeps extends ShortCallDeps {
  runs: Pick<Runs, 'run'>;
}

/** The maintenance tick. */
const everySeconds = 300;

/** Errors that no retry resolves: an operator has to act, and an alarm says so. */
const needsOperator = new Set(['policy_invalid', 'retention_braked', 'clock_differs']);

export const runShortCalls = (deps: ShortJobDeps): readonly RunJob[] => [
  jobRunner(deps.alarms)(shortCallJobs.shortCalls, {
    everySeconds,
    dead: ({ error }) => deps.alarms.raise('short_failed', undefined, error.code),
    run: (_data, { signal }) => deleteNow(deps, signal),
  }),
];

/** Deletes the audio of the calls that are due now. */
export async function deleteNow(deps: ShortJobDeps, signal: AbortSignal): Promise<void> {
  const { alarms, log, runs } = deps;
  const settings = await minimumLength(deps);
  if (settings?.minimumSeconds === 0)
    return alarms.resolve(['short_failed', 'short_braked', 'short_disputed']);
  try {
    const { counts } = await runs.run('short-calls', {}, (run) => deleteShortCalls(deps, run), signal);
    const failed = Object.keys(counts).filter((name) => name.startsWith('failed_'));
    if (failed.length > 0) await alarms.raise('short_failed', undefined, failed.join(', '));
    else await alarms.resolve(['short_failed']);
    if ((counts['erased'] ?? 0) > 0)
      log.info({ event: 'short-calls.deleted', ...counts }, 'the audio of short calls was deleted');
  } catch (error) {
    const code = errorCode(error);
    if (code === 'run_busy') return;
    if (!needsOperator.has(code)) throw error;
    // The other codes have alarms of their own.
    if (code === 'policy_invalid') await alarms.raise('short_failed', undefined, code);
    log.warn({ code }, 'no audio of short calls was deleted: see `flex-custody alarms`');
  }
}

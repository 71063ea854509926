import type { Alarms } from '../alarms/alarms.ts';
import type { AgedRows, Slice } from '../catalog/aged-rows.ts';
import type { KeepingCatalog } from '../catalog/keeping-catalog.ts';
import type { Config } from '../config.ts';
import { jobRunner } from '../dead-jobs.ts';
import type { RunJob } from '../queue/job.ts';
import type { Queue } from '../queue/queue.ts';
import { retentionJobs } from './jobs.ts';

const everySeconds = 60 * 60;

/** Slices of one table in one job, so that a first job over years of rows ends, and another one continues. */
const mostSlices = 100;

export interface TrimDeps {
  aged: AgedRows;
  alarms: Pick<Alarms, 'raise' | 'resolve'>;
  catalog: Pick<KeepingCatalog, 'reclaim'>;
  config: Pick<Config, 'keepDays'>;
  log: { info(fields: object, message: string): void };
  queue: Pick<Queue, 'send'>;
}

export const runTrim = (deps: TrimDeps): RunJob =>
  jobRunner(deps.alarms)(retentionJobs.trim, {
    everySeconds,
    async run(_data, { signal }) {
      const { hasMore } = await trimNow(deps, signal);
      if (hasMore) await deps.queue.send(retentionJobs.trim, {}, { once: 'more' });
    },
  });

/**
 * Removes old rows other than recordings; docs/retention.md has the list.
 * @returns whether more is left to remove
 */
export async function trimNow(
  { aged, alarms, catalog, config, log }: Omit<TrimDeps, 'queue'>,
  signal: AbortSignal,
): Promise<{ hasMore: boolean }> {
  const { keepDays } = config;
  const tables: readonly [name: string, remove: () => Promise<Slice>][] = [
    ['alarms', () => aged.alarms(keepDays.alarms)],
    ['runs', () => aged.runs(keepDays.runs)],
    ['retained', () => aged.retained()],
    ['reports', () => aged.reports(keepDays.reports)],
    ['pauses', () => aged.pauses(keepDays.reports)],
    ['identities', () => aged.identities(keepDays.reports)],
    ['events', () => aged.events(keepDays.events)],
    ['events_set_aside', () => aged.eventsSetAside(keepDays.events)],
    ['contacts', () => aged.sessions(keepDays.reports)],
    ['connector_interactions', () => aged.interactions(keepDays.reports)],
    ['connector_agent_days', () => aged.agentDays(keepDays.reports)],
    ['erased_sids', () => aged.erasedSids()],
  ];
  const counts: Record<string, number> = {};
  let hasMore = false;
  for (const [name, remove] of tables) {
    let done: Slice = { removed: 0, hasMore: true };
    for (let slices = 0; slices < mostSlices && done.hasMore; slices += 1) {
      signal.throwIfAborted();
      done = await remove();
      if (done.removed > 0) counts[name] = (counts[name] ?? 0) + done.removed;
    }
    hasMore ||= done.hasMore;
  }
  // Also if nothing was removed: each update of a row leaves a dead row.
  await catalog.reclaim();
  await alarms.resolve(['trim_failed']);
  if (Object.keys(counts).length > 0)
    log.info({ event: 'trimmed', ...counts }, 'old alarms, runs and reports removed');
  return { hasMore };
}

import type { RecordingSid } from '@flex-custody/core';
import { jobRunner } from '../dead-jobs.ts';
import type { RunJob } from '../queue/job.ts';
import { copyDead } from './copy/bury.ts';
import { copyJob } from './copy/copy-job.ts';
import type { IngestDeps } from './deps.ts';
import { createGate, untilCalm } from './intake/gate.ts';
import { ingestJobs } from './jobs.ts';
import { type Linker, linkDead } from './link/linker.ts';
import { createJanitor } from './upkeep/janitor-job.ts';
import { compareNow, lookNow } from './upkeep/reconcile/schedule.ts';
import { signNow, signSeconds } from './upkeep/sign-job.ts';
import { deleteSources } from './upkeep/sources-job.ts';
import { describeDead, describeJob } from './verify/describe-job.ts';
import { measureJob } from './verify/measure-job.ts';
import { proofInVain, proveJob } from './verify/prove-job.ts';
import { verifyDead, verifyJob } from './verify/verify-job.ts';

/** Seconds between two runs of the job that deletes due originals. */
const sourcesSeconds = 15 * 60;
/** Seconds between two sweeps: the work of a killed worker waits until its lease lapses, and then up to this long. */
const sweepSeconds = 60;
/** Seconds between two checks whether the bucket is due to be compared again, or an unfinished pass is to be continued. */
const compareSeconds = 60 * 60;

/** Jobs at once: one third copies, one third verifies the copies, and one third asks what a copy needs to know. */
export const copyJobs = (copiesAtOnce: number): number => 3 * copiesAtOnce;
/** Half of them read, and the other half is fetched in advance, so that a backlog needs fewer database requests. */
const verifyJobs = (copiesAtOnce: number): number => 2 * copiesAtOnce;

/**
 * The jobs that a worker runs in this room.
 * @param options for tests: with `verifiesApart` each verification is a job of its own, even if the copy was made here
 */
export function runIngest(
  deps: IngestDeps,
  linker: Linker,
  { verifiesApart = false } = {},
): readonly RunJob[] {
  const { alarms, catalog, config, queue } = deps;
  const running = jobRunner(alarms);
  const inTurn = createGate(config.copiesAtOnce);
  const readInTurn = createGate(config.copiesAtOnce);
  const verifying = new Set<RecordingSid>();
  const verify = async (sid: RecordingSid, signal: AbortSignal) => {
    // To the janitor a long job looks like a lost one: a recording that is being read needs no second reader.
    if (verifying.has(sid)) return;
    verifying.add(sid);
    try {
      await readInTurn(() => verifyJob(deps, sid, signal));
    } finally {
      verifying.delete(sid);
    }
  };
  const janitor = createJanitor(deps);
  const { everyMinutes } = config.reconcile;
  const ifReconciling = (seconds: number) => (everyMinutes > 0 ? { everySeconds: seconds } : {});
  return [
    // The job that copies also verifies: another job would cost four statements. After a kill the janitor sends the
    // verification.
    running(ingestJobs.copy, {
      concurrency: copyJobs(config.copiesAtOnce),
      run: ({ recordingSid }, { attempt, signal }) =>
        copyJob(deps, recordingSid, signal, {
          inTurn,
          attempt,
          ...(!verifiesApart && { verifyNext: (sid: RecordingSid) => verify(sid, signal) }),
        }),
      dead: (dead) => copyDead(deps, dead),
    }),
    running(ingestJobs.verify, {
      concurrency: verifyJobs(config.copiesAtOnce),
      run: ({ recordingSid }, { signal }) => verify(recordingSid, signal),
      dead: (dead) => verifyDead(deps, dead),
    }),
    // In the background, one at a time, so that no copy and no verification waits for it.
    running(ingestJobs.prove, {
      async run({ recordingSid }, { signal }) {
        await untilCalm([inTurn, readInTurn], signal);
        await proveJob(deps, recordingSid, signal);
      },
      dead: ({ data, error }) => proofInVain(deps, data.recordingSid, error.code),
    }),
    running(ingestJobs.describe, {
      concurrency: config.copiesAtOnce,
      run: ({ recordingSid }) => describeJob(deps, recordingSid),
      dead: (dead) => describeDead(deps, dead),
    }),
    running(ingestJobs.measure, { run: ({ taskSid }) => measureJob(deps, taskSid) }),
    running(ingestJobs.link, {
      concurrency: 4,
      async run({ recordingSid }) {
        const row = await catalog.find(recordingSid);
        if (row) await linker.link(row);
      },
      dead: (dead) => linkDead(deps, dead),
    }),
    running(ingestJobs.janitor, {
      everySeconds: sweepSeconds,
      async run() {
        await janitor.sweep();
        await alarms.resolve(['janitor_failed']);
      },
    }),
    running(ingestJobs.reconcile, {
      ...ifReconciling(everyMinutes * 60),
      run: (_data, { signal }) => lookNow(deps, signal),
    }),
    running(ingestJobs.compare, {
      ...ifReconciling(compareSeconds),
      run: (_data, { signal }) => compareNow(deps, signal),
    }),
    running(ingestJobs.sources, {
      ...(config.deleteSourceAfterHours !== undefined && { everySeconds: sourcesSeconds }),
      async run(_data, { signal }) {
        const { hasMore } = await deleteSources(deps, signal);
        if (hasMore) await queue.send(ingestJobs.sources, {}, { once: 'more' });
      },
    }),
    running(ingestJobs.sign, {
      everySeconds: signSeconds,
      run: (_data, { signal }) => signNow(deps, signal),
    }),
  ];
}

import type { CopyReport, IngestAnswer, RecordingCallback, RecordingSid } from '@flex-custody/core';
import type { RecordingRow } from '../catalog/recording-row.ts';
import type { DeadJob } from '../queue/queue.ts';
import { abandonUpload } from './copy/abandon-upload.ts';
import { copyJob } from './copy/copy-job.ts';
import type { IngestDeps } from './deps.ts';
import { createGate, untilCalm } from './intake/gate.ts';
import { isHeld } from './intake/lease.ts';
import { receive } from './intake/register.ts';
import { report } from './intake/report.ts';
import { createLinker } from './link/linker.ts';
import { giveUp, ownFaults, passingReasons } from './steps.ts';
import { createJanitor } from './upkeep/janitor-job.ts';
import { compareNow, lookNow } from './upkeep/reconcile/schedule.ts';
import { signNow, signSeconds } from './upkeep/sign-job.ts';
import { deleteSources } from './upkeep/sources-job.ts';
import { describeJob } from './verify/describe-job.ts';
import { measureJob } from './verify/measure-job.ts';
import { proofInVain, proveJob } from './verify/prove-job.ts';
import { verifyJob } from './verify/verify-job.ts';

export type { IngestDeps as IngestParts, IngestObserver, Log } from './deps.ts';
export { type ImportDeps as ImportParts, importPlain, readFrom } from './upkeep/reconcile/import.ts';
export { reconcile } from './upkeep/reconcile/index.ts';
export { newestInventory } from './upkeep/reconcile/inventory/index.ts';
export { rebuild } from './upkeep/reconcile/rebuild.ts';
export { rotateKeys } from './upkeep/rotate/index.ts';
export { signSidecars } from './upkeep/sign-job.ts';

export interface Ingest {
  /** See {@link receive}. */
  receive(callback: RecordingCallback): Promise<IngestAnswer>;
  /** See {@link report}. */
  report(sid: RecordingSid, said: CopyReport): Promise<{ state: RecordingRow['state'] }>;
  /**
   * Begins the jobs of the worker role; they end when the queue stops.
   * @param options for tests: `verifiesApart` leaves each verification to a job of its own, also of what was copied here
   */
  startWorkers(options?: { verifiesApart?: boolean }): Promise<void>;
}

/** Seconds between two looks for originals whose time has come. */
const sourcesSeconds = 15 * 60;
/** Seconds between two sweeps: what a killed worker had in hand waits for its lease to lapse, and for this. */
const sweepSeconds = 60;

/** Seconds between two questions whether the bucket is to be compared again, or an unfinished pass to be continued. */
const compareSeconds = 60 * 60;

/** Between two tries of what only an operator can put right. */
const settingMs = 60 * 60_000;

/** Jobs in hand: while some copy, as many others verify what they copied, and as many ask what a copy needs to know. */
export const copyJobs = (copiesAtOnce: number): number => 3 * copiesAtOnce;
/** While some read, as many others are fetched: of a backlog in fewer questions to the database. */
const verifyJobs = (copiesAtOnce: number): number => 2 * copiesAtOnce;

export function createIngest(deps: IngestDeps): Ingest {
  const { alarms, catalog, config, queue } = deps;
  const linker = createLinker(deps);
  return {
    receive: (callback) => receive(deps, linker, callback),
    report: (sid, said) => report(deps, sid, said),
    async startWorkers({ verifiesApart = false } = {}) {
      const inTurn = createGate(config.copiesAtOnce);
      const readInTurn = createGate(config.copiesAtOnce);
      const verifying = new Set<RecordingSid>();
      const verify = async (sid: RecordingSid, signal: AbortSignal) => {
        // The janitor cannot tell a job that takes long from a lost one: what is being read needs no second reader.
        if (verifying.has(sid)) return;
        verifying.add(sid);
        try {
          await readInTurn(() => verifyJob(deps, sid, signal));
        } finally {
          verifying.delete(sid);
        }
      };
      // Whoever copied verifies: a job for it would cost four statements, and a killed process's the janitor finds alike.
      await queue.work(
        'copy',
        { concurrency: copyJobs(config.copiesAtOnce) },
        ({ recordingSid }, { attempt, signal }) =>
          copyJob(deps, recordingSid, signal, {
            inTurn,
            attempt,
            ...(!verifiesApart && { verifyNext: (sid: RecordingSid) => verify(sid, signal) }),
          }),
      );
      await queue.work(
        'verify',
        { concurrency: verifyJobs(config.copiesAtOnce) },
        ({ recordingSid }, { signal }) => verify(recordingSid, signal),
      );
      // In the background, one at a time: no copy and no verification waits for it.
      await queue.work('prove', { concurrency: 1 }, async ({ recordingSid }, { signal }) => {
        await untilCalm([inTurn, readInTurn], signal);
        await proveJob(deps, recordingSid, signal);
      });
      await queue.work('describe', { concurrency: config.copiesAtOnce }, ({ recordingSid }) =>
        describeJob(deps, recordingSid),
      );
      await queue.work('measure', { concurrency: 1 }, ({ taskSid }) => measureJob(deps, taskSid));
      await queue.work('link', { concurrency: 4 }, async ({ recordingSid }) => {
        const row = await catalog.find(recordingSid);
        if (row) await linker.link(row);
      });
      const janitor = createJanitor(deps);
      await queue.work('janitor', { concurrency: 1 }, async () => {
        await janitor.sweep();
        await alarms.resolve(['janitor_failed']);
      });
      await queue.work('reconcile', { concurrency: 1 }, (_data, { signal }) => lookNow(deps, signal));
      await queue.work('compare', { concurrency: 1 }, (_data, { signal }) => compareNow(deps, signal));
      await queue.work('sources', { concurrency: 1 }, async (_data, { signal }) => {
        const { hasMore } = await deleteSources(deps, signal);
        if (hasMore) await queue.send('sources', {}, { once: 'more' });
      });
      await queue.work('sign', { concurrency: 1 }, (_data, { signal }) => signNow(deps, signal));
      await queue.onDead((dead) => buryJob(deps, dead));
      await queue.every('janitor', sweepSeconds);
      await queue.every('sign', signSeconds);
      if (config.deleteSourceAfterHours !== undefined) await queue.every('sources', sourcesSeconds);
      if (config.reconcile.everyMinutes > 0) {
        await queue.every('reconcile', config.reconcile.everyMinutes * 60);
        await queue.every('compare', compareSeconds);
      }
    },
  };
}

/**
 * What becomes of a recording whose job has failed for good: it is a dead letter, listed as failed with the reason, and
 * somebody is told. What failed for an outage that outlasted all tries is tried again by the janitor, hour by hour.
 */
export async function buryJob(deps: IngestDeps, dead: DeadJob): Promise<void> {
  const { alarms, catalog, log } = deps;
  log.error({ job: dead.name, data: dead.data, code: dead.error.code }, 'a job failed for good');
  if (!('recordingSid' in dead.data)) {
    await alarms.raise(`${dead.name}_failed`, undefined, dead.error.code);
    return;
  }
  const sid = dead.data.recordingSid;
  // The recording is none the worse for it; the janitor asks again.
  if (dead.name === 'describe') {
    await alarms.raise('describe_failed', sid, dead.error.code);
    // A setting is not right a minute later: the job that waits keeps the janitor from sending one by the minute.
    if (!dead.error.retryable && ownFaults.has(dead.error.code))
      await deps.queue.send('describe', { recordingSid: sid }, { startAfterMs: settingMs, once: sid });
    return;
  }
  if (dead.name === 'prove') return proofInVain(deps, sid, dead.error.code);
  // Who called stays unknown, under every hold by caller, until its link is tried again.
  if (dead.name === 'facts') return alarms.raise('facts_failed', sid, dead.error.code);
  const row = await catalog.find(sid);
  if (!row) return;
  if (dead.name === 'link') {
    // Left pending: the janitor asks again, until Twilio answers or the task is gone.
    if (row.linkState === 'pending') await alarms.raise('link_failed', sid, dead.error.code);
    return;
  }
  const isItsTurn =
    dead.name === 'verify' ? row.state === 'sealed' : row.state === 'registered' || row.state === 'copying';
  // A later job, or somebody with a lease, has carried it past this one's failure.
  if (!isItsTurn || isHeld(row)) return;
  await giveUp(deps, sid, dead.error.code, { code: `${dead.name}_failed`, detail: dead.error.code });
  if (!passingReasons.includes(dead.error.code)) await abandonUpload(deps, sid);
}

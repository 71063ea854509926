import { errorCode } from '@flex-custody/core';
import { gatherAlarms } from '../../alarms/gather-alarms.ts';
import type { RecordingRow } from '../../catalog/recording-row.ts';
import { deleteAtTwilio } from '../../retention/at-twilio.ts';
import { forgetTwilioTime } from '../../retention/clock.ts';
import { lookAgainOnChange } from '../../retention/look-again.ts';
import { isOfKeys, mayDestroy } from '../../retention/may-destroy.ts';
import type { IngestDeps } from '../deps.ts';
import { ingestJobs } from '../jobs.ts';
import { logStep } from '../log-step.ts';

const pageRows = 200;
/** Originals at the same time: each takes several sequential requests, and one at a time would be about 250,000 a day. */
const atOnce = 8;
/** Longest time of one job; the next one continues. */
const lookMs = 10 * 60_000;
/** Until the host tries again to prove a copy. */
const proofAgainMs = 24 * 3_600_000;
/** Seconds until the host checks a kept original again: one without an alarm, and one with an alarm. */
const [asideSeconds, troubleSeconds] = [24 * 3_600, 3_600];
/** Reasons to keep an original that need no alarm. */
const inOrder = new Set(['held', 'locked', 'being_erased', 'recording_unknown', 'not_proven']);

type Deps = Pick<
  IngestDeps,
  | 'alarms'
  | 'callerDigest'
  | 'catalog'
  | 'config'
  | 'keys'
  | 'log'
  | 'policies'
  | 'queue'
  | 'store'
  | 'twilio'
>;

/** The job stops, because the next original would fail too; `code` is the alarm's. */
interface Stopped {
  code: 'sources_stopped' | 'clock_differs';
  detail: string;
}

/**
 * Deletes the originals at Twilio of recordings that were verified long enough ago, each after a call of {@link
 * mayDestroy}. For an unproven copy it sends the job `prove`, and a later run deletes the original. If the copy or its
 * sidecar has changed, it raises an alarm and keeps the original. Kept originals are set aside, so that the next run does
 * not read them.
 * @returns how many Twilio no longer has, and whether more are due than one job can delete
 * @throws CustodyError `policy_invalid`, or a retryable one if Twilio or the bucket does not answer now
 */
export async function deleteSources(
  deps: Deps,
  ended: AbortSignal,
  limitMs = lookMs,
): Promise<{ deleted: number; hasMore: boolean }> {
  const { deleteSourceAfterHours: hours } = deps.config;
  if (hours === undefined) return { deleted: 0, hasMore: false };
  const alarms = gatherAlarms(deps.alarms, deps.log);
  try {
    const looked = await lookThrough({ ...deps, alarms }, hours, ended, limitMs);
    // The job has not failed if its own alarm stopped it, or if it had no time for all that is due.
    await alarms.resolve(['sources_failed']);
    return looked;
  } finally {
    await alarms.flush();
  }
}

async function lookThrough(deps: Deps, hours: number, ended: AbortSignal, limitMs: number) {
  const { alarms, catalog } = deps;
  forgetTwilioTime(deps);
  const end = performance.now() + limitMs;
  let deleted = 0;
  await lookAgainOnChange(deps, 'source', await deps.policies.inForce());
  for (;;) {
    const rows = await catalog.sourcesDue(hours, pageRows);
    for (let at = 0; at < rows.length; at += atOnce) {
      ended.throwIfAborted();
      const looks = await Promise.allSettled(rows.slice(at, at + atOnce).map((row) => lookAt(deps, row)));
      // Evaluated after all have ended, so that their deletions are counted.
      const found = looks.flatMap((look) => (look.status === 'fulfilled' ? look.value : []));
      deleted += found.filter((how) => how === 'deleted').length;
      const failed = looks.find((look) => look.status === 'rejected');
      if (failed) throw failed.reason;
      const stopped = found.find((how) => typeof how === 'object');
      if (stopped) {
        await alarms.raise(stopped.code, undefined, stopped.detail);
        return { deleted, hasMore: false };
      }
    }
    if (rows.length < pageRows) break;
    if (performance.now() > end) return { deleted, hasMore: true };
  }
  await alarms.resolve(['sources_stopped', 'clock_differs']);
  return { deleted, hasMore: false };
}

async function lookAt(deps: Deps, row: RecordingRow): Promise<'deleted' | 'kept' | Stopped> {
  const { alarms, catalog } = deps;
  const sid = row.recordingSid;
  const verdict = await mayDestroy(deps, row, 'source');
  if (verdict.may) return deleteSource(deps, row);
  const { why, detail } = verdict;
  if (why === 'clock_differs') return { code: 'clock_differs', detail };
  if (why === 'unversioned' || isOfKeys(why)) return { code: 'sources_stopped', detail: `${sid}: ${detail}` };
  const isTrouble = !inOrder.has(why);
  if (why === 'not_proven') await askForProof(deps, row);
  if (isTrouble) await alarms.raise('source_kept', sid, detail);
  await catalog.setAside(sid, 'source', isTrouble ? troubleSeconds : asideSeconds);
  return 'kept';
}

/** Sends the job `prove`, unless it has failed within the last day. */
async function askForProof({ queue }: Deps, { recordingSid, proofTriedAt }: RecordingRow): Promise<void> {
  if (proofTriedAt && Date.now() - proofTriedAt.getTime() < proofAgainMs) return;
  await queue.send(ingestJobs.prove, { recordingSid });
}

async function deleteSource(deps: Deps, row: RecordingRow): Promise<'deleted' | 'kept'> {
  const { alarms, catalog, log, queue, twilio } = deps;
  const { recordingSid } = row;
  let how: string;
  try {
    how = await deleteAtTwilio(twilio, row);
  } catch (error) {
    if (errorCode(error) !== 'twilio_refused') throw error;
    await alarms.raise('source_kept', recordingSid, 'Twilio refuses to delete the original');
    await catalog.setAside(recordingSid, 'source', troubleSeconds);
    return 'kept';
  }
  await catalog.sourceDeleted(recordingSid);
  await alarms.resolve(['source_kept'], recordingSid);
  logStep(log, 'source-deleted', recordingSid, { reason: how });
  await queue.send(ingestJobs.describe, { recordingSid });
  return 'deleted';
}

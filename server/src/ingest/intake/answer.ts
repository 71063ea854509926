import { type Forwarding, type IngestAnswer, objectKey } from '@flex-custody/core';
import type { TwilioRecording } from '@flex-custody/twilio';
import type { RecordingRow } from '../../catalog/recording-row.ts';
import type { IngestDeps } from '../deps.ts';
import { ingestJobs } from '../jobs.ts';
import { logStep } from '../log-step.ts';
import { mediaSource, pausedSecondsOf } from './source.ts';

/** The job `copy` runs this long after the end of a Function's lease. */
const graceMs = 1_000;

const settledStates: readonly RecordingRow['state'][] = ['sealed', 'verified', 'absent', 'failed', 'erased'];

/** Whether the recording needs no copy any more. */
export const isSettled = ({ state }: RecordingRow): boolean => settledStates.includes(state);

/** Whether the Function forwards the callback, by the row after its link was tried: a refused one is not forwarded. */
function forwarding({ forwardedAt, hints, linkState, taskSid }: RecordingRow): Forwarding {
  const forwardTo = linkState === 'refused' ? undefined : (taskSid ?? hints.taskSid);
  return { forwarded: forwardedAt !== undefined, ...(forwardTo && { forwardTo }) };
}

/** The answer to a Function that does not copy. */
export const answerOf = (action: 'done' | 'busy' | 'host', row: RecordingRow): IngestAnswer => ({
  action,
  ...forwarding(row),
});

/** An operator has to act on a failed recording: a copy by a Function would hide the failure. */
export const settledAnswer = (row: RecordingRow): IngestAnswer =>
  answerOf(row.state === 'failed' ? 'host' : 'done', row);

/** Grants the Function the lease on a completed recording; answers otherwise if another writer has the lease or has copied it. */
export async function grantLease(
  deps: IngestDeps,
  row: RecordingRow,
  facts: TwilioRecording,
): Promise<IngestAnswer> {
  const { catalog, config, queue } = deps;
  const sid = row.recordingSid;
  const source = mediaSource(facts, await pausedSecondsOf(deps, row));
  const lease = await catalog.lease(sid, 'function', config.leaseMs);
  if (lease === undefined) {
    const now = (await catalog.find(sid)) ?? row;
    return isSettled(now) ? settledAnswer(now) : answerOf('busy', now);
  }
  logStep(deps.log, 'leased', sid, { by: 'function' });
  // The job is sent with the lease, because a killed Function reports nothing.
  await queue.send(
    ingestJobs.copy,
    { recordingSid: sid },
    { startAfterMs: config.leaseMs + graceMs, once: 'lapse' },
  );
  return {
    action: 'copy',
    lease: lease.secret,
    leaseMs: config.leaseMs,
    source,
    objectKey: objectKey(row.accountSid, sid),
    rate: await catalog.observedRate(),
    ...forwarding(row),
  };
}

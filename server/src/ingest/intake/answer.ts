import { type Forwarding, type IngestAnswer, objectKey } from '@flex-custody/core';
import type { TwilioRecording } from '@flex-custody/twilio';
import type { RecordingRow } from '../../catalog/recording-row.ts';
import type { IngestDeps } from '../deps.ts';
import { ingestJobs } from '../jobs.ts';
import { logStep } from '../log-step.ts';
import { mediaSource, pausedSecondsOf } from './source.ts';

/** A job looks after a lease's recording this long after the lease. */
const graceMs = 1_000;

const settledStates: readonly RecordingRow['state'][] = ['sealed', 'verified', 'absent', 'failed', 'erased'];

/** Whether no copy is to be made of it. */
export const isSettled = ({ state }: RecordingRow): boolean => settledStates.includes(state);

/** As the row is after its link was tried: what is refused is forwarded nowhere. */
function forwarding({ forwardedAt, hints, linkState, taskSid }: RecordingRow): Forwarding {
  const forwardTo = linkState === 'refused' ? undefined : (taskSid ?? hints.taskSid);
  return { forwarded: forwardedAt !== undefined, ...(forwardTo && { forwardTo }) };
}

/** The answer to a Function that is to copy nothing. */
export const answerOf = (action: 'done' | 'busy' | 'host', row: RecordingRow): IngestAnswer => ({
  action,
  ...forwarding(row),
});

/** A failed recording is the operators': a Function's copy would only hide the failure that was reported. */
export const settledAnswer = (row: RecordingRow): IngestAnswer =>
  answerOf(row.state === 'failed' ? 'host' : 'done', row);

/** Grants the Function the lease on a recording that is completed; where another has it, or has copied it, says so. */
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
  // Sent with the lease, not after its loss: a Function that is killed reports nothing.
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

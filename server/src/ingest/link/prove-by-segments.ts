import type { Owner, RecordingRow } from '../../catalog/recording-row.ts';
import type { SegmentHint } from '../deps.ts';
import { type Means, type Proof, prove } from './prove.ts';

type Proven = Extract<Proof, { level: 'reservation' | 'task' }>;

/**
 * Whose recording it is, by the segments that it may be of. Agents can tie a call to their own task by its attributes, so a segment is
 * a hint as a callback's hints are: TaskRouter and Twilio prove it, or, once TaskRouter has deleted the task, Twilio alone.
 * @returns the proof, or the owner of a recording whose task is gone
 * @throws CustodyError as TwilioApi does
 */
export async function proveBySegments(
  means: Means,
  row: RecordingRow,
  segments: readonly SegmentHint[],
): Promise<Proven | Owner | undefined> {
  for (const { taskSid, reservationSid } of segments) {
    const proof = await prove(means, row, { taskSid, reservationSid });
    if (proof.level === 'reservation' || proof.level === 'task') return proof;
  }
  return ownerBySegments(means, row, segments);
}

/** The conference has the name of the segment's task, or the leg was dialled to the segment's worker. */
async function ownerBySegments(
  { twilio, isAddressOf }: Means,
  { callSid, conferenceSid }: RecordingRow,
  segments: readonly SegmentHint[],
): Promise<Owner | undefined> {
  if (segments.length === 0) return undefined;
  if (conferenceSid) {
    const name = (await twilio.conference(conferenceSid))?.friendlyName;
    const named = segments.find(({ taskSid }) => taskSid === name);
    return named && { taskSid: named.taskSid };
  }
  const call = callSid && (await twilio.call(callSid));
  if (!call) return undefined;
  for (const { taskSid, reservationSid, workerSid } of segments) {
    const worker = await twilio.worker(workerSid);
    if (worker && (await isAddressOf(worker, call.to))) return { taskSid, reservationSid, workerSid };
  }
  return undefined;
}

import { errorCode } from '@flex-custody/core';
import type { RecordingRow, SourceMark } from '../catalog/catalog.ts';
import { gatherAlarms } from '../catalog/gather-alarms.ts';
import { deleteAtTwilio } from '../retention/at-twilio.ts';
import { isOfKeys, mayDestroy } from '../retention/may-destroy.ts';
import type { IngestParts } from './parts.ts';
import { logStep } from './steps.ts';

const pageRows = 200;
/** Of one look: Twilio's other users want to ask it too. */
const mostPages = 10;
/** Until a copy that could not be proven is held against Twilio's media again. */
const proofAgainMs = 24 * 3_600_000;
/** It stays as it should, and no alarm says so. */
const inOrder = new Set(['held', 'locked', 'being_erased', 'recording_unknown']);

type Parts = Pick<
  IngestParts,
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

/** The job stops, since the next original would fare no better: `code` of the alarm that says so. */
interface Stopped {
  code: 'sources_stopped' | 'clock_differs';
  detail: string;
}

/**
 * Deletes the originals at Twilio of recordings that were verified long enough ago, each after the question whether it may
 * go now. What is not proven is to be, and goes at a later look. What is not as it was is an alarm, and its original stays.
 * A look passes through so many; the next goes on behind them, so that what stays hides nothing.
 * @param pages of a look, each of 200
 * @returns how many Twilio has no longer
 * @throws CustodyError `policy_invalid`, or one that is retryable when Twilio or the bucket cannot be asked now
 */
export async function deleteSources(parts: Parts, ended: AbortSignal, pages = mostPages): Promise<number> {
  const { deleteSourceAfterHours: hours } = parts.config;
  if (hours === undefined) return 0;
  const alarms = gatherAlarms(parts.alarms, parts.log);
  try {
    return await lookThrough({ ...parts, alarms }, hours, ended, pages);
  } finally {
    await alarms.flush();
  }
}

async function lookThrough(parts: Parts, hours: number, ended: AbortSignal, pages: number): Promise<number> {
  const { alarms, catalog } = parts;
  let deleted = 0;
  const beingProven = await parts.queue.waiting('prove');
  let after = await catalog.sourcesMark();
  for (let page = 0; page < pages; page += 1) {
    const rows = await catalog.sourcesDue(hours, pageRows, after);
    for (const row of rows) {
      ended.throwIfAborted();
      const how = await lookAt(parts, row, beingProven);
      if (typeof how === 'object') {
        await alarms.raise(how.code, undefined, how.detail);
        return deleted;
      }
      if (how === 'deleted') deleted += 1;
    }
    after = rows.length < pageRows ? undefined : markOf(rows.at(-1));
    await catalog.markSources(after);
    if (!after) break;
  }
  await alarms.mended(['sources_stopped', 'sources_failed', 'clock_differs']);
  return deleted;
}

const markOf = (row: RecordingRow | undefined): SourceMark | undefined =>
  row?.verifiedAt && { verifiedAt: row.verifiedAt, recordingSid: row.recordingSid };

async function lookAt(
  parts: Parts,
  row: RecordingRow,
  beingProven: ReadonlySet<RecordingRow['recordingSid']>,
): Promise<'deleted' | 'kept' | Stopped> {
  const { alarms } = parts;
  const sid = row.recordingSid;
  const verdict = await mayDestroy(parts, row, 'source');
  if (!verdict.may) {
    const { why, detail } = verdict;
    if (why === 'clock_differs') return { code: 'clock_differs', detail };
    if (why === 'unversioned' || isOfKeys(why))
      return { code: 'sources_stopped', detail: `${sid}: ${detail}` };
    if (why === 'not_proven') {
      if (!beingProven.has(sid)) await askForProof(parts, row);
    } else if (!inOrder.has(why)) await alarms.raise('source_kept', sid, detail);
    return 'kept';
  }
  return deleteSource(parts, row);
}

/** A second look, unless one was in vain today. */
async function askForProof({ queue }: Parts, { recordingSid, proofTriedAt }: RecordingRow): Promise<void> {
  if (proofTriedAt && Date.now() - proofTriedAt.getTime() < proofAgainMs) return;
  await queue.send('prove', { recordingSid }, { once: recordingSid });
}

async function deleteSource(parts: Parts, row: RecordingRow): Promise<'deleted' | 'kept'> {
  const { alarms, catalog, log, queue, twilio } = parts;
  const { recordingSid } = row;
  let how: string;
  try {
    how = await deleteAtTwilio(twilio, row);
  } catch (error) {
    if (errorCode(error) !== 'twilio_refused') throw error;
    await alarms.raise('source_kept', recordingSid, 'Twilio refuses to delete it');
    return 'kept';
  }
  await catalog.sourceDeleted(recordingSid);
  await alarms.mended(['source_kept'], recordingSid);
  logStep(log, 'source-deleted', recordingSid, { reason: how });
  await queue.send('describe', { recordingSid }, { once: recordingSid });
  return 'deleted';
}

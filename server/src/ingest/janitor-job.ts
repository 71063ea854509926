import { asRecordingSid, errorCode, type RecordingSid } from '@flex-custody/core';
import { isHeld } from './lease.ts';
import type { IngestParts } from './parts.ts';

const minute = 60_000;
/**
 * A Function lives ten seconds, and a worker that lost its lease stops: an upload this old, without a lease, has lost its
 * writer. With a sweep every quarter of an hour, what a kill left is gone within the hour.
 */
const uploadMs = 30 * minute;
/** Even a lease that looks alive does not cover an upload of another day. */
const uploadAtMostMs = 24 * 60 * minute;
/** A recording that nobody touched for so long, and for which no job waits, has lost its job. */
const stuckMs = 2 * minute;
const lost = [
  { job: 'copy', of: { state: 'registered' }, once: 'now:' },
  { job: 'copy', of: { state: 'copying' }, once: 'now:' },
  { job: 'verify', of: { state: 'sealed' }, once: '' },
  { job: 'link', of: { linkState: 'pending' }, once: '' },
] as const;

export interface Swept {
  uploadsAborted: number;
  requeued: number;
}

/** Cleans up after writers that were killed, and gives a job back to what has lost its own. */
export async function janitorJob(parts: IngestParts, now: number = Date.now()): Promise<Swept> {
  const swept = { uploadsAborted: await abortUploads(parts, now), requeued: await requeue(parts, now) };
  if (swept.uploadsAborted > 0 || swept.requeued > 0) parts.log.info(swept, 'swept');
  return swept;
}

async function abortUploads(parts: IngestParts, now: number): Promise<number> {
  let aborted = 0;
  for await (const upload of parts.store.unfinishedUploads('recordings/')) {
    const age = now - upload.startedAt.getTime();
    if (age < uploadMs) continue;
    const sid = recordingOf(upload.key);
    const row = sid && (await parts.catalog.find(sid));
    if (row && isHeld(row, now) && age < uploadAtMostMs) continue;
    try {
      await parts.store.abortUpload(upload.key, upload.uploadId);
      aborted += 1;
    } catch (error) {
      parts.log.warn({ recording: sid, code: errorCode(error) }, 'an unfinished upload could not be aborted');
    }
  }
  return aborted;
}

function recordingOf(key: string): RecordingSid | undefined {
  return asRecordingSid(/\/(RE[0-9a-f]{32})(?:\.json)?$/.exec(key)?.[1]);
}

async function requeue(parts: IngestParts, now: number): Promise<number> {
  const { catalog, queue } = parts;
  const olderThan = new Date(now - stuckMs);
  let requeued = 0;
  for (const { job, of, once } of lost) {
    // A job between two tries needs no second one beside it, which would be tried just as in vain.
    const except = await queue.waiting(job);
    for (const { recordingSid } of await catalog.stale({ ...of, olderThan, except })) {
      await queue.send(job, { recordingSid }, { once: `${once}${recordingSid}` });
      requeued += 1;
    }
  }
  return requeued;
}

import { asRecordingSid, errorCode, type RecordingSid } from '@flex-custody/core';
import { isHeld } from './lease.ts';
import type { IngestParts } from './parts.ts';
import { passingReasons } from './steps.ts';

const second = 1_000;
const minute = 60 * second;
/**
 * A Function lives ten seconds, and a worker that lost its lease stops: an upload this old, without a lease, has lost its
 * writer. With a look every quarter of an hour, what a kill left is gone within the hour.
 */
const uploadMs = 30 * minute;
const uploadsEveryMs = 15 * minute;
/** Even a lease that looks alive, or a note of how far it is, does not cover an upload of another day. */
const uploadAtMostMs = 24 * 60 * minute;
/** An outage says nothing of the recordings that it has made dead letters. */
const replayMs = 60 * minute;

/** What lost its job: nobody has touched the recording for so long, and no job waits for it. */
const lost = [
  { job: 'copy', of: { which: 'state', state: 'registered' }, once: 'now:', after: 2 * minute },
  // Since the lease lapsed: its holder was killed.
  { job: 'copy', of: { which: 'state', state: 'copying' }, once: 'now:', after: 5 * second },
  { job: 'verify', of: { which: 'state', state: 'sealed' }, once: '', after: 2 * minute },
  { job: 'describe', of: { which: 'undescribed' }, once: '', after: 2 * minute },
  { job: 'link', of: { which: 'pending-link' }, once: '', after: 2 * minute },
] as const;
/** Where every copy is to be proven: what lost its job, and what was verified before that was asked for. */
const unproven = { job: 'prove', of: { which: 'unproven' }, once: '', after: 2 * minute } as const;

export interface Swept {
  uploadsAborted: number;
  requeued: number;
  /** Dead letters of an outage or a wrong setting, given another day. */
  replayed: number;
}

export interface Janitor {
  /** Cleans up after writers that were killed, and gives a job back to what has lost its own. */
  sweep(now?: number): Promise<Swept>;
}

export function createJanitor(parts: IngestParts): Janitor {
  let uploadsLooked = 0;
  return {
    async sweep(now = Date.now()) {
      const looksAtUploads = now - uploadsLooked >= uploadsEveryMs;
      if (looksAtUploads) uploadsLooked = now;
      await parts.uploads.removeSettled();
      const swept = {
        uploadsAborted: looksAtUploads ? await abortUploads(parts, now) : 0,
        requeued: await requeue(parts, now),
        replayed: await replay(parts, now),
      };
      if (swept.uploadsAborted + swept.requeued + swept.replayed > 0) parts.log.info(swept, 'swept');
      return swept;
    },
  };
}

async function abortUploads(parts: IngestParts, now: number): Promise<number> {
  let aborted = 0;
  for await (const { key, uploadId, startedAt } of parts.store.unfinishedUploads('recordings/')) {
    const age = now - startedAt.getTime();
    if (age < uploadMs) continue;
    const sid = recordingOf(key);
    if (sid && age < uploadAtMostMs && (await isWanted(parts, sid, uploadId, now))) continue;
    try {
      await parts.store.abortUpload(key, uploadId);
      if (sid && (await parts.uploads.find(sid))?.uploadId === uploadId) await parts.uploads.remove(sid);
      aborted += 1;
    } catch (error) {
      parts.log.warn({ recording: sid, code: errorCode(error) }, 'an unfinished upload could not be aborted');
    }
  }
  return aborted;
}

/** Somebody is at it, or will go on with it. */
async function isWanted(
  { catalog, uploads }: IngestParts,
  sid: RecordingSid,
  uploadId: string,
  now: number,
): Promise<boolean> {
  const row = await catalog.find(sid);
  if (!row) return false;
  if (isHeld(row, now)) return true;
  const isTriedAgain = row.state === 'failed' && passingReasons.includes(row.failure ?? '');
  const isToBeCopied = row.state === 'registered' || row.state === 'copying' || isTriedAgain;
  return isToBeCopied && (await uploads.find(sid))?.uploadId === uploadId;
}

function recordingOf(key: string): RecordingSid | undefined {
  return asRecordingSid(/\/(RE[0-9a-f]{32})(?:\.json)?$/.exec(key)?.[1]);
}

async function requeue(parts: IngestParts, now: number): Promise<number> {
  const { catalog, config, queue } = parts;
  let requeued = 0;
  const all = config.prove === 'always' ? [...lost, unproven] : lost;
  for (const { job, of, once, after } of all) {
    // A job between two tries needs no second one beside it, which would be tried just as in vain.
    const waiting = await queue.waiting(job);
    const { sids } = await catalog.stale({ ...of, olderThan: new Date(now - after) });
    for (const recordingSid of sids.filter((sid) => !waiting.has(sid))) {
      await queue.send(job, { recordingSid }, { once: `${once}${recordingSid}` });
      requeued += 1;
    }
  }
  return requeued;
}

async function replay({ catalog, queue }: IngestParts, now: number): Promise<number> {
  const { sids } = await catalog.stale({
    which: 'state',
    state: 'failed',
    failures: passingReasons,
    olderThan: new Date(now - replayMs),
  });
  const { sealed, registered } = await catalog.replayedAll(sids);
  for (const recordingSid of sealed)
    await queue.send('verify', { recordingSid }, { once: `replay:${recordingSid}` });
  for (const recordingSid of registered)
    await queue.send('copy', { recordingSid }, { once: `replay:${recordingSid}` });
  return sealed.length + registered.length;
}

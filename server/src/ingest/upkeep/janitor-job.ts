import { asRecordingSid, errorCode, type RecordingSid } from '@flex-custody/core';
import type { StaleMark } from '../../catalog/recording-row.ts';
import type { IngestDeps } from '../deps.ts';
import { passingReasons } from '../failures.ts';
import { isHeld } from '../intake/lease.ts';
import { ingestJobs } from '../jobs.ts';

const second = 1_000;
const minute = 60 * second;
/**
 * A Function runs for ten seconds, and a worker that lost its lease stops, so an upload of this age without a lease has
 * no writer. The janitor looks every quarter of an hour, so it aborts the upload of a killed writer within an hour.
 */
const uploadMs = 30 * minute;
const uploadsEveryMs = 15 * minute;
/** An upload of this age is aborted even if the recording has a lease or stored progress. */
const uploadAtMostMs = 24 * 60 * minute;
/** Time after which the janitor retries a dead letter of an outage. */
const replayMs = 60 * minute;

/** Most rows of one kind in one statement, and in one sweep; the next sweep continues from there. */
const requeuePage = 1_000;
const requeueMost = 5_000;
/** Dead letters that one statement restarts, so that its row locks are short. */
const replayPage = 500;
/** Time of one sweep for dead letters; the next sweep continues, a minute later. */
const replayForMs = 30 * second;

/** Recordings that have lost their job: they have not changed for so long, and no job waits for them. */
const lost = [
  { job: ingestJobs.copy, of: { which: 'state', state: 'registered' }, once: 'now', after: 2 * minute },
  // Counted from the end of the lease, whose holder was killed.
  { job: ingestJobs.copy, of: { which: 'state', state: 'copying' }, once: 'now', after: 5 * second },
  { job: ingestJobs.verify, of: { which: 'state', state: 'sealed' }, after: 2 * minute },
  { job: ingestJobs.describe, of: { which: 'undescribed' }, after: 2 * minute },
  { job: ingestJobs.link, of: { which: 'pending-link' }, after: 2 * minute },
] as const;
/** If every copy is to be proven: recordings that have lost their job, and those verified before the setting was on. */
const unproven = { job: ingestJobs.prove, of: { which: 'unproven' }, after: 2 * minute } as const;

export interface Swept {
  uploadsAborted: number;
  requeued: number;
  /** Restarted dead letters of an outage or a wrong setting. */
  replayed: number;
}

export interface Janitor {
  /** Cleans up after killed writers, and sends a new job for each recording that has lost its job. */
  sweep(now?: number): Promise<Swept>;
}

/** @param limits of one sweep; `replayForMs`: how long it restarts dead letters, at least one page of them */
export function createJanitor(
  deps: IngestDeps,
  limits: { requeueMost: number; replayForMs: number } = { requeueMost, replayForMs },
): Janitor {
  let uploadsLooked = 0;
  const places: Places = new Map();
  return {
    async sweep(now = Date.now()) {
      const looksAtUploads = now - uploadsLooked >= uploadsEveryMs;
      if (looksAtUploads) uploadsLooked = now;
      await deps.uploads.removeSettled();
      const swept = {
        uploadsAborted: looksAtUploads ? await abortUploads(deps, now) : 0,
        requeued: await requeue(deps, now, places, limits.requeueMost),
        replayed: await replay(deps, now, limits.replayForMs),
      };
      if (swept.uploadsAborted + swept.requeued + swept.replayed > 0) deps.log.info(swept, 'swept');
      return swept;
    },
  };
}

async function abortUploads(deps: IngestDeps, now: number): Promise<number> {
  let aborted = 0;
  for await (const { key, uploadId, startedAt } of deps.store.unfinishedUploads('recordings/')) {
    const age = now - startedAt.getTime();
    if (age < uploadMs) continue;
    const sid = recordingOf(key);
    if (sid && age < uploadAtMostMs && (await isWanted(deps, sid, uploadId, now))) continue;
    try {
      await deps.store.abortUpload(key, uploadId);
      if (sid && (await deps.uploads.find(sid))?.uploadId === uploadId) await deps.uploads.remove(sid);
      aborted += 1;
    } catch (error) {
      deps.log.warn(
        { recording: sid, code: errorCode(error) },
        'an unfinished upload could not be aborted now',
      );
    }
  }
  return aborted;
}

/** Whether a copy uses the upload, or will continue it. */
async function isWanted(
  { catalog, uploads }: IngestDeps,
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

type Lost = (typeof lost)[number] | typeof unproven;
/** Where the last sweep stopped, for each kind that it did not finish. */
type Places = Map<Lost, StaleMark>;

async function requeue(deps: IngestDeps, now: number, places: Places, most: number): Promise<number> {
  const all: readonly Lost[] = deps.config.prove === 'always' ? [...lost, unproven] : lost;
  let requeued = 0;
  for (const kind of all) requeued += await requeueSome(deps, kind, now, places, most);
  return requeued;
}

async function requeueSome(
  { catalog, queue }: IngestDeps,
  kind: Lost,
  now: number,
  places: Places,
  most: number,
): Promise<number> {
  const { job, of, after } = kind;
  const once = 'once' in kind ? { once: kind.once } : {};
  const olderThan = new Date(now - after);
  let requeued = 0;
  for (let seen = 0; seen < most; ) {
    const page = Math.min(requeuePage, most - seen);
    const { sids, next } = await catalog.stale({ ...of, olderThan }, places.get(kind), page);
    seen += sids.length;
    // A job that waits for its next try needs no second job, which would fail in the same way.
    const waiting = await queue.waiting(job, sids);
    const without = sids.filter((sid) => !waiting.has(sid));
    await queue.sendAll(
      job,
      without.map((recordingSid) => ({
        data: { recordingSid },
        ...once,
        since: olderThan,
      })),
    );
    requeued += without.length;
    // The next sweep starts from the beginning: a recording that had a job may have lost it since.
    if (next === undefined) {
      places.delete(kind);
      break;
    }
    places.set(kind, next);
  }
  return requeued;
}

async function replay({ catalog, queue }: IngestDeps, now: number, forMs: number): Promise<number> {
  const began = performance.now();
  const olderThan = new Date(now - replayMs);
  let replayed = 0;
  let after: StaleMark | undefined;
  do {
    const { sids, next } = await catalog.stale(
      { which: 'state', state: 'failed', failures: passingReasons, olderThan },
      after,
      replayPage,
    );
    const { sealed, registered } = await catalog.replayedAll(sids);
    const sending = (recordingSid: RecordingSid) => ({
      data: { recordingSid },
      once: 'replay',
      since: olderThan,
    });
    await queue.sendAll(ingestJobs.verify, sealed.map(sending));
    await queue.sendAll(ingestJobs.copy, registered.map(sending));
    replayed += sealed.length + registered.length;
    after = next;
  } while (after !== undefined && performance.now() - began < forMs);
  return replayed;
}

import { setTimeout as sleep } from 'node:timers/promises';
import {
  asRecordingSid,
  errorCode,
  isRetryable,
  objectKey,
  type RecordingSid,
  sidecarKey,
} from '@flex-custody/core';
import type { RecordingRow } from '../../../catalog/recording-row.ts';
import { removeFromBucket } from '../../../retention/remove.ts';
import type { IngestDeps } from '../../deps.ts';
import { ingestJobs } from '../../jobs.ts';
import { logStep } from '../../log-step.ts';
import { adopt } from './adopt.ts';
import { type BucketKeys, bucketKeys } from './inventory/index.ts';
import type { Tally } from './tally.ts';

/** A younger object may be of a writer whose report has not arrived yet. */
const settledMs = 10 * 60_000;
/** The embedded database runs in the process that answers players, and answers no other query during a page. */
const pageRows = { server: 500, embedded: 100 };
/** After each page the pass waits as long as the page took, at most this, because players have priority. */
const mostPauseMs = 200;

type Deps = Pick<
  IngestDeps,
  'alarms' | 'catalog' | 'config' | 'inventory' | 'keys' | 'log' | 'queue' | 'runs' | 'store' | 'twilio'
>;

/** What the bucket has of one recording: its object, its sidecar, or both. */
interface InBucket {
  sid: RecordingSid;
  object?: { key: string; etag: string };
  /** When the newer of them was written. */
  lastModified: Date;
  /** It is from an inventory, and may have been removed since. */
  mayBeGone: boolean;
}

interface KnownRow {
  row: RecordingRow;
  /** It has an open alarm `object_lost`. */
  isLost: boolean;
}

/**
 * Compares bucket and catalog, both by SID. A recording of the catalog that the bucket lacks raises an alarm, and is
 * copied again if Twilio still has it; an object that the catalog lacks is adopted.
 * @param options.after the SID after which the pass continues
 * @param save called after each page with its last SID
 * @returns when the inventory that the keys come from was begun; undefined if the bucket was listed
 */
export async function bucketPass(
  deps: Deps,
  tally: Tally,
  options: { dryRun: boolean; after: RecordingSid | undefined; signal: AbortSignal },
  save: (after: RecordingSid) => Promise<void>,
): Promise<Date | undefined> {
  const source = await bucketKeys(deps, options);
  const recordings = recordingsIn(deps, source, options.after)[Symbol.asyncIterator]();
  const size = pageSize(deps);
  const rows = rowsOf(deps, size, options)[Symbol.asyncIterator]();
  let begun = performance.now();
  let there = (await recordings.next()).value as InBucket | undefined;
  let next = (await rows.next()).value as KnownRow | undefined;
  for (let done = 1; there || next; done += 1) {
    options.signal.throwIfAborted();
    const sid = smaller(there?.sid, next?.row.recordingSid);
    const here = there?.sid === sid ? there : undefined;
    const known = next?.row.recordingSid === sid ? next : undefined;
    if (known) await checkRow(deps, tally, known, here, options.dryRun);
    else if (here) await checkObject(deps, tally, here, options.dryRun);
    if (here) there = (await recordings.next()).value as InBucket | undefined;
    if (known) next = (await rows.next()).value as KnownRow | undefined;
    if (known || here?.object) tally.count('compared');
    if (!sid || done % size > 0) continue;
    await save(sid);
    await sleep(Math.min(mostPauseMs, performance.now() - begun), undefined, { signal: options.signal });
    begun = performance.now();
  }
  return source.asOf;
}

const pageSize = ({ config: { database } }: Pick<Deps, 'config'>): number =>
  database && 'directory' in database ? pageRows.embedded : pageRows.server;

function smaller(a: RecordingSid | undefined, b: RecordingSid | undefined): RecordingSid | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return a < b ? a : b;
}

/** The recordings among the keys: in key order a sidecar follows its object. Other objects are skipped. */
async function* recordingsIn(
  { config }: Deps,
  { asOf, keys }: BucketKeys,
  after: RecordingSid | undefined,
): AsyncGenerator<InBucket> {
  const prefix = `recordings/${config.accountSid}/`;
  let last: InBucket | undefined;
  for await (const { key, etag, lastModified } of keys) {
    const name = key.slice(prefix.length);
    const sid = asRecordingSid(name.replace(/\.json$/, ''));
    if (!sid || (after !== undefined && sid <= after)) continue;
    const object = name === sid ? { key, etag } : undefined;
    if (last?.sid === sid) {
      if (lastModified > last.lastModified) last.lastModified = lastModified;
      continue;
    }
    if (last) yield last;
    last = { sid, lastModified, mayBeGone: asOf !== undefined, ...(object && { object }) };
  }
  if (last) yield last;
}

/** The present objects of a recording that an inventory lists; undefined: neither object nor sidecar exists. */
async function asItIsNow({ config, store }: Deps, here: InBucket): Promise<InBucket | undefined> {
  if (!here.mayBeGone) return here;
  const key = objectKey(config.accountSid, here.sid);
  const [object, sidecar] = await Promise.all([
    store.head(key),
    store.head(sidecarKey(config.accountSid, here.sid)),
  ]);
  if (!object && !sidecar) return undefined;
  const times = [object, sidecar].map((stored) => stored?.lastModified?.getTime() ?? 0);
  return {
    sid: here.sid,
    lastModified: new Date(Math.max(...times)),
    mayBeGone: false,
    ...(object && { object: { key, etag: object.etag } }),
  };
}

async function* rowsOf(
  { alarms, catalog }: Deps,
  size: number,
  { after, dryRun }: { after: RecordingSid | undefined; dryRun: boolean },
): AsyncGenerator<KnownRow> {
  for (let last = after; ; ) {
    const page = await catalog.inOrder(last, size);
    const sids = page.map(({ recordingSid }) => recordingSid);
    const lost = dryRun || sids.length === 0 ? new Set() : await alarms.standing('object_lost', sids);
    for (const row of page) yield { row, isLost: lost.has(row.recordingSid) };
    last = sids.at(-1);
    if (page.length < size) return;
  }
}

async function checkRow(
  deps: Deps,
  tally: Tally,
  { row, isLost }: KnownRow,
  here: InBucket | undefined,
  dryRun: boolean,
): Promise<void> {
  const { alarms, catalog, log, queue, store, twilio } = deps;
  const { object, recordingSid: sid } = row;
  if (row.erasedAt && here) return removeLeftOver(deps, tally, row, here, dryRun);
  if ((row.state !== 'sealed' && row.state !== 'verified') || !object) return;
  // An inventory older than the loss cannot show that the object exists again.
  const isSeen = here?.object?.etag === object.etag && !(isLost && here.mayBeGone);
  const isThere = isSeen || (await store.head(object.key, object.versionId))?.etag === object.etag;
  if (isThere) {
    if (isLost) await alarms.resolve(['object_lost'], sid);
    return;
  }
  // The row was read some time ago: a new copy since then is another object.
  const now = await catalog.find(sid);
  if (now?.object?.etag !== object.etag || now.object.versionId !== object.versionId) return;
  tally.count('lost');
  if (dryRun) return;
  const facts = row.sourceDeletedAt ? undefined : await twilio.recording(sid);
  const remains = facts?.status === 'completed';
  await alarms.raise(
    'object_lost',
    sid,
    remains
      ? 'the object is no longer in the bucket; the host copies the recording again'
      : 'neither the bucket nor Twilio has the recording any more',
  );
  if (!remains || !(await catalog.lost(sid, object))) return;
  logStep(log, 'rejected', sid, { reason: 'object_missing' });
  await queue.send(ingestJobs.copy, { recordingSid: sid }, { once: 'now', since: row.startedAt });
  tally.count('recopied');
}

/** Removes an object that a killed writer stored after the recording was erased. */
async function removeLeftOver(
  deps: Deps,
  tally: Tally,
  row: RecordingRow,
  here: InBucket,
  dryRun: boolean,
): Promise<void> {
  const { log, store } = deps;
  const now = await asItIsNow(deps, here);
  if (!now || Date.now() - now.lastModified.getTime() < settledMs) return;
  tally.count('left_of_erased');
  if (dryRun) return;
  await removeFromBucket(store, row);
  log.warn(
    { recording: row.recordingSid },
    'objects of an erased recording were found in the bucket and removed',
  );
}

async function checkObject(deps: Deps, tally: Tally, here: InBucket, dryRun: boolean) {
  const { sid } = here;
  // A sidecar without an object cannot be adopted.
  const now = here.object && (await asItIsNow(deps, here));
  if (!now?.object) return;
  if (Date.now() - now.lastModified.getTime() < settledMs) return tally.count('underway');
  // The recording was registered after the page was read.
  if (await deps.catalog.find(sid)) return;
  tally.count('unknown');
  if (dryRun) return;
  try {
    if (await adopt(deps, sid)) tally.count('adopted');
  } catch (error) {
    if (isRetryable(error)) throw error;
    tally.count('unreadable');
    await deps.alarms.raise('object_unreadable', sid, errorCode(error));
  }
}

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

/** What is younger may be of a writer whose report is still on its way. */
const settledMs = 10 * 60_000;
/** The embedded database runs in the process that answers players, and answers nothing else during a page. */
const pageRows = { server: 500, embedded: 100 };
/** After each page the pass waits as long as the page took, at most this: players come first. */
const mostPauseMs = 200;

type Deps = Pick<
  IngestDeps,
  'alarms' | 'catalog' | 'config' | 'inventory' | 'keys' | 'log' | 'queue' | 'runs' | 'store' | 'twilio'
>;

/** What lies in the bucket of one recording: its object, its sidecar, or both. */
interface Lying {
  sid: RecordingSid;
  object?: { key: string; etag: string };
  /** When the last of it was put there. */
  lastModified: Date;
  /** An inventory says so, and it may have gone since. */
  mayBeGone: boolean;
}

interface KnownRow {
  row: RecordingRow;
  /** It has an open alarm that its object is lost. */
  isLost: boolean;
}

/**
 * Compares bucket and catalog, both by SID: what the catalog has and the bucket lacks is an alarm, and copied again where
 * Twilio still has it; what the bucket has and the catalog lacks is adopted.
 * @param options.after the SID behind which the pass continues
 * @param save called after each page with its last SID
 * @returns when the inventory was begun that the keys were taken from; undefined where the bucket was listed
 */
export async function bucketPass(
  deps: Deps,
  tally: Tally,
  options: { dryRun: boolean; after: RecordingSid | undefined; signal: AbortSignal },
  save: (after: RecordingSid) => Promise<void>,
): Promise<Date | undefined> {
  const source = await bucketKeys(deps, options);
  const lying = lyingIn(deps, source, options.after)[Symbol.asyncIterator]();
  const size = pageSize(deps);
  const rows = rowsOf(deps, size, options)[Symbol.asyncIterator]();
  let begun = performance.now();
  let there = (await lying.next()).value as Lying | undefined;
  let next = (await rows.next()).value as KnownRow | undefined;
  for (let done = 1; there || next; done += 1) {
    options.signal.throwIfAborted();
    const sid = smaller(there?.sid, next?.row.recordingSid);
    const here = there?.sid === sid ? there : undefined;
    const known = next?.row.recordingSid === sid ? next : undefined;
    if (known) await checkRow(deps, tally, known, here, options.dryRun);
    else if (here) await checkObject(deps, tally, here, options.dryRun);
    if (here) there = (await lying.next()).value as Lying | undefined;
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

/** Listed by key, a sidecar comes right behind its object. Whatever else somebody has put there is passed over. */
async function* lyingIn(
  { config }: Deps,
  { asOf, keys }: BucketKeys,
  after: RecordingSid | undefined,
): AsyncGenerator<Lying> {
  const prefix = `recordings/${config.accountSid}/`;
  let last: Lying | undefined;
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

/** What an inventory has, as the bucket has it now; undefined: neither its object nor its sidecar. */
async function asItIsNow({ config, store }: Deps, here: Lying): Promise<Lying | undefined> {
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
  here: Lying | undefined,
  dryRun: boolean,
): Promise<void> {
  const { alarms, catalog, log, queue, store, twilio } = deps;
  const { object, recordingSid: sid } = row;
  if (row.erasedAt && here) return removeLeftOver(deps, tally, row, here, dryRun);
  if ((row.state !== 'sealed' && row.state !== 'verified') || !object) return;
  // An inventory of before the loss says nothing of whether it is mended.
  const isSeen = here?.object?.etag === object.etag && !(isLost && here.mayBeGone);
  const isThere = isSeen || (await store.head(object.key, object.versionId))?.etag === object.etag;
  if (isThere) {
    if (isLost) await alarms.resolve(['object_lost'], sid);
    return;
  }
  // The catalog was read some time ago: a copy made anew since is another object.
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
      ? 'the bucket has it no longer; it is copied again'
      : 'neither the bucket nor Twilio has it any more',
  );
  if (!remains || !(await catalog.lost(sid, object))) return;
  logStep(log, 'rejected', sid, { reason: 'object_missing' });
  await queue.send(ingestJobs.copy, { recordingSid: sid }, { once: 'now', since: row.startedAt });
  tally.count('recopied');
}

/** What a writer that was killed has put there when the recording was gone: it goes too. */
async function removeLeftOver(
  deps: Deps,
  tally: Tally,
  row: RecordingRow,
  here: Lying,
  dryRun: boolean,
): Promise<void> {
  const { log, store } = deps;
  const now = await asItIsNow(deps, here);
  if (!now || Date.now() - now.lastModified.getTime() < settledMs) return;
  tally.count('left_of_erased');
  if (dryRun) return;
  await removeFromBucket(store, row);
  log.warn({ recording: row.recordingSid }, 'what lay in the bucket of an erased recording was removed');
}

async function checkObject(deps: Deps, tally: Tally, here: Lying, dryRun: boolean) {
  const { sid } = here;
  // Of a sidecar alone there is nothing to adopt.
  const now = here.object && (await asItIsNow(deps, here));
  if (!now?.object) return;
  if (Date.now() - now.lastModified.getTime() < settledMs) return tally.count('underway');
  // Registered since the page was read.
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

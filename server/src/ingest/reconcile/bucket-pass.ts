import { asRecordingSid, errorCode, isRetryable, type RecordingSid } from '@flex-custody/core';
import type { RecordingRow } from '../../catalog/catalog.ts';
import { removeFromBucket } from '../../retention/remove.ts';
import type { IngestParts } from '../parts.ts';
import { logStep } from '../steps.ts';
import { adopt } from './adopt.ts';
import type { Tally } from './tally.ts';

/** What is younger may be of a writer whose report is still on its way. */
const settledMs = 10 * 60_000;
const pageRows = 500;
const saveEvery = 500;

type Parts = Pick<
  IngestParts,
  'alarms' | 'catalog' | 'config' | 'keys' | 'log' | 'queue' | 'store' | 'twilio'
>;

interface Listed {
  sid: RecordingSid;
  key: string;
  etag: string;
  lastModified: Date;
}

/**
 * Bucket and catalog side by side, both by SID: what the catalog has and the bucket lacks is an alarm, and copied again
 * where Twilio still has it; what the bucket has and the catalog lacks is adopted.
 * @param options.after the SID to go on behind
 */
export async function bucketPass(
  parts: Parts,
  tally: Tally,
  options: { dryRun: boolean; after: RecordingSid | undefined; signal: AbortSignal },
  save: (after: RecordingSid) => Promise<void>,
): Promise<void> {
  const listed = objectsOf(parts, options.after)[Symbol.asyncIterator]();
  const rows = rowsOf(parts, options.after)[Symbol.asyncIterator]();
  let object = (await listed.next()).value as Listed | undefined;
  let row = (await rows.next()).value as RecordingRow | undefined;
  for (let done = 1; object || row; done += 1) {
    options.signal.throwIfAborted();
    const sid = smaller(object?.sid, row?.recordingSid);
    const here = object?.sid === sid ? object : undefined;
    const known = row?.recordingSid === sid ? row : undefined;
    if (known) await checkRow(parts, tally, known, here, options.dryRun);
    else if (here) await checkObject(parts, tally, here, options.dryRun);
    if (here) object = (await listed.next()).value as Listed | undefined;
    if (known) row = (await rows.next()).value as RecordingRow | undefined;
    tally.count('compared');
    if (sid && done % saveEvery === 0) await save(sid);
  }
}

function smaller(a: RecordingSid | undefined, b: RecordingSid | undefined): RecordingSid | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return a < b ? a : b;
}

async function* objectsOf({ store, config }: Parts, after: RecordingSid | undefined): AsyncGenerator<Listed> {
  const prefix = `recordings/${config.accountSid}/`;
  for await (const { key, etag, lastModified } of store.list(prefix)) {
    // Its sidecar, and whatever else somebody has put there, is no recording.
    const sid = asRecordingSid(key.slice(prefix.length));
    if (sid && (after === undefined || sid > after)) yield { sid, key, etag, lastModified };
  }
}

async function* rowsOf({ catalog }: Parts, after: RecordingSid | undefined): AsyncGenerator<RecordingRow> {
  for (let last = after; ; ) {
    const page = await catalog.inOrder(last, pageRows);
    yield* page;
    last = page.at(-1)?.recordingSid;
    if (page.length < pageRows) return;
  }
}

async function checkRow(
  parts: Parts,
  tally: Tally,
  row: RecordingRow,
  listed: Listed | undefined,
  dryRun: boolean,
): Promise<void> {
  const { alarms, catalog, log, queue, store, twilio } = parts;
  const { object, recordingSid: sid } = row;
  if (row.erasedAt && listed) return removeLeftOver(parts, tally, row, listed, dryRun);
  if ((row.state !== 'sealed' && row.state !== 'verified') || !object) return;
  const isThere =
    listed?.etag === object.etag || (await store.head(object.key, object.versionId))?.etag === object.etag;
  if (isThere) {
    if (!dryRun) await alarms.mended(['object_lost'], sid);
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
  await queue.send('copy', { recordingSid: sid }, { once: `now:${sid}` });
  tally.count('recopied');
}

/** What a writer that was killed has put there when the recording was gone: it goes too. */
async function removeLeftOver(
  { log, store }: Parts,
  tally: Tally,
  row: RecordingRow,
  { lastModified }: Listed,
  dryRun: boolean,
): Promise<void> {
  if (Date.now() - lastModified.getTime() < settledMs) return;
  tally.count('left_of_erased');
  if (dryRun) return;
  await removeFromBucket(store, row);
  log.warn({ recording: row.recordingSid }, 'an object of an erased recording was removed');
}

async function checkObject(parts: Parts, tally: Tally, { sid, key, lastModified }: Listed, dryRun: boolean) {
  if (Date.now() - lastModified.getTime() < settledMs) return tally.count('underway');
  // Registered since the page was read.
  if (await parts.catalog.find(sid)) return;
  tally.count('unknown');
  if (dryRun) return;
  try {
    if (await adopt(parts, sid, key)) tally.count('adopted');
  } catch (error) {
    if (isRetryable(error)) throw error;
    tally.count('unreadable');
    await parts.alarms.raise('object_unreadable', sid, errorCode(error));
  }
}

import {
  type CopyReport,
  CustodyError,
  isSealedAtRest,
  objectKey,
  type RecordingSid,
  type SealedObject,
} from '@flex-custody/core';
import type { RecordingRow } from '../../catalog/recording-row.ts';
import type { IngestDeps } from '../deps.ts';
import { ingestJobs } from '../jobs.ts';
import { logStep } from '../log-step.ts';
import { sealUnder } from './lease.ts';

type Sealed = Extract<CopyReport, { outcome: 'sealed' }>;

const same = (a: SealedObject | undefined, b: SealedObject): boolean =>
  a !== undefined && a.key === b.key && a.etag === b.etag && a.versionId === b.versionId;

const leaseLost = () => new CustodyError('lease_lost', 'the lease has lapsed or was never theirs');

/**
 * Handles a Function's report of how its lease ended. A repeated report changes nothing.
 * @throws CustodyError `recording_unknown` (404), `lease_lost` (409), `object_unproven` (422), or the store's own
 */
export async function report(
  deps: IngestDeps,
  sid: RecordingSid,
  said: CopyReport,
): Promise<{ state: RecordingRow['state'] }> {
  const row = await deps.catalog.find(sid);
  if (!row) {
    throw new CustodyError('recording_unknown', 'no callback has announced this recording');
  }
  if (said.outcome === 'forwarded') {
    await deps.catalog.forwarded(sid);
    return { state: row.state };
  }
  if (said.outcome === 'sealed') return believeSealed(deps, row, said);
  const failure = said.outcome === 'failed' ? said.code : undefined;
  if (!(await deps.catalog.release(sid, said.lease, failure))) throw leaseLost();
  deps.log.info(
    { recording: sid, why: said.outcome === 'failed' ? said.code : said.reason },
    'the Function left the copy to the host',
  );
  await copyNow(deps, sid);
  return { state: 'registered' };
}

const copyNow = (deps: IngestDeps, sid: RecordingSid) =>
  deps.queue.send(ingestJobs.copy, { recordingSid: sid }, { once: 'now' });

/** Why the report cannot be true, before the bucket is asked; undefined if it can. */
function implausible(deps: IngestDeps, row: RecordingRow, object: SealedObject): string | undefined {
  if (object.key !== objectKey(row.accountSid, row.recordingSid)) return 'another key';
  if (object.mode !== deps.store.mode) return 'another storage mode';
  // Frames and header add bytes, so a sealed object is longer than its plaintext.
  if (
    object.mode === 'envelope'
      ? object.plaintextBytes >= object.bytes
      : object.plaintextBytes !== object.bytes
  )
    return 'impossible sizes';
  return undefined;
}

async function believeSealed(deps: IngestDeps, row: RecordingRow, said: Sealed) {
  const { catalog, log, queue, store } = deps;
  const { object, lease } = said;
  const sid = row.recordingSid;
  if (same(row.object, object)) return { state: row.state };
  let wrong = implausible(deps, row, object);
  if (!wrong) {
    const found = await store.head(object.key, object.versionId);
    if (!found) wrong = 'no such object';
    else if (found.etag !== object.etag || found.bytes !== object.bytes) wrong = 'another object';
    else if (!isSealedAtRest(store, found)) wrong = 'S3 does not say that it is encrypted by the KMS key';
  }
  if (wrong) {
    log.warn({ recording: sid, why: wrong }, 'a reported object does not agree with the bucket');
    if (await catalog.release(sid, lease, 'object_unproven')) await copyNow(deps, sid);
    throw new CustodyError('object_unproven', `the bucket does not confirm the report: ${wrong}`);
  }
  if (!(await sealUnder(deps, sid, lease, object, said.channels, 'function'))) throw leaseLost();
  await catalog.recordRate(object.plaintextBytes, said.tookMs);
  await queue.send(ingestJobs.verify, { recordingSid: sid });
  deps.observer?.copied?.(sid, object.plaintextBytes, said.tookMs, 'function');
  logStep(log, 'sealed', sid, { by: 'function', bytes: object.plaintextBytes, ms: said.tookMs });
  return { state: 'sealed' as const };
}

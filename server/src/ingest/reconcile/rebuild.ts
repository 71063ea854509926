import { asRecordingSid, errorCode, isRetryable, type RecordingSid } from '@flex-custody/core';
import type { Run } from '../../runs/runs.ts';
import type { IngestParts } from '../parts.ts';
import { openSidecar } from '../sidecars.ts';
import { bucketPass } from './bucket-pass.ts';
import { createTally, type Tally } from './tally.ts';

const atOnce = 8;
const saveEvery = 200;

/**
 * Puts a lost catalog together again from the bucket alone: what the sidecars say, and of recordings without one what they
 * prove themselves. What the catalog knows stays as it is.
 */
export async function rebuild(parts: IngestParts, run: Run): Promise<void> {
  const tally = createTally(run.counts);
  const dryRun = run.options['dryRun'] === true;
  const { state = {}, signal } = run;
  const save = (next: Record<string, unknown>) =>
    run.save(next, {
      ...tally.counts,
      done: (tally.counts['sidecars'] ?? 0) + (tally.counts['compared'] ?? 0),
    });
  if (state['sidecars'] !== true) {
    await sidecarPass(parts, tally, { dryRun, after: asRecordingSid(state['after']), signal }, (after) =>
      save({ after }),
    );
    await save({ sidecars: true });
  }
  const after = state['sidecars'] === true ? asRecordingSid(state['after']) : undefined;
  await bucketPass(parts, tally, { dryRun, after, signal }, (sid) => save({ sidecars: true, after: sid }));
  await save({ sidecars: true, compared: true });
}

async function sidecarPass(
  parts: IngestParts,
  tally: Tally,
  { dryRun, after, signal }: { dryRun: boolean; after: RecordingSid | undefined; signal: AbortSignal },
  save: (after: RecordingSid) => Promise<void>,
): Promise<void> {
  const prefix = `recordings/${parts.config.accountSid}/`;
  let underway: Promise<void>[] = [];
  let read = 0;
  for await (const { key } of parts.store.list(prefix)) {
    const sid = asRecordingSid(/^(RE[0-9a-f]{32})\.json$/.exec(key.slice(prefix.length))?.[1]);
    if (!sid || (after !== undefined && sid <= after)) continue;
    signal.throwIfAborted();
    underway.push(restore(parts, tally, sid, dryRun));
    read += 1;
    if (underway.length < atOnce) continue;
    await Promise.all(underway);
    underway = [];
    if (read % saveEvery < atOnce) await save(sid);
  }
  await Promise.all(underway);
}

async function restore(parts: IngestParts, tally: Tally, sid: RecordingSid, dryRun: boolean): Promise<void> {
  const { alarms, catalog, queue, store } = parts;
  tally.count('sidecars');
  if (await catalog.find(sid)) return tally.count('known');
  try {
    const { sidecar, stored } = await openSidecar(parts, sid);
    const copy = await store.head(sidecar.object.key, sidecar.object.versionId);
    if (copy?.etag !== sidecar.object.etag) {
      // The recording itself, if it is there in another version, is adopted afterwards.
      tally.count('without_recording');
      if (!dryRun) await alarms.raise('object_lost', sid, 'its sidecar is there, and the recording is not');
      return;
    }
    tally.count('restored');
    if (dryRun) return;
    await catalog.restored(sidecar, stored);
    if (sidecar.verifiedAt === undefined) await queue.send('verify', { recordingSid: sid }, { once: sid });
  } catch (error) {
    if (isRetryable(error)) throw error;
    tally.count('unreadable');
    if (!dryRun) await alarms.raise('sidecar_unreadable', sid, errorCode(error));
  }
}

import { asRecordingSid, errorCode, isRetryable, type RecordingSid, sidecarKey } from '@flex-custody/core';
import { withGatheredAlarms } from '../../../alarms/gather-alarms.ts';
import { openSidecar } from '../../../catalog/sidecars.ts';
import type { Run } from '../../../runs/runs.ts';
import { ingestJobs } from '../../jobs.ts';
import { type AcceptingDeps, acceptUnsignedSidecar } from './accept-unsigned.ts';
import { bucketPass } from './bucket-pass.ts';
import { createTally, type Tally } from './tally.ts';

const atOnce = 8;
const saveEvery = 200;

export interface RebuildOptions {
  dryRun?: boolean;
  /** Restores sidecars that no listed key has signed too, with unproven facts. */
  acceptUnsigned?: boolean;
}

/**
 * Rebuilds a lost catalog from the bucket: it restores the facts of signed sidecars. Of an unsigned sidecar only the SID
 * counts, unless the operator accepts unsigned ones, and its recording is adopted. Every restored copy is verified again.
 * Known recordings stay as they are.
 */
export async function rebuild(deps: AcceptingDeps, run: Run): Promise<void> {
  await withGatheredAlarms(deps, (all) => putTogether(all, run));
}

async function putTogether(deps: AcceptingDeps, run: Run): Promise<void> {
  const tally = createTally(run);
  const { dryRun = false, acceptUnsigned = false } = run.options as RebuildOptions;
  const { state = {}, signal } = run;
  const save = (next: Record<string, unknown>) =>
    run.save(next, {
      ...tally.counts,
      done: (tally.counts['sidecars'] ?? 0) + (tally.counts['compared'] ?? 0),
    });
  if (state['sidecars'] !== true) {
    const how = { dryRun, acceptUnsigned, after: asRecordingSid(state['after']), signal };
    await sidecarPass(deps, tally, how, (after) => save({ after }));
    await save({ sidecars: true });
  }
  const after = state['sidecars'] === true ? asRecordingSid(state['after']) : undefined;
  await bucketPass(deps, tally, { dryRun, after, signal }, (sid) => save({ sidecars: true, after: sid }));
  await save({ sidecars: true, compared: true });
}

interface Pass {
  dryRun: boolean;
  acceptUnsigned: boolean;
  after: RecordingSid | undefined;
  signal: AbortSignal;
}

async function sidecarPass(
  deps: AcceptingDeps,
  tally: Tally,
  how: Pass,
  save: (after: RecordingSid) => Promise<void>,
): Promise<void> {
  const prefix = `recordings/${deps.config.accountSid}/`;
  let underway: Promise<void>[] = [];
  let read = 0;
  const behind = how.after && sidecarKey(deps.config.accountSid, how.after);
  for await (const { key } of deps.store.list(prefix, { after: behind })) {
    const sid = asRecordingSid(/^(RE[0-9a-f]{32})\.json$/.exec(key.slice(prefix.length))?.[1]);
    if (!sid || (how.after !== undefined && sid <= how.after)) continue;
    how.signal.throwIfAborted();
    underway.push(restore(deps, tally, sid, how));
    read += 1;
    if (underway.length < atOnce) continue;
    await Promise.all(underway);
    underway = [];
    if (read % saveEvery < atOnce) await save(sid);
  }
  await Promise.all(underway);
}

async function restore(
  deps: AcceptingDeps,
  tally: Tally,
  sid: RecordingSid,
  { dryRun, acceptUnsigned }: Pass,
): Promise<void> {
  const { alarms, catalog, queue, store } = deps;
  tally.count('sidecars');
  if (await catalog.find(sid)) return tally.count('known');
  try {
    const { sidecar, stored, signedBy } = await openSidecar(deps, sid);
    if (signedBy === undefined) tally.count('unsigned');
    // Its recording is adopted afterwards, from the facts of the object and of Twilio.
    if (signedBy === undefined && !acceptUnsigned) return;
    const copy = await store.head(sidecar.object.key, sidecar.object.versionId);
    if (copy?.etag !== sidecar.object.etag) {
      // If the object exists in another version, the recording is adopted afterwards.
      tally.count('without_recording');
      if (!dryRun)
        await alarms.raise('object_lost', sid, 'the bucket has its sidecar, and not the recording');
      return;
    }
    tally.count('restored');
    if (dryRun) return;
    if (signedBy === undefined) return await acceptUnsignedSidecar(deps, sidecar, copy);
    if (await catalog.restored(sidecar, { signed: stored }))
      await queue.send(ingestJobs.verify, { recordingSid: sid });
  } catch (error) {
    if (isRetryable(error)) throw error;
    tally.count('unreadable');
    if (!dryRun) await alarms.raise('sidecar_unreadable', sid, errorCode(error));
  }
}

import { CustodyError, errorCode, objectKey, type RecordingSid } from '@flex-custody/core';
import type { TwilioApi } from '@flex-custody/twilio';
import type { Alarms } from '../alarms/alarms.ts';
import type { KeepingCatalog } from '../catalog/keeping-catalog.ts';
import type { LookupCatalog } from '../catalog/lookup-catalog.ts';
import type { Marks } from '../catalog/marks.ts';
import type { ErasurePlan, Intent, RecordingRow } from '../catalog/recording-row.ts';
import { deleteAtTwilio, isAtTwilio } from './at-twilio.ts';
import type { ErasedRecording } from './certificate.ts';
import type { Gone } from './certify.ts';
import { type DestroyerDeps, type MoreAsked, mayDestroy } from './may-destroy.ts';
import { keptVersionsOf, removeFromBucket, versionsOf } from './remove.ts';

export interface EraseOneDeps extends DestroyerDeps {
  alarms: Pick<Alarms, 'raise' | 'resolve'>;
  catalog: LookupCatalog & KeepingCatalog & Marks;
  twilio: Pick<TwilioApi, 'account' | 'deleteRecording' | 'recording'>;
  log: { info(fields: object, message: string): void; warn(fields: object, message: string): void };
}

/** The run that erases, and its reports about each recording. */
export interface Scene {
  /** UUID. */
  run: string;
  dryRun: boolean;
  count(name: string): void;
  /** @param which the SID of a recording, or the id of a session */
  name(which: string, what: string): void;
  /** How the recording was selected, if the operator should know; otherwise empty. */
  about(row: RecordingRow): string;
  /** Resolves when it is proven that a certificate can be stored, and that objects can be removed from the bucket. */
  certifiable(): Promise<void>;
}

/** Why a recording is erased. */
export type Why = Pick<Intent, 'reason' | 'reference' | 'session'> &
  Pick<MoreAsked, 'stillDue'> & {
    /** Called for each recording that may not be erased. @param why see `Verdict` */
    stays?(row: RecordingRow, why: string): Promise<void>;
  };
type Listed = ErasurePlan['versions'][number] & { etag: string };

/** An error that stops the whole run, because the next recording would fail too. */
class Stop extends Error {
  constructor(override readonly cause: CustodyError) {
    super(cause.code);
  }
}

/**
 * Erases one recording: it stores the intent, checks once more that the recording may be erased, and removes every
 * version in the bucket and the original at Twilio. Until something is removed, a hold can still stop the erasure; if
 * nothing could be removed, the intent is taken back.
 * @returns what was removed; undefined if the recording stays, or the erasure could not be ended now
 * @throws CustodyError `clock_differs`, or the reason why no certificate can be stored
 */
export async function eraseOne(
  deps: EraseOneDeps,
  row: RecordingRow,
  why: Why,
  scene: Scene,
): Promise<Gone | undefined> {
  const { catalog } = deps;
  const sid = row.recordingSid;
  let isIntended = row.intent !== undefined;
  const takeBack = async () => {
    if (isIntended && (await catalog.takeBack(sid, scene.run)))
      await deps.alarms.resolve(['erasure_stuck'], sid);
  };
  return counted(deps, row, scene, async () => {
    try {
      const before = await allowed(deps, row, why, scene);
      if (before === undefined) return await takeBack().then(() => undefined);
      if (scene.dryRun) {
        scene.count('to_be_erased');
        scene.name(sid, `would be erased${scene.about(row)}`);
        return undefined;
      }
      await stopping(scene.certifiable());
      const { plan, now } = await planned(deps, row);
      const { reason, reference, session } = why;
      const intent = {
        reason,
        ...(reference !== undefined && { reference }),
        ...(session && { session }),
        ...{ policy: before, plan },
      };
      await intend(deps, sid, intent, scene);
      isIntended = true;
      const policy = await allowed(deps, row, why, scene);
      if (policy === undefined) return await takeBack().then(() => undefined);
      // The last decision counts. If the checks took too long, another run may have taken over, and this fails.
      await intend(deps, sid, { ...intent, policy }, scene);
      isIntended = false;
      const erased = await remove(deps, now, plan, scene);
      return { intent: { ...intent, policy }, erased };
    } catch (error) {
      await takeBack().catch(() => undefined);
      throw error;
    }
  });
}

/**
 * Ends an erasure that another run has begun, as that run decided; takes it back if nothing was removed and the recording
 * may not be erased.
 * @returns `as-before` if the intent was taken back, so that this run decides about the recording
 */
export async function continueErasure(
  deps: EraseOneDeps,
  row: RecordingRow,
  scene: Scene,
): Promise<Gone | 'as-before' | undefined> {
  const { catalog } = deps;
  const { intent, recordingSid: sid } = row;
  if (!intent || !(await catalog.resumeErasure(sid, scene.run))) return undefined;
  if (row.state !== 'erased' && (await isStillWhole(deps, row, intent.plan).catch(() => false))) {
    if (intent.reason === 'erasure') return eraseOne(deps, row, intent, scene);
    // The policy decides again whether it is due.
    await catalog.takeBack(sid, scene.run);
    return 'as-before';
  }
  return counted(deps, row, scene, async () => {
    // If the check above failed, its result is unknown: it runs again here, and an error fails this try.
    if (row.state !== 'erased' && (await isStillWhole(deps, row, intent.plan))) return undefined;
    // An earlier release began it, which ignored holds after the beginning, whether or not anything was removed.
    if (!intent.plan && row.object && isSeen(row.object, await listed(deps, row))) {
      if ((await allowed(deps, row, intent, scene)) === undefined) return undefined;
    }
    await stopping(scene.certifiable());
    if (row.state !== 'erased') await begin(deps, sid, scene);
    const erased = await remove(deps, { ...row, state: 'erased' }, intent.plan, scene);
    return { intent, erased };
  });
}

/** Counts and names recordings that fail; a {@link Stop} ends the run. */
async function counted(
  { log }: EraseOneDeps,
  { recordingSid: sid }: RecordingRow,
  scene: Scene,
  work: () => Promise<Gone | undefined>,
): Promise<Gone | undefined> {
  try {
    const gone = await work();
    if (gone) log.info({ event: 'recording.erased', recording: sid, reason: gone.intent.reason }, 'erased');
    return gone;
  } catch (error) {
    if (error instanceof Stop) throw error.cause;
    const code = errorCode(error);
    scene.count(`failed_${code}`);
    scene.name(sid, `erasure not finished: ${code}`);
    log.warn({ recording: sid, code }, 'a recording could not be erased now');
    return undefined;
  }
}

async function stopping(proof: Promise<void>): Promise<void> {
  try {
    await proof;
  } catch (error) {
    throw error instanceof CustodyError ? new Stop(error) : error;
  }
}

/** @returns the digest of the policy under which it may be erased; undefined if it stays */
async function allowed(
  deps: EraseOneDeps,
  row: RecordingRow,
  { reason, stays, stillDue }: Why,
  { count, name }: Scene,
): Promise<string | undefined> {
  const verdict = await mayDestroy(deps, row, 'recording', {
    byPolicy: reason === 'retention',
    ...(stillDue && { stillDue }),
  });
  if (verdict.may) return verdict.policy;
  if (verdict.why === 'clock_differs') {
    await deps.alarms.raise('clock_differs', undefined, verdict.detail);
    throw new Stop(new CustodyError('clock_differs', verdict.detail));
  }
  count(verdict.why);
  name(row.recordingSid, verdict.detail);
  await stays?.(row, verdict.why);
  return undefined;
}

async function listed({ store }: EraseOneDeps, row: RecordingRow): Promise<Listed[]> {
  const found: Listed[] = [];
  for await (const { key, versionId, etag } of versionsOf(store, row))
    found.push({ key, etag, ...(versionId !== undefined && { versionId }) });
  return found;
}

const nameOf = ({ key, versionId }: { key: string; versionId?: string }) => `${key}?${versionId ?? ''}`;

function isSeen(object: NonNullable<RecordingRow['object']>, versions: readonly Listed[]): boolean {
  return versions.some(
    ({ key, versionId, etag }) =>
      key === object.key &&
      (object.versionId === undefined ? etag === object.etag : versionId === object.versionId),
  );
}

/**
 * Lists what exists of the recording, and will be removed.
 * @throws CustodyError `object_lost` if the catalog's object is not in the bucket: it is elsewhere or was removed by
 * others, so no certificate could state that it was erased
 */
async function planned(
  deps: EraseOneDeps,
  { recordingSid }: RecordingRow,
): Promise<{ plan: ErasurePlan; now: RecordingRow }> {
  const now = await deps.catalog.find(recordingSid);
  if (!now) throw new CustodyError('recording_unknown', 'the recording is no longer in the catalog');
  const versions = await listed(deps, now);
  if (now.object && !isSeen(now.object, versions)) {
    await deps.alarms.raise(
      'object_lost',
      recordingSid,
      'its erasure stopped: the object that the catalog names is not in the bucket',
    );
    throw new CustodyError('object_lost', 'its object is not in the bucket');
  }
  // If the bucket has versions they are removed first, and show whether anything was removed; then Twilio need not be
  // asked.
  const atTwilio = versions.length > 0 || (await isAtTwilio(deps.twilio, recordingSid));
  return { now, plan: { versions: versions.map(({ etag: _, ...version }) => version), atTwilio } };
}

/**
 * True if nothing of the plan was removed. The object's versions are removed before the sidecar's, which a new
 * description may replace meanwhile.
 * @throws CustodyError if bucket or Twilio do not answer now
 */
async function isStillWhole(
  deps: EraseOneDeps,
  row: RecordingRow,
  plan: ErasurePlan | undefined,
): Promise<boolean> {
  if (!plan) return false;
  const there = new Set((await listed(deps, row)).map(nameOf));
  const ofObject = plan.versions.filter(({ key }) => key === objectKey(row.accountSid, row.recordingSid));
  const first = ofObject.length > 0 ? ofObject : plan.versions;
  if (first.length > 0) return first.every((version) => there.has(nameOf(version)));
  return !plan.atTwilio || isAtTwilio(deps.twilio, row.recordingSid);
}

/** How many of the planned versions an earlier run has removed. */
async function goneOf(deps: EraseOneDeps, row: RecordingRow, plan: ErasurePlan | undefined): Promise<number> {
  if (!plan) return 0;
  const there = new Set((await listed(deps, row)).map(nameOf));
  return plan.versions.filter((version) => !there.has(nameOf(version))).length;
}

async function intend(
  { catalog }: EraseOneDeps,
  sid: RecordingSid,
  intent: Omit<Intent, 'begunAt'>,
  { run }: Scene,
): Promise<void> {
  if (!(await catalog.intend(sid, intent, run)))
    throw new CustodyError('erasure_busy', 'another run is erasing it');
}

async function begin({ catalog }: EraseOneDeps, sid: RecordingSid, { run }: Scene): Promise<void> {
  if (!(await catalog.erasing(sid, run)))
    throw new CustodyError('erasure_busy', 'another run has taken over its erasure');
}

/** @throws CustodyError as bucket and Twilio do; if nothing was removed, the intent is taken back first */
async function remove(
  deps: EraseOneDeps,
  row: RecordingRow,
  plan: ErasurePlan | undefined,
  scene: Scene,
): Promise<ErasedRecording> {
  const { alarms, catalog, store, twilio } = deps;
  const sid = row.recordingSid;
  let isBegun = row.state === 'erased';
  let removed = 0;
  const onRemoved = async () => {
    removed += 1;
    if (!isBegun) await begin(deps, sid, scene);
    isBegun = true;
  };
  try {
    const before = isBegun ? await goneOf(deps, row, plan) : 0;
    const keptVersions = await keptVersionsOf(store, plan?.versions ?? []);
    await removeFromBucket(store, row, onRemoved);
    const how = await deleteAtTwilio(twilio, row);
    if (!isBegun) {
      await begin(deps, sid, scene);
      isBegun = true;
      // A writer that was copying the recording until now may have stored another object.
      await removeFromBucket(store, row, onRemoved);
    }
    const at = (await catalog.now()).toISOString();
    await catalog.wasRemoved(sid, { versions: removed, twilio: how, at });
    const had = row.erasure;
    return {
      recording: sid,
      versions: removed + Math.max(before, had?.versions ?? 0),
      ...(keptVersions !== undefined && { keptVersions }),
      twilio: had?.twilio === 'deleted' ? 'deleted' : how,
      at,
    };
  } catch (error) {
    if (isBegun && removed > 0) {
      // The certificate states what was removed, whichever run ends the erasure.
      const at = (await catalog.now()).toISOString();
      await catalog.wasRemoved(sid, { versions: removed, twilio: 'gone', at });
    } else if (!isBegun && (await isStillWhole(deps, row, plan).catch(() => false))) {
      if (await catalog.takeBack(sid, scene.run)) await alarms.resolve(['erasure_stuck'], sid);
    }
    throw error;
  }
}

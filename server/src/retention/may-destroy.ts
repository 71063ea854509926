import { CustodyError, errorCode, isRetryable, type RecordingSid } from '@flex-custody/core';
import { type Keys, opensNow, type Store } from '@flex-custody/vault';
import type { KeepingCatalog } from '../catalog/keeping-catalog.ts';
import type { LookupCatalog } from '../catalog/lookup-catalog.ts';
import type { RecordingRow } from '../catalog/recording-row.ts';
import type { Config } from '../config.ts';
import type { CallerDigest } from './caller.ts';
import { type ClockDeps, readClock } from './clock.ts';
import { holdsOn, keptUntil } from './decide.ts';
import type { Policies } from './policies.ts';
import { lockedUntil, sayLocked } from './remove.ts';

/** The original at Twilio, the whole recording, or the unencrypted object that it was imported from. */
export type Destroyed = 'source' | 'recording' | 'plain';

/** Reasons why it may not be destroyed; beside these, the error codes of an object, envelope or key that cannot be opened. */
export type Refusal =
  | 'recording_unknown'
  | 'being_erased'
  | 'clock_differs'
  | 'held'
  | 'locked'
  | 'unproven'
  | 'kept'
  | 'not_proven'
  | 'object_changed'
  | 'sidecar_missing'
  | 'unversioned';

/** `policy`: digest of the policy in force. `detail`: text for operators. */
export type Verdict =
  | { may: true; policy: string }
  | { may: false; why: Refusal | (string & {}); detail: string };

export interface DestroyerDeps extends ClockDeps {
  config: Partial<Pick<Config, 'acceptUnversioned'>>;
  catalog: Pick<LookupCatalog, 'find'> & Pick<KeepingCatalog, 'now'>;
  policies: Pick<Policies, 'inForce'>;
  /** Undefined if no secret for callers is set: callers are not identified. */
  callerDigest?: CallerDigest;
  store: Store;
  /** Undefined in sse-kms mode. */
  keys: Keys | undefined;
}

/** Why something stays: a code that is counted, and a text for operators. */
export interface Kept {
  why: string;
  detail: string;
}

export interface MoreAsked {
  /** The policy erases it: its period must be over, by proven facts. */
  byPolicy?: boolean;
  /**
   * A further question of what destroys it, asked together with the others.
   * @returns why it may not be destroyed now
   */
  stillDue?(row: RecordingRow): Promise<Kept | undefined>;
  /** Twilio has no such recording to compare the copy with: for `plain`, a verified copy is enough. */
  isNowhereElse?: boolean;
}

/**
 * Whether it may be destroyed now. Every deletion calls this for each recording, immediately before the first step that
 * cannot be undone. It reads the row, the policy in force, the clock, the bucket and the keys again.
 * @throws CustodyError a retryable one if Twilio, the bucket or the database does not answer: then nothing may be
 * destroyed; `policy_invalid` if the policy in force cannot be read
 */
export async function mayDestroy(
  deps: DestroyerDeps,
  { recordingSid }: { recordingSid: RecordingSid },
  what: Destroyed,
  { byPolicy = false, isNowhereElse = false, stillDue }: MoreAsked = {},
): Promise<Verdict> {
  const row = await deps.catalog.find(recordingSid);
  if (!row) return no('recording_unknown', 'it is not in the catalog');
  const policy = await deps.policies.inForce();
  const holds = holdsOn(policy, row, deps.callerDigest);
  if (holds.length > 0) return no('held', `held by ${holds.join(', ')}`);
  const { now, differs } = await readClock(deps);
  if (differs) return no('clock_differs', differs);
  if (byPolicy) {
    if (row.unproven.length > 0) return no('unproven', `kept, because unproven: ${row.unproven.join(', ')}`);
    const until = keptUntil(policy, row);
    if (!until || until > now) return no('kept', 'the policy keeps it');
  }
  const kept = await stillDue?.(row);
  if (kept) return { may: false, ...kept };
  if (what !== 'recording') {
    if (row.intent) return no('being_erased', 'its erasure has begun');
    const isProven = row.proof !== undefined || (what === 'plain' && isNowhereElse);
    if (row.state !== 'verified' || !isProven || !row.object)
      return no('not_proven', 'its copy is not proven');
  }
  const lock = await lockedUntil(deps.store, row);
  // A lock with an end protects the object, and the deletion of the original does not touch the object.
  if (lock !== undefined && (what === 'recording' || !(lock instanceof Date)))
    return no('locked', sayLocked(lock));
  const fault = what === 'recording' ? undefined : await faultOfCopy(deps, row, what);
  return fault ?? { may: true, policy: policy.digest };
}

const no = (why: string, detail: string): Extract<Verdict, { may: false }> => ({ may: false, why, detail });

/** Why the copy may not be the only one left of a recording; undefined if it may. */
async function faultOfCopy(
  deps: DestroyerDeps,
  row: RecordingRow,
  what: Destroyed,
): Promise<Verdict | undefined> {
  const { config, keys, store } = deps;
  const { object, sidecar } = row;
  if (!object) return no('not_proven', 'its copy is not proven');
  try {
    const copy = await store.head(object.key, object.versionId);
    if (copy?.etag !== object.etag || copy.bytes !== object.bytes)
      return no('object_changed', 'the object in the bucket is not the verified copy');
    if (what === 'source' && !(sidecar && (await store.head(sidecar.key, sidecar.versionId))))
      return no('sidecar_missing', 'its sidecar is not in the bucket');
    await opensNow(object, keys, store, { account: row.accountSid, recording: row.recordingSid });
  } catch (error) {
    if (!(error instanceof CustodyError) || (isRetryable(error) && !isOfKeys(errorCode(error)))) throw error;
    return no(error.code, `its copy cannot be opened: ${error.code}`);
  }
  if (!config.acceptUnversioned && !(await store.keepsVersions()))
    return no(
      'unversioned',
      'the bucket keeps no versions, so any writer could replace the only copy: enable versioning',
    );
  return undefined;
}

/** True if the fault is in the keys and not in one recording: the next copy could not be opened either. */
export function isOfKeys(code: string): boolean {
  return code.startsWith('key_') || code === 'envelope_wrong_key';
}

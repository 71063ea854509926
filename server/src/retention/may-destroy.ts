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

/** The original at Twilio, the whole recording, or the plain object that it was imported from. */
export type Destroyed = 'source' | 'recording' | 'plain';

/** Codes of their own; besides them those of an object, an envelope or a key that does not open. */
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

/** `policy`: digest of the one in force. `detail` is for people. */
export type Verdict =
  | { may: true; policy: string }
  | { may: false; why: Refusal | (string & {}); detail: string };

export interface DestroyerDeps extends ClockDeps {
  config: Partial<Pick<Config, 'acceptUnversioned'>>;
  catalog: Pick<LookupCatalog, 'find'> & Pick<KeepingCatalog, 'now'>;
  policies: Pick<Policies, 'inForce'>;
  /** Undefined where callers cannot be told. */
  callerDigest?: CallerDigest;
  store: Store;
  /** Undefined in sse-kms mode. */
  keys: Keys | undefined;
}

export interface MoreAsked {
  /** The policy erases it, so that its time must be over, by facts that are proven. */
  byPolicy?: boolean;
  /** Twilio has no such recording that its copy could be held against: of `plain`, one that is verified suffices. */
  isNowhereElse?: boolean;
}

/**
 * Whether it may be destroyed now. Whoever destroys asks immediately before the first step that cannot be undone, for each
 * recording: the row, the policy in force, the clock, the bucket and the keys are asked anew.
 * @throws CustodyError one that is retryable where somebody who must be asked does not answer: then nothing is destroyed;
 * `policy_invalid` where nobody can read the policy in force
 */
export async function mayDestroy(
  deps: DestroyerDeps,
  { recordingSid }: { recordingSid: RecordingSid },
  what: Destroyed,
  { byPolicy = false, isNowhereElse = false }: MoreAsked = {},
): Promise<Verdict> {
  const row = await deps.catalog.find(recordingSid);
  if (!row) return no('recording_unknown', 'the catalog does not know it');
  const policy = await deps.policies.inForce();
  const holds = holdsOn(policy, row, deps.callerDigest);
  if (holds.length > 0) return no('held', `held by ${holds.join(', ')}`);
  const { now, differs } = await readClock(deps);
  if (differs) return no('clock_differs', differs);
  if (byPolicy) {
    if (row.unproven.length > 0) return no('unproven', `unproven, so kept: ${row.unproven.join(', ')}`);
    const until = keptUntil(policy, row);
    if (!until || until > now) return no('kept', 'the policy keeps it');
  }
  if (what !== 'recording') {
    if (row.intent) return no('being_erased', 'an erasure is at work');
    const isProven = row.proof !== undefined || (what === 'plain' && isNowhereElse);
    if (row.state !== 'verified' || !isProven || !row.object)
      return no('not_proven', 'its copy is not proven');
  }
  const lock = await lockedUntil(deps.store, row);
  // A lock that ends keeps its object and nothing else: the original's deletion leaves the object where it is.
  if (lock !== undefined && (what === 'recording' || !(lock instanceof Date)))
    return no('locked', sayLocked(lock));
  const fault = what === 'recording' ? undefined : await faultOfCopy(deps, row, what);
  return fault ?? { may: true, policy: policy.digest };
}

const no = (why: string, detail: string): Extract<Verdict, { may: false }> => ({ may: false, why, detail });

/** Why the copy is not fit to be all that is left of a recording. */
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
      return no('object_changed', 'its copy is not in the bucket as it was verified');
    if (what === 'source' && !(sidecar && (await store.head(sidecar.key, sidecar.versionId))))
      return no('sidecar_missing', 'its copy is not in the bucket with what describes it');
    await opensNow(object, keys, store, { account: row.accountSid, recording: row.recordingSid });
  } catch (error) {
    if (!(error instanceof CustodyError) || (isRetryable(error) && !isOfKeys(errorCode(error)))) throw error;
    return no(error.code, `its copy cannot be opened: ${error.code}`);
  }
  if (!config.acceptUnversioned && !(await store.keepsVersions()))
    return no(
      'unversioned',
      'the bucket keeps no versions: whoever may write to it could replace the only copy',
    );
  return undefined;
}

/** The keys fail, not one recording: whatever would be destroyed next could as little be opened. */
export function isOfKeys(code: string): boolean {
  return code.startsWith('key_') || code === 'envelope_wrong_key';
}

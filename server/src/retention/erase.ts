import { randomUUID } from 'node:crypto';
import { type AccountSid, asRecordingSid, errorCode, type RecordingSid } from '@flex-custody/core';
import type { TwilioApi } from '@flex-custody/twilio';
import type { Store } from '@flex-custody/vault';
import type { Catalog, RecordingRow, Selection } from '../catalog/catalog.ts';
import type { Certificates } from '../catalog/certificates.ts';
import type { Run } from '../runs/runs.ts';
import type { SigningIdentity } from '../signing/identity.ts';
import type { CallerDigest } from './caller.ts';
import { type Certificate, certificateType, type ErasedRecording } from './certificate.ts';
import { fewestDays, holdsOn, keptUntil } from './decide.ts';
import { loadPolicy, type Policy } from './policy.ts';
import { lockedUntil, removeFromBucket, sayLocked } from './remove.ts';

export interface KeepingParts {
  config: { accountSid: AccountSid; policyFile?: string };
  catalog: Catalog;
  certificates: Certificates;
  signing: Pick<SigningIdentity, 'sign'>;
  store: Store;
  twilio: Pick<TwilioApi, 'deleteRecording'>;
  /** Undefined where callers cannot be told. */
  callerDigest?: CallerDigest;
  log: { info(fields: object, message: string): void; warn(fields: object, message: string): void };
}

export interface EraseOptions {
  recordings?: readonly RecordingSid[];
  tasks?: Selection['tasks'];
  /** Digests. */
  callers?: readonly string[];
  /** What the operator wants to read in the certificate. */
  reference?: string;
  dryRun?: boolean;
}

const pageRows = 100;
const dayMs = 24 * 60 * 60_000;
/** Listed by name for whoever asked; more are only counted. */
const mostNamed = 50;

/** What an operator asked for by name. @throws CustodyError `policy_invalid` */
export async function eraseSelected(parts: KeepingParts, run: Run): Promise<void> {
  const { recordings, tasks, callers, reference, dryRun } = run.options as EraseOptions;
  const of: Selection = {
    ...(recordings && { recordings }),
    ...(tasks && { tasks }),
    ...(callers && { callers }),
  };
  await erase(parts, run, loadPolicy(parts.config.policyFile), {
    of,
    isDue: () => true,
    reason: 'erasure',
    dryRun: dryRun === true,
    ...(reference !== undefined && { reference }),
  });
}

/** What the policy keeps no longer. @throws CustodyError `policy_invalid` */
export async function eraseExpired(parts: KeepingParts, run: Run): Promise<void> {
  // Read once: an edit in the midst of a run holds from the next one on.
  const policy = loadPolicy(parts.config.policyFile);
  const fewest = fewestDays(policy);
  const now = Date.now();
  const of: Selection = fewest === undefined ? {} : { startedBefore: new Date(now - fewest * dayMs) };
  await erase(parts, run, policy, {
    of,
    isDue: (row) => (keptUntil(policy, row)?.getTime() ?? Number.POSITIVE_INFINITY) <= now,
    reason: 'retention',
    dryRun: run.options['dryRun'] === true,
  });
}

interface Plan {
  of: Selection;
  isDue(row: RecordingRow): boolean;
  reason: Certificate['reason'];
  reference?: string;
  dryRun: boolean;
}

/**
 * Erases recordings, some at a time, with a certificate for each some: from the bucket all versions, Twilio's copy, and
 * from the catalog all but the SID. What is under a hold, or locked in the bucket, stays whole. What broke off is gone
 * on with first.
 */
async function erase(parts: KeepingParts, run: Run, policy: Policy, plan: Plan): Promise<void> {
  const { catalog } = parts;
  const counts: Record<string, number> = { ...run.counts };
  const count = (name: string) => {
    counts[name] = (counts[name] ?? 0) + 1;
  };
  const notes: Record<string, string> = { ...(run.state?.['notes'] as Record<string, string> | undefined) };
  const name = (sid: RecordingSid, what: string) => {
    if (Object.keys(notes).length < mostNamed) notes[sid] = what;
  };
  let after = asRecordingSid(run.state?.['after']);
  const batch = async (rows: readonly RecordingRow[]) => {
    const gone: { sid: RecordingSid; erased: ErasedRecording }[] = [];
    for (const row of rows) {
      run.signal.throwIfAborted();
      const erased = await eraseOne(parts, row, { policy, plan, count, name });
      if (erased) gone.push({ sid: row.recordingSid, erased });
    }
    if (gone.length > 0) await certify(parts, policy, plan, gone);
    for (const _ of gone) count('erased');
  };
  // One page: what cannot be ended now is tried again by the next run.
  if (!plan.dryRun) await batch(await catalog.unfinishedErasures(pageRows));
  for (;;) {
    const rows = await catalog.selected(plan.of, after, pageRows);
    const due = rows.filter((row) => row.state !== 'erased' && plan.isDue(row));
    for (const _ of due) count('done');
    await batch(due);
    after = rows.at(-1)?.recordingSid ?? after;
    await run.save({ after, notes }, counts);
    if (rows.length < pageRows) return;
  }
}

interface Scene {
  policy: Policy;
  plan: Plan;
  count(name: string): void;
  name(sid: RecordingSid, what: string): void;
}

/** @returns what went; undefined where it stays, or could not be ended now */
async function eraseOne(
  parts: KeepingParts,
  row: RecordingRow,
  { policy, plan, count, name }: Scene,
): Promise<ErasedRecording | undefined> {
  const { catalog, log, store, twilio } = parts;
  const sid = row.recordingSid;
  let versions = 0;
  try {
    // What has begun is not held any more: there is no whole recording to hold.
    if (row.state !== 'erased') {
      const holds = holdsOn(policy, row, parts.callerDigest);
      if (holds.length > 0) {
        count('held');
        name(sid, `held by ${holds.join(', ')}`);
        return undefined;
      }
      const lock = await lockedUntil(store, row);
      if (lock !== undefined) {
        count('locked');
        name(sid, sayLocked(lock));
        return undefined;
      }
      if (plan.dryRun) {
        count('to_be_erased');
        name(sid, 'would be erased');
        return undefined;
      }
      // Somebody else has begun with it.
      if (!(await catalog.erasing(sid))) return undefined;
    }
    await removeFromBucket(store, row, () => {
      versions += 1;
    });
    const how = await twilio.deleteRecording(sid);
    const at = new Date().toISOString();
    await catalog.wasRemoved(sid, { versions, twilio: how, at });
    log.info({ event: 'recording.erased', recording: sid, reason: plan.reason }, 'erased');
    const before = row.erasure;
    return {
      recording: sid,
      versions: versions + (before?.versions ?? 0),
      twilio: before?.twilio === 'deleted' ? 'deleted' : how,
      at,
    };
  } catch (error) {
    const code = errorCode(error);
    count(`failed_${code}`);
    name(sid, `not ended: ${code}`);
    log.warn({ recording: sid, code }, 'a recording could not be erased now');
    // What went already stands in the certificate, whoever ends this.
    if (versions > 0)
      await catalog.wasRemoved(sid, { versions, twilio: 'gone', at: new Date().toISOString() });
    return undefined;
  }
}

/** Signed and kept before the last details go: a certificate that is there says what is so. */
async function certify(
  { catalog, certificates, config, signing, store }: KeepingParts,
  policy: Policy,
  { reason, reference }: Plan,
  gone: readonly { sid: RecordingSid; erased: ErasedRecording }[],
): Promise<void> {
  const certificate: Certificate = {
    iss: config.accountSid,
    jti: randomUUID(),
    iat: Math.floor(Date.now() / 1_000),
    reason,
    ...(reference !== undefined && { reference }),
    policy: policy.digest,
    recordings: gone.map(({ erased }) => erased),
  };
  const jws = await signing.sign(certificateType, JSON.stringify(certificate));
  await store.putBytes(certificateKey(config.accountSid, certificate.jti), Buffer.from(jws));
  await certificates.keep({ id: certificate.jti, reason, recordings: gone.length, jws });
  for (const { sid } of gone) await catalog.erased(sid, certificate.jti);
}

/** In the bucket, in clear: it names SIDs alone, and has to outlive every key. */
export function certificateKey(account: AccountSid, id: string): string {
  return `certificates/${account}/${id}.jws`;
}

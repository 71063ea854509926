import { randomUUID } from 'node:crypto';
import type { AccountSid, RecordingSid } from '@flex-custody/core';
import type { Store } from '@flex-custody/vault';
import type { Certificates } from '../catalog/certificates.ts';
import type { KeepingCatalog } from '../catalog/keeping-catalog.ts';
import type { LookupCatalog } from '../catalog/lookup-catalog.ts';
import type { Intent } from '../catalog/recording-row.ts';
import type { SigningIdentity } from '../signing/identity.ts';
import { type Certificate, certificateType, type ErasedRecording } from './certificate.ts';

export interface CertifyDeps {
  config: { accountSid: AccountSid };
  catalog: KeepingCatalog & Pick<LookupCatalog, 'find'>;
  certificates: Pick<Certificates, 'find' | 'keep'>;
  signing: Pick<SigningIdentity, 'sign'>;
  store: Pick<Store, 'putBytes' | 'delete'>;
  /** Removes the jobs that name any of these SIDs. */
  forgetJobs?: (sids: readonly string[]) => Promise<void>;
}

export interface Gone {
  intent: Pick<Intent, 'reason' | 'reference' | 'session' | 'policy'>;
  erased: ErasedRecording;
}

/** `typ` of the text that a probe stores at the place of a certificate, and removes again. */
const probeType = 'erasure-intent+jws';

/** Key of a certificate in the bucket. The object is not encrypted: it holds SIDs only, and has to outlive every key. */
export function certificateKey(account: AccountSid, id: string): string {
  return `certificates/${account}/${id}.jws`;
}

/**
 * Proves that a certificate can be signed and stored, before anything is removed that needs one.
 * @throws CustodyError as the store and the signing key do
 */
export async function proveCertifiable({ config, signing, store }: CertifyDeps, run: string): Promise<void> {
  const { accountSid } = config;
  const key = certificateKey(accountSid, `intents/${run}`);
  const jws = await signing.sign(probeType, JSON.stringify({ iss: accountSid, jti: run }));
  const { versionId } = await store.putBytes(key, Buffer.from(jws));
  // A host without the right to delete certificates leaves the probe in the bucket: it states that a run began, and names
  // no recording.
  await store.delete(key, versionId).catch(() => undefined);
}

/**
 * Signs and stores certificates before the last details of the recordings are removed, so that every certificate is true.
 * There is one for each decision: whichever run ends an erasure, the certificate states why it was begun.
 * @param run whose intents they are; the run that has taken over an erasure since certifies it
 * @returns the certified recordings
 */
export async function certify(
  deps: CertifyDeps,
  run: string,
  gone: readonly Gone[],
): Promise<Set<RecordingSid>> {
  const { catalog, certificates, config, signing } = deps;
  const kept = await catalog.keepErasures(run);
  const ours = gone.filter(({ erased }) => kept.has(erased.recording));
  const uncertified: Gone[] = [];
  for (const one of ours) {
    const { recording } = one.erased;
    const id = (await catalog.find(recording))?.certificate;
    const stored = id === undefined ? undefined : await certificates.find(id);
    // A run that was killed has signed it.
    if (stored) await end(deps, stored, [recording]);
    else uncertified.push(one);
  }
  const decisions = new Map<string, Gone[]>();
  for (const one of uncertified) {
    const { reason, reference, policy } = one.intent;
    const decision = JSON.stringify([reason, reference, policy]);
    decisions.set(decision, [...(decisions.get(decision) ?? []), one]);
  }
  const now = await catalog.now();
  for (const [first, ...others] of decisions.values()) {
    if (!first) continue;
    const { reason, reference, policy } = first.intent;
    const certificate: Certificate = {
      iss: config.accountSid,
      jti: randomUUID(),
      iat: Math.floor(now.getTime() / 1_000),
      reason,
      ...(reference !== undefined && { reference }),
      policy,
      recordings: [first, ...others].map(({ erased, intent: { session } }) => ({
        ...erased,
        ...(session && { session }),
      })),
    };
    const jws = await signing.sign(certificateType, JSON.stringify(certificate));
    const sids = certificate.recordings.map(({ recording }) => recording);
    const id = certificate.jti;
    await certificates.keep({ id, reason, recordings: sids.length, jws }, sids);
    await end(deps, { id, jws }, sids);
  }
  return new Set(ours.map(({ erased }) => erased.recording));
}

/** Puts a stored certificate into the bucket, and removes the last details of its recordings. */
async function end(
  { catalog, config, store, forgetJobs }: CertifyDeps,
  { id, jws }: { id: string; jws: string },
  recordings: readonly RecordingSid[],
): Promise<void> {
  await store.putBytes(certificateKey(config.accountSid, id), Buffer.from(jws));
  // First, while the catalog still has the SIDs: a run that ends this after a crash asks again.
  const traces = new Set<string>();
  for (const recording of recordings) for (const sid of await catalog.tracesOf(recording)) traces.add(sid);
  await forgetJobs?.([...traces]);
  for (const recording of recordings) await catalog.erased(recording, id);
}

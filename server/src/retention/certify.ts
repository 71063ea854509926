import { randomUUID } from 'node:crypto';
import type { AccountSid, RecordingSid } from '@flex-custody/core';
import type { Store } from '@flex-custody/vault';
import type { Certificates } from '../catalog/certificates.ts';
import type { KeepingCatalog } from '../catalog/keeping-catalog.ts';
import type { Intent } from '../catalog/recording-row.ts';
import type { SigningIdentity } from '../signing/identity.ts';
import { type Certificate, certificateType, type ErasedRecording } from './certificate.ts';

export interface CertifyDeps {
  config: { accountSid: AccountSid };
  catalog: KeepingCatalog;
  certificates: Pick<Certificates, 'keep'>;
  signing: Pick<SigningIdentity, 'sign'>;
  store: Pick<Store, 'putBytes' | 'delete'>;
  /** Removes the jobs that name any of these SIDs. */
  forgetJobs?: (sids: readonly string[]) => Promise<void>;
}

export interface Gone {
  intent: Pick<Intent, 'reason' | 'reference' | 'policy'>;
  erased: ErasedRecording;
}

/** What the text that is put where certificates go, and removed again, says it is. */
const probeType = 'erasure-intent+jws';

/** In the bucket, in clear: it names SIDs alone, and has to outlive every key. */
export function certificateKey(account: AccountSid, id: string): string {
  return `certificates/${account}/${id}.jws`;
}

/**
 * Proves that a certificate can be signed and kept, before anything goes that one will be needed for.
 * @throws CustodyError as the store and the signing key do
 */
export async function proveCertifiable({ config, signing, store }: CertifyDeps, run: string): Promise<void> {
  const { accountSid } = config;
  const key = certificateKey(accountSid, `intents/${run}`);
  const jws = await signing.sign(probeType, JSON.stringify({ iss: accountSid, jti: run }));
  const { versionId } = await store.putBytes(key, Buffer.from(jws));
  // A host that may add certificates and remove none leaves it there: it says that a run began, and names no recording.
  await store.delete(key, versionId).catch(() => undefined);
}

/**
 * Signed and kept before the last details go: a certificate that is there says what is so. One for each decision: by
 * whichever run an erasure is ended, its certificate says why it was begun.
 * @param run whose intents they are; what another run has taken over since is that one's to certify
 * @returns what is certified
 */
export async function certify(
  deps: CertifyDeps,
  run: string,
  gone: readonly Gone[],
): Promise<Set<RecordingSid>> {
  const { catalog, certificates, config, signing, store } = deps;
  const kept = await catalog.keepErasures(run);
  const ours = gone.filter(({ erased }) => kept.has(erased.recording));
  const decisions = new Map<string, Gone[]>();
  for (const one of ours) {
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
      recordings: [first, ...others].map(({ erased }) => erased),
    };
    const jws = await signing.sign(certificateType, JSON.stringify(certificate));
    await store.putBytes(certificateKey(config.accountSid, certificate.jti), Buffer.from(jws));
    await certificates.keep({ id: certificate.jti, reason, recordings: certificate.recordings.length, jws });
    // First, while the catalog knows which SIDs they are: whoever ends this after a crash asks again.
    const traces = new Set<string>();
    for (const { recording } of certificate.recordings)
      for (const sid of await catalog.tracesOf(recording)) traces.add(sid);
    await deps.forgetJobs?.([...traces]);
    for (const { recording } of certificate.recordings) await catalog.erased(recording, certificate.jti);
  }
  return new Set(ours.map(({ erased }) => erased.recording));
}

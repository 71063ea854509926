import type { Store } from '@flex-custody/vault';

/** Load balancers ask about every second; not every question needs a request to the bucket. */
const goodForMs = 30_000;
const badForMs = 2_000;
/** Under the prefix of recordings, so that the same bucket policy applies; the object need not exist. */
const probeKey = 'recordings/.check';

/**
 * Resolves if this process can do with the bucket what its roles need: read for requests, and also write for jobs.
 * @throws CustodyError `store_denied` or `store_unavailable`
 */
export async function mayUse(store: Store, works: boolean): Promise<void> {
  if (works) await store.check();
  // HEAD answers the same for a missing bucket as for a missing object: listing shows the difference.
  for await (const _one of store.list(probeKey)) break;
  await store.head(probeKey);
}

/** The last answer while it is recent; a failure is kept for a shorter time, since it may be over soon. */
export function fresh(check: () => Promise<void>): () => Promise<void> {
  let last: { until: number; answer: Promise<void> } | undefined;
  return () => {
    if (!last || performance.now() > last.until) {
      const asked = { until: performance.now() + goodForMs, answer: check() };
      asked.answer.catch(() => {
        asked.until = performance.now() + badForMs;
      });
      last = asked;
    }
    return last.answer;
  };
}

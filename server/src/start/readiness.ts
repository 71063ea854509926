import type { Store } from '@flex-custody/vault';

/** Whoever balances the load asks every second or so; the bucket need not hear of each. */
const goodForMs = 30_000;
const badForMs = 2_000;
/** Where recordings lie, so that a policy for them holds for it; it need not be there. */
const probeKey = 'recordings/.check';

/**
 * Resolves when a process can do with the bucket what its roles need: who answers requests reads, and who works writes too.
 * @throws CustodyError `store_denied` or `store_unavailable`
 */
export async function mayUse(store: Store, works: boolean): Promise<void> {
  if (works) await store.check();
  // Of a bucket that is not there HEAD says no more than of an object: the listing tells.
  for await (const _one of store.list(probeKey)) break;
  await store.head(probeKey);
}

/** The last answer while it is fresh; a failure is for a shorter time, as it may be mended. */
export function fresh(check: () => Promise<void>): () => Promise<void> {
  let last: { until: number; answer: Promise<void> } | undefined;
  return () => {
    if (!last || Date.now() > last.until) {
      const asked = { until: Date.now() + goodForMs, answer: check() };
      asked.answer.catch(() => {
        asked.until = Date.now() + badForMs;
      });
      last = asked;
    }
    return last.answer;
  };
}

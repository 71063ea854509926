/**
 * Coalesces concurrent requests: one call of `work` runs at a time, with all requests that came since the call before it
 * began. Each request resolves or rejects as its call does.
 */
export function coalesce<T, R>(work: (items: T[]) => Promise<R>): (item: T) => Promise<R> {
  let next: { items: T[]; done: Promise<R> } | undefined;
  let current: Promise<unknown> = Promise.resolve();

  return (item) => {
    if (next) {
      next.items.push(item);
      return next.done;
    }
    const batch = { items: [item] };
    const done = current.then(async () => {
      next = undefined;
      return work(batch.items);
    });
    current = done.catch(() => undefined);
    next = { ...batch, done };
    return done;
  };
}

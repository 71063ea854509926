/**
 * Does together what comes while it is being done: one call of `work` at a time, each with all that has come since the
 * one before began. What is asked for fails where its call does.
 */
export function together<T>(work: (items: T[]) => Promise<unknown>): (item: T) => Promise<void> {
  let next: { items: T[]; done: Promise<void> } | undefined;
  let current: Promise<unknown> = Promise.resolve();

  return (item) => {
    if (next) {
      next.items.push(item);
      return next.done;
    }
    const batch = { items: [item] };
    const done = current.then(async () => {
      next = undefined;
      await work(batch.items);
    });
    current = done.catch(() => undefined);
    next = { ...batch, done };
    return done;
  };
}

/**
 * Does together what comes while it is being done: one call of `work` at a time, each with all that has come since the
 * one before began, and each who asked is given what that call answers. What is asked for fails where its call does.
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

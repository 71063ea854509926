/**
 * Settles as `work` does, or rejects with what `late` makes once `ms` have passed. It ends the wait and not the work: what can
 * be aborted gets a signal of its own.
 */
export async function inTime<T>(work: Promise<T>, ms: number, late: () => unknown): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late()), ms);
  });
  return Promise.race([work, over]).finally(() => clearTimeout(timer));
}

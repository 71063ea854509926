/** How many events may be under way at once; `limit` may change meanwhile. */
export interface Slots {
  limit: number;
  /** @returns what gives the slot back; undefined where the limit is 0 */
  take(): Promise<(() => void) | undefined>;
}

export function createSlots(limit: number): Slots {
  let taken = 0;
  let allowed = limit;
  let waiting: (() => void)[] = [];
  const wake = () => {
    const woken = waiting;
    waiting = [];
    for (const resolve of woken) resolve();
  };
  const release = () => {
    taken -= 1;
    wake();
  };
  return {
    get limit() {
      return allowed;
    },
    set limit(next: number) {
      if (next === allowed) return;
      allowed = next;
      wake();
    },
    async take() {
      for (;;) {
        if (allowed <= 0) return undefined;
        if (taken < allowed) break;
        await new Promise<void>((resolve) => waiting.push(resolve));
      }
      taken += 1;
      let isGiven = false;
      return () => {
        if (isGiven) return;
        isGiven = true;
        release();
      };
    },
  };
}

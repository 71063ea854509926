/** Lets so many works run at once; the others wait their turn. */
export type Gate = <T>(work: () => Promise<T>) => Promise<T>;

export interface CountingGate extends Gate {
  /** Resolves at once where nothing waits for its turn, else when the last of it has begun. */
  calm(): Promise<void>;
  isCalm(): boolean;
}

export function createGate(most: number): CountingGate {
  const waiting: (() => void)[] = [];
  const calmed: (() => void)[] = [];
  let running = 0;
  const gate: Gate = async (work) => {
    if (running >= most) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
    try {
      return await work();
    } finally {
      // Whoever waits longest takes the place over.
      const next = waiting.shift();
      if (next) next();
      else running -= 1;
      if (waiting.length === 0) for (const tell of calmed.splice(0)) tell();
    }
  };
  const isCalm = () => waiting.length === 0;
  return Object.assign(gate, {
    isCalm,
    calm: () => (isCalm() ? Promise.resolve() : new Promise<void>((resolve) => calmed.push(resolve))),
  });
}

/**
 * For work in the background: waits until nothing waits at these gates.
 * @throws the signal's reason when the process ends before
 */
export async function untilCalm(gates: readonly CountingGate[], ended: AbortSignal): Promise<void> {
  ended.throwIfAborted();
  let end: (() => void) | undefined;
  const over = new Promise<never>((_, reject) => {
    end = () => reject(ended.reason);
    ended.addEventListener('abort', end, { once: true });
  });
  try {
    while (!gates.every((gate) => gate.isCalm()))
      await Promise.race([over, Promise.all(gates.map((gate) => gate.calm()))]);
  } finally {
    if (end) ended.removeEventListener('abort', end);
  }
}

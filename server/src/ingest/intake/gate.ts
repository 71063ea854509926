/** Lets only so many pieces of work run at once; the others wait. */
export type Gate = <T>(work: () => Promise<T>) => Promise<T>;

export interface CountingGate extends Gate {
  /** Resolves when no work waits at the gate: at once, or when the last waiting work has begun. */
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
      // The work that has waited longest takes over the place.
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
 * For background work: waits until no work waits at these gates.
 * @throws the signal's reason if the process ends first
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

/** One event of the sandbox or of the host; its other fields depend on the event. */
export interface StackEvent {
  /** `call.ended`, `callback.delivered`, `recording.sealed`, … */
  event: string;
  /** Epoch ms at which this process learned of it. */
  at: number;
  source: 'sandbox' | 'server' | 'functions';
  recording?: string;
  [fact: string]: unknown;
}

export interface EventStream {
  push(event: StackEvent): void;
  /** Resolves with the first event, past or future, that matches. @throws Error after `withinMs` */
  until(match: (event: StackEvent) => boolean, what: string, withinMs: number): Promise<StackEvent>;
  all(): readonly StackEvent[];
  /** Rejects every `until` that waits: its event will not come. */
  fail(reason: Error): void;
}

const kept = 5_000;

export function createEventStream(onEvent: (event: StackEvent) => void = () => undefined): EventStream {
  const past: StackEvent[] = [];
  const waiting = new Set<{ take: (event: StackEvent) => void; fail: (reason: Error) => void }>();
  return {
    push(event) {
      past.push(event);
      if (past.length > kept) past.shift();
      onEvent(event);
      for (const { take } of waiting) take(event);
    },
    until(match, what, withinMs) {
      const found = past.find(match);
      if (found) return Promise.resolve(found);
      return new Promise((resolve, reject) => {
        const end = () => {
          clearTimeout(clock);
          waiting.delete(waiter);
        };
        const fail = (reason: Error) => {
          end();
          reject(reason);
        };
        const waiter = {
          take: (event: StackEvent) => {
            if (!match(event)) return;
            end();
            resolve(event);
          },
          fail,
        };
        const clock = setTimeout(() => fail(new Error(`${what}: not within ${withinMs / 1000} s`)), withinMs);
        waiting.add(waiter);
      });
    },
    all: () => past,
    fail: (reason) => {
      for (const { fail } of [...waiting]) fail(reason);
    },
  };
}

/** An event from a line of JSON, as the host and the sandbox tell it; undefined for every other line. */
export function eventOf(
  line: string,
  source: StackEvent['source'],
  now = Date.now(),
): StackEvent | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const facts = JSON.parse(line) as Record<string, unknown>;
    const { event } = facts;
    return typeof event === 'string' ? { ...facts, event, at: now, source } : undefined;
  } catch {
    return undefined;
  }
}

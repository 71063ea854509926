/** Something that happened in the sandbox's world, for the start page and the log (page/contract.ts, EventView). */
export interface SandboxEvent {
  /** ISO 8601. */
  at: string;
  /** `call.ended`, `callback.delivered`, `task.updated`, `recording.sealed`, … */
  event: string;
  [fact: string]: unknown;
}

export interface EventLog {
  emit(event: string, facts?: Record<string, unknown>): void;
  /** Passes on what the host logged; its own time is kept. */
  relay(event: SandboxEvent): void;
  subscribe(listener: (event: SandboxEvent) => void): () => void;
  /** The latest events, oldest first, for a page that was opened late. */
  recent(): readonly SandboxEvent[];
}

const kept = 500;

/** @param log receives each event of the sandbox's own as one JSON line */
export function createEventLog(log: (line: string) => void = () => undefined): EventLog {
  const listeners = new Set<(event: SandboxEvent) => void>();
  const past: SandboxEvent[] = [];
  const publish = (event: SandboxEvent) => {
    past.push(event);
    if (past.length > kept) past.shift();
    for (const listener of listeners) listener(event);
  };
  return {
    emit(name, facts = {}) {
      const event: SandboxEvent = { event: name, at: new Date().toISOString(), ...facts };
      log(JSON.stringify(event));
      publish(event);
    },
    relay: publish,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    recent: () => past,
  };
}

/** What TaskRouter knows of an event; the Events API and Event Streams both serve it. */
export interface OfTaskRouter {
  /** EV… */
  sid: string;
  /** Such as `reservation.accepted`. */
  type: string;
  description: string;
  resource: { sid: string; type: string };
  actor: { sid: string; type: string };
  payload: Readonly<Record<string, string | null>>;
}

/** One thing that happened to agents, tasks or calls, before it has the form of a delivery. */
export interface AgentEvent {
  /** The CloudEvents id. */
  id: string;
  /** Such as `com.twilio.taskrouter.reservation.accepted`. */
  type: string;
  at: Date;
  task?: string;
  taskRouter?: OfTaskRouter;
  /** Of events that are not TaskRouter's: the envelope's data. */
  data?: Readonly<Record<string, unknown>>;
}

/** All events of the account, in the order of what happened. */
export interface AgentEvents {
  /** @param events a function makes them when they are first read: most calls of a load test are never looked at */
  add(task: string, events: readonly AgentEvent[] | (() => readonly AgentEvent[])): void;
  all(): readonly AgentEvent[];
  ofTask(task: string): readonly AgentEvent[];
  on(listener: (events: readonly AgentEvent[]) => void): () => void;
}

type Batch = { task: string; events: readonly AgentEvent[] | (() => readonly AgentEvent[]) };

export function createAgentEvents(): AgentEvents {
  const batches: Batch[] = [];
  const byTask = new Map<string, Batch[]>();
  const listeners = new Set<(events: readonly AgentEvent[]) => void>();
  const made = (batch: Batch) => {
    if (typeof batch.events === 'function') batch.events = batch.events();
    return batch.events;
  };
  return {
    add(task, events) {
      const batch = { task, events };
      batches.push(batch);
      const own = byTask.get(task) ?? [];
      own.push(batch);
      byTask.set(task, own);
      if (listeners.size === 0) return;
      const all = made(batch);
      for (const listener of listeners) listener(all);
    },
    all: () => batches.flatMap(made),
    ofTask: (task) => (byTask.get(task) ?? []).flatMap(made),
    on(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

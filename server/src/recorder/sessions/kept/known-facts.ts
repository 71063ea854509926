import type { Db } from '../../../db/db.ts';
import type { AgentEvent } from '../../../events/agent-event.ts';
import { readEvents } from '../../../events/inbox-reader.ts';
import type { Fact } from '../facts/fact.ts';
import { factOf } from '../facts/fact-of.ts';
import { statedNumbers } from '../facts/stated-numbers.ts';

/** Some 20 MB: the contacts that are open at once in a large contact centre. */
const mostFacts = 20_000;

/** What events say, so that a contact's earlier events are not read again for each new one. */
export interface KnownFacts {
  /** Of an event that was just read. Undefined: it concerns no contact. */
  learn(event: AgentEvent): Fact | undefined;
  /** By the event's id; those that are not known are read. An event that is no longer there, and not known, is missing. */
  of(db: Pick<Db, 'query'>, ids: readonly string[]): Promise<ReadonlyMap<string, Fact | undefined>>;
}

/**
 * @param most facts that are kept; those that were used last are kept the longest
 * @param callerOf the digest of a customer's address; undefined where it has no number
 */
export function knownFacts(
  most: number = mostFacts,
  callerOf?: (address: string) => string | undefined,
): KnownFacts {
  const known = new Map<string, Fact>();
  const keep = (id: string, fact: Fact) => {
    known.delete(id);
    known.set(id, fact);
  };
  const trim = () => {
    for (const id of known.keys()) {
      if (known.size <= most) return;
      known.delete(id);
    }
  };
  return {
    learn(event) {
      const read = factOf(event);
      const callers =
        read && callerOf ? statedNumbers(event, read).flatMap((one) => callerOf(one) ?? []) : [];
      const fact = read && callers.length > 0 ? { ...read, callers } : read;
      if (fact) keep(event.id, fact);
      return fact;
    },
    async of(db, ids) {
      const unknown = ids.filter((id) => !known.has(id));
      const found = new Map<string, Fact | undefined>();
      for (const id of ids) {
        const fact = known.get(id);
        if (!fact) continue;
        keep(id, fact);
        found.set(id, fact);
      }
      for (const event of unknown.length > 0 ? await readEvents(db, unknown) : [])
        found.set(event.id, this.learn(event));
      trim();
      return found;
    },
  };
}

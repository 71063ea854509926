import type { AgentEvent } from '../../events/agent-event.ts';
import type { Contact } from './contact.ts';
import { type ContactOptions, contactOf } from './contact-of.ts';
import type { Fact } from './facts/fact.ts';
import { factOf } from './facts/fact-of.ts';
import { generalKeys, withoutKeys } from './facts/general-keys.ts';
import { compareText } from './order.ts';

/**
 * Splits a set of events into contacts: events with a link key in common, directly or through others, are of one contact.
 * A key that too many tasks name ties nothing ({@link generalKeys}).
 * The order of the events and how often each is there change nothing. An event that arrives late is added to the stored
 * ones of the contacts whose keys it has, and their contact is computed once more.
 * @returns in the order of their beginnings
 */
export function contactsOf(events: Iterable<AgentEvent>, options: ContactOptions = {}): Contact[] {
  return contactsOfFacts(
    each(events).flatMap((event) => factOf(event) ?? []),
    options,
  );
}

/** The same of what the events say. @param facts each once */
export function contactsOfFacts(facts: readonly Fact[], options: ContactOptions = {}): Contact[] {
  return groupsOf(withoutKeys(facts, generalKeys(facts)))
    .map((group) => contactOf(group, options))
    .sort((a, b) => a.openedAt - b.openedAt || compareText(a.id, b.id));
}

/** Each event once. If two with one id differ, the choice does not depend on which came first. */
function each(events: Iterable<AgentEvent>): AgentEvent[] {
  const byId = new Map<string, AgentEvent>();
  for (const event of events) {
    const known = byId.get(event.id);
    if (!known || (known !== event && compareText(JSON.stringify(event), JSON.stringify(known)) < 0)) {
      byId.set(event.id, event);
    }
  }
  return [...byId.values()];
}

/** Groups of facts that share keys, by union and find. A fact without a key is in no group. */
function groupsOf(facts: readonly Fact[]): Fact[][] {
  const parents = new Map<string, string>();
  const rootOf = (key: string): string => {
    let root = key;
    for (let up = parents.get(root); up !== undefined && up !== root; up = parents.get(root)) root = up;
    // All keys on the way point to the root from now on, so that each is passed once.
    for (let at = key; at !== root; ) {
      const up = parents.get(at) ?? root;
      parents.set(at, root);
      at = up;
    }
    return root;
  };
  for (const { keys } of facts) {
    const [first] = keys;
    for (const key of keys) if (first !== undefined) parents.set(rootOf(key), rootOf(first));
  }
  const groups = new Map<string, Fact[]>();
  for (const fact of facts) {
    const [first] = fact.keys;
    if (first === undefined) continue;
    const root = rootOf(first);
    const group = groups.get(root);
    if (group) group.push(fact);
    else groups.set(root, [fact]);
  }
  return [...groups.values()];
}

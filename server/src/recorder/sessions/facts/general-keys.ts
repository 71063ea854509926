import type { Fact } from './fact.ts';

/** Tasks of one contact, at the most, that one text, call or conference ties. A contact of many transfers has ten. */
export const mostTasksOfKey = 50;

/** Of calls, conferences and texts that a workflow's author chooses. A conversation by messages may last for months. */
export const canBeGeneral = (key: string): boolean => /^(CA|CF|conversation:)/.test(key);

/**
 * The keys that too many tasks name, such as a `conversation_id` that a flow sets to one and the same text for every
 * call: they say nothing about which events are of one contact.
 */
export function generalKeys(facts: readonly Fact[]): ReadonlySet<string> {
  const named = new Set(facts.flatMap((fact) => ('taskSid' in fact && fact.taskSid ? [fact.taskSid] : [])));
  if (named.size <= mostTasksOfKey) return new Set();
  const tasks = new Map<string, Set<string>>();
  for (const fact of facts) {
    if (!('taskSid' in fact) || !fact.taskSid) continue;
    for (const key of fact.keys.filter(canBeGeneral)) {
      const own = tasks.get(key);
      if (own) own.add(fact.taskSid);
      else tasks.set(key, new Set([fact.taskSid]));
    }
  }
  return new Set([...tasks].flatMap(([key, own]) => (own.size > mostTasksOfKey ? [key] : [])));
}

/** The facts without these keys. */
export const withoutKeys = (facts: readonly Fact[], keys: ReadonlySet<string>): readonly Fact[] =>
  keys.size === 0
    ? facts
    : facts.map((fact) =>
        fact.keys.some((key) => keys.has(key))
          ? { ...fact, keys: fact.keys.filter((key) => !keys.has(key)) }
          : fact,
      );

/** An event as far as it decides which contact it belongs to. */
export interface Keyed {
  id: string;
  keys: readonly string[];
}

/** Events of one contact, and the kept contacts that they show to be the same one. */
export interface Group {
  /** Numbers of kept contacts, in ascending order; none: the contact is new. */
  contacts: number[];
  keys: string[];
  events: string[];
}

/**
 * Groups the events of a batch by the contact that they belong to: two events with a key in common, or with keys of one kept contact,
 * are in one group. An event without keys is in none.
 * @param known the kept contact of each key that has one
 */
export function groupByContact(events: readonly Keyed[], known: ReadonlyMap<string, number>): Group[] {
  const groups = new Map<string, Group>();
  for (const { id, keys } of events) {
    const names = keys.flatMap((key) => {
      const contact = known.get(key);
      return contact === undefined ? [key] : [key, nameOf(contact)];
    });
    const found = new Set(names.flatMap((name) => groups.get(name) ?? []));
    const [first, ...others] = found;
    const group: Group = first ?? { contacts: [], keys: [], events: [] };
    for (const other of others) {
      group.contacts.push(...other.contacts);
      group.keys.push(...other.keys);
      group.events.push(...other.events);
      for (const name of [...other.keys, ...other.contacts.map(nameOf)]) groups.set(name, group);
    }
    group.events.push(id);
    for (const key of keys) {
      const contact = known.get(key);
      if (!groups.has(key)) group.keys.push(key);
      groups.set(key, group);
      if (contact === undefined || groups.has(nameOf(contact))) continue;
      group.contacts.push(contact);
      groups.set(nameOf(contact), group);
    }
  }
  const all = [...new Set(groups.values())];
  for (const { contacts } of all) contacts.sort((a, b) => a - b);
  return all;
}

/** No key of an event begins so. */
const nameOf = (contact: number): string => `contact/${contact}`;

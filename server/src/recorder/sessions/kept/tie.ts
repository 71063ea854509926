import { noContact } from '../../../catalog/erasure-sessions.ts';
import type { Db } from '../../../db/db.ts';
import { closeContacts, markOverfull } from './closed-contacts.ts';
import { attachEvents, contactsOfKeys, eventsOfContacts } from './contacts-table.ts';
import { type Group, groupByContact, type Keyed } from './group.ts';

/** Events of one contact, at the most: each new one has all of them read. A call with many transfers and holds has 300. */
export const mostEventsOfContact = 5_000;

/** A contact that events were added to. */
export interface Tied {
  number: number;
  /** Ids of all its events. */
  events: string[];
}

export interface Ties {
  tied: Tied[];
  /** Contacts that would have become too large. */
  overfull: number[];
  /** How many contacts were closed to more events since some of their own are no longer in the inbox. */
  partial: number;
}

/**
 * Adds events to the contacts with which they have keys in common. A contact of too many events, and one of which events are
 * gone, takes no more: its keys tie nothing from now on, so that what comes later becomes contacts of its own.
 * @param db of a transaction
 * @param at epoch ms of the first of the events
 */
export async function tieEvents(
  db: Pick<Db, 'query'>,
  events: readonly Keyed[],
  at: number,
  most: number = mostEventsOfContact,
): Promise<Ties> {
  const known = await contactsOfKeys(db, [...new Set(events.flatMap(({ keys }) => keys))]);
  const numbers = [...new Set(known.values())].filter((number) => number > noContact);
  const before = await eventsOfContacts(db, numbers);
  const partial = numbers.filter((number) => before.get(number)?.some(({ isThere }) => !isThere));
  const overfull: number[] = [];
  const closed = new Set(partial);
  const ties = (key: string): boolean => {
    const number = known.get(key);
    return number === undefined || (number > noContact && !closed.has(number));
  };
  const sizeOf = (number: number) => before.get(number)?.length ?? 0;
  let groups: Group[] = [];
  for (let found: number[] | undefined; found === undefined || found.length > 0; ) {
    const open = events.map(({ id, keys }) => ({ id, keys: keys.filter(ties) }));
    groups = groupByContact(open, known);
    found = groups.flatMap((group) => tooLarge(group, sizeOf, most));
    overfull.push(...found);
    for (const number of found) closed.add(number);
  }
  await closeContacts(db, [...closed]);
  await markOverfull(db, overfull, at);
  const targets = await attachEvents(db, groups);
  const tied = groups.map((group, index): Tied => {
    const own = group.contacts.flatMap((number) => before.get(number)?.map(({ id }) => id) ?? []);
    return { number: targets[index] ?? noContact, events: [...new Set([...own, ...group.events])] };
  });
  return { tied, overfull, partial: partial.length };
}

/** The largest contacts of a group, without which the others have room in one. */
function tooLarge({ contacts, events }: Group, sizeOf: (number: number) => number, most: number): number[] {
  let total = contacts.reduce((sum, number) => sum + sizeOf(number), events.length);
  const found: number[] = [];
  for (const number of contacts.toSorted((a, b) => sizeOf(b) - sizeOf(a))) {
    if (total <= most) break;
    total -= sizeOf(number);
    found.push(number);
  }
  return found;
}

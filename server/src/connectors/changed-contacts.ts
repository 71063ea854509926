import type { Db } from '../db/db.ts';
import { contactsOfKeys, type KeptContact, readContacts } from '../recorder/sessions/kept/contacts-table.ts';
import {
  interactionsNamed,
  interactionsOfContacts,
  type KeptInteraction,
  liveContacts,
} from './interactions-table.ts';

type Sql = Pick<Db, 'query'>;

/**
 * The changed contacts, those that a gone one became, and by their numbers the interactions that were kept of any of them.
 * `loose`: interactions whose contact is gone, and became no other one.
 */
export async function readChanged(
  db: Sql,
  connector: string,
  numbers: readonly number[],
): Promise<{ contacts: KeptContact[]; rows: Map<number, KeptInteraction[]>; loose: string[] }> {
  const changed = await readContacts(db, numbers);
  const there = new Set(changed.map(({ number }) => number));
  const ofGone = await interactionsOfContacts(
    db,
    connector,
    numbers.filter((number) => !there.has(number)),
  );
  const targets = await contactsOfKeys(db, [...new Set(ofGone.flatMap(({ sids }) => sids))]);
  const more = [...new Set([...targets.values()].map(Math.abs))].filter((number) => !there.has(number));
  const contacts = [...changed, ...(more.length > 0 ? await readContacts(db, more) : [])];
  const own = await interactionsOfContacts(
    db,
    connector,
    contacts.map(({ number }) => number),
  );
  const named = await interactionsNamed(db, connector, [
    ...new Set(contacts.flatMap(({ contact }) => sidsOf(contact.keys))),
  ]);
  const all = new Map([...own, ...named].map((row) => [row.custodyId, row]));
  const holders = await liveContacts(db, [...new Set([...all.values()].flatMap((row) => row.contact ?? []))]);
  const byKey = new Map(
    contacts.flatMap(({ number, contact }) => sidsOf(contact.keys).map((sid) => [sid, number] as const)),
  );
  const rows = new Map<number, KeptInteraction[]>();
  for (const row of all.values()) {
    if (row.mergedInto) continue;
    const holder = row.contact !== undefined && holders.has(row.contact) ? row.contact : undefined;
    const number = holder ?? row.sids.flatMap((sid) => byKey.get(sid) ?? [])[0];
    if (number === undefined) continue;
    const before = rows.get(number);
    if (before) before.push(row);
    else rows.set(number, [row]);
  }
  const used = new Set([...rows.values()].flat().map(({ custodyId }) => custodyId));
  const loose = ofGone.flatMap(({ custodyId }) => (used.has(custodyId) ? [] : [custodyId]));
  return { contacts, rows, loose };
}

/** What an interaction is found by. */
export const sidsOf = (keys: readonly string[]): string[] => keys.filter((key) => /^(WT|CH|RE)/.test(key));

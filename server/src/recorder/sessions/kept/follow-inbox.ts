import { setTimeout as sleep } from 'node:timers/promises';
import type { Db } from '../../../db/db.ts';
import { createInboxReader, readEvents } from '../../../events/inbox-reader.ts';
import type { Employee } from '../contact.ts';
import type { ContactOptions } from '../contact-of.ts';
import { contactsOfFacts } from '../contacts-of.ts';
import { withDefaultEmployee } from '../policies.ts';
import {
  attachEvents,
  contactsOfKeys,
  eventsOfContacts,
  takeLeftEvents,
  writeContacts,
} from './contacts-table.ts';
import { groupByContact } from './group.ts';
import { type KnownFacts, knownFacts } from './known-facts.ts';

export interface KeptOptions extends ContactOptions {
  defaultEmployee?: Employee;
}

export interface FollowDeps {
  db: Db;
  /** How contacts are computed, by the settings that apply now. */
  options(): Promise<KeptOptions>;
  /** What policies decide about contacts that have changed. */
  apply(numbers: readonly number[]): Promise<void>;
  log: { warn(fields: object, message: string): void };
  /** Ms until the inbox is read again after its end was reached. */
  pauseMs?: number;
}

/** Events of one transaction: the more there are, the fewer times a contact with many events is written. */
const mostEvents = 1_000;
/** Of one transaction, ms. */
const limitMs = 30_000;

/** Keeps the contacts as the inbox's events have them, until the signal aborts. */
export async function followInbox(deps: FollowDeps, signal: AbortSignal): Promise<void> {
  const facts = knownFacts();
  while (!signal.aborted) {
    const { touched, isEnd } = await followBatch(deps, facts);
    if (touched.length > 0) await deps.apply(touched);
    if (isEnd) await sleep(deps.pauseMs ?? 1_000, undefined, { signal }).catch(() => undefined);
  }
}

/** Whether the contacts have every event of the inbox that happened before this moment, as far as the next unread event shows. */
export async function haveRead(db: Pick<Db, 'query'>, moment: Date): Promise<boolean> {
  const next = await nextUnread(db);
  return next === undefined || next >= moment;
}

/** When the next event happened that the contacts do not have; undefined: they have all. */
export async function nextUnread(db: Pick<Db, 'query'>): Promise<Date | undefined> {
  const [place] = await db.query<{ position: string | null }>('SELECT position FROM session_place');
  const { events } = await createInboxReader(db).after(place?.position ?? undefined, 1);
  return events[0]?.time;
}

/** Numbers of the contacts that a batch has changed, and whether it was the inbox's last one, or another process's. */
export interface Batch {
  touched: readonly number[];
  isEnd: boolean;
}

/**
 * Reads the next events of the inbox into their contacts. The contacts and the place in the inbox commit together, so that a process
 * that stops in between loses nothing and counts nothing twice.
 */
export async function followBatch(
  { db, options, log }: FollowDeps,
  facts: KnownFacts = knownFacts(),
): Promise<Batch> {
  const contactOptions = await options();
  return db.transaction(async (inner) => {
    const [place] = await inner.query<{ position: string | null }>(
      'SELECT position FROM session_place FOR UPDATE SKIP LOCKED',
    );
    if (!place) return { touched: [], isEnd: true };
    // What an erasure has left without a contact comes first.
    const left = await readEvents(inner, await takeLeftEvents(inner, mostEvents));
    const { events, position } =
      left.length > 0
        ? { events: left, position: place.position ?? undefined }
        : await createInboxReader(inner).after(place.position ?? undefined, mostEvents);
    if (events.length === 0) return { touched: [], isEnd: true };
    const keyed = events.map((event) => ({ id: event.id, keys: facts.learn(event)?.keys ?? [] }));
    const known = await contactsOfKeys(inner, [...new Set(keyed.flatMap(({ keys }) => keys))]);
    const touched = await attachEvents(inner, groupByContact(keyed, known));
    await computeContacts(inner, touched, contactOptions, facts, log);
    await inner.query('UPDATE session_place SET position = $1', [position ?? null]);
    return { touched, isEnd: left.length === 0 && events.length < mostEvents };
  }, limitMs);
}

/**
 * Computes contacts from all their events. One whose events are not all there any more stays as it is: computed from the rest it could
 * become another one.
 */
async function computeContacts(
  db: Pick<Db, 'query'>,
  numbers: readonly number[],
  { defaultEmployee: employee, ...options }: KeptOptions,
  facts: KnownFacts,
  log: FollowDeps['log'],
): Promise<void> {
  const events = await eventsOfContacts(db, numbers);
  const whole = [...events.values()].filter((own) => own.every(({ isThere }) => isThere));
  const said = await facts.of(
    db,
    whole.flat().map(({ id }) => id),
  );
  const computed: Parameters<typeof writeContacts>[1][number][] = [];
  let incomplete = 0;
  for (const [number, own] of events) {
    const found = own.flatMap(({ id }) => said.get(id) ?? []);
    // An event may have been removed between the two statements.
    const isWhole = own.every(({ id, isThere }) => isThere && said.has(id));
    const [contact, ...others] = isWhole ? contactsOfFacts(found, options) : [];
    if (contact && others.length === 0)
      computed.push({ number, contact: employee ? withDefaultEmployee(contact, employee) : contact });
    else if (!isWhole || others.length > 0) incomplete += 1;
  }
  await writeContacts(db, computed);
  if (incomplete > 0)
    log.warn(
      { event: 'sessions.incomplete', contacts: incomplete },
      'events arrived for contacts whose earlier events are no longer kept: the contacts stay as they are',
    );
}

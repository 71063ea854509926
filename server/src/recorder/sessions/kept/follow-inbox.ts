import { setTimeout as sleep } from 'node:timers/promises';
import type { Db } from '../../../db/db.ts';
import { createInboxReader, readEvents } from '../../../events/inbox-reader.ts';
import type { Employee } from '../contact.ts';
import type { ContactOptions } from '../contact-of.ts';
import { contactsOfFacts } from '../contacts-of.ts';
import { generalKeys, withoutKeys } from '../facts/general-keys.ts';
import { withDefaultEmployee } from '../policies.ts';
import { generalAmong, takeApart } from './closed-contacts.ts';
import { takeLeftEvents, writeContacts } from './contacts-table.ts';
import { type KnownFacts, knownFacts } from './known-facts.ts';
import { type Tied, tieEvents } from './tie.ts';

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
  /** The digest of a customer's address; without it an erasure by caller finds no session that has no recording. */
  callerOf?(address: string): string | undefined;
  /** Ms until the inbox is read again after its end was reached. */
  pauseMs?: number;
  /** Events that one contact can have. */
  mostOfContact?: number;
}

/** Events of one transaction: the more there are, the fewer times a contact with many events is written. */
const mostEvents = 1_000;
/** Of one transaction, ms. */
const limitMs = 30_000;

/** Keeps the contacts as the inbox's events have them, until the signal aborts. */
export async function followInbox(deps: FollowDeps, signal: AbortSignal): Promise<void> {
  const facts = knownFacts(undefined, deps.callerOf);
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

/** Numbers of the contacts that a batch has changed, and whether there was nothing to read, or another process reads. */
export interface Batch {
  touched: readonly number[];
  isEnd: boolean;
}

/**
 * Reads the next events of the inbox into their contacts. The contacts and the place in the inbox commit together, so that a process
 * that stops in between loses nothing and counts nothing twice.
 */
export async function followBatch(
  { db, options, log, mostOfContact }: FollowDeps,
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
    const first = Math.min(...events.map(({ time }) => time.getTime()));
    const { tied, overfull, partial } = await tieEvents(inner, keyed, first, mostOfContact);
    warnOfClosed(log, overfull.length, partial);
    await computeContacts(inner, tied, contactOptions, facts, log);
    await inner.query('UPDATE session_place SET position = $1', [position ?? null]);
    return { touched: [...tied.map(({ number }) => number), ...overfull], isEnd: false };
  }, limitMs);
}

/** Computes contacts from all their events, and takes apart those that only a key ties that too many tasks name. */
async function computeContacts(
  db: Pick<Db, 'query'>,
  tied: readonly Tied[],
  { defaultEmployee: employee, ...options }: KeptOptions,
  facts: KnownFacts,
  log: FollowDeps['log'],
): Promise<void> {
  const said = await facts.of(
    db,
    tied.flatMap(({ events }) => events),
  );
  // An event may have been removed between the two statements.
  const whole = tied.flatMap(({ number, events }) => {
    if (!events.every((id) => said.has(id))) return [];
    return [{ number, own: events.flatMap((id) => said.get(id) ?? []) }];
  });
  const none = await generalAmong(
    db,
    whole.flatMap(({ own }) => own.flatMap(({ keys }) => keys)),
  );
  const apart: { number: number; keys: ReadonlySet<string> }[] = [];
  const computed: Parameters<typeof writeContacts>[1][number][] = [];
  let partial = tied.length - whole.length;
  for (const { number, own } of whole) {
    const found = withoutKeys(own, none);
    const keys = generalKeys(found);
    if (keys.size > 0) {
      apart.push({ number, keys });
      continue;
    }
    const [contact, ...others] = contactsOfFacts(found, options);
    if (contact && others.length === 0)
      computed.push({
        number,
        contact: employee ? withDefaultEmployee(contact, employee) : contact,
        callers: [...new Set(own.flatMap(({ callers = [] }) => callers))],
      });
    else if (others.length > 0) partial += 1;
  }
  await writeContacts(db, computed);
  await takeApart(
    db,
    apart.map(({ number }) => number),
    apart.flatMap(({ keys }) => [...keys]),
  );
  warnOfClosed(log, 0, partial);
}

function warnOfClosed(log: FollowDeps['log'], overfull: number, partial: number): void {
  if (partial > 0)
    log.warn(
      { event: 'sessions.incomplete', contacts: partial },
      'events arrived for contacts whose earlier events are no longer kept: the contacts stay as they are',
    );
  if (overfull > 0)
    log.warn(
      { event: 'sessions.overfull', contacts: overfull },
      `contacts have as many events as one can have, and take no more: see whether a flow gives many calls one conversation_id`,
    );
}

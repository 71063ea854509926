import {
  type AccountSid,
  asReservationSid,
  asTaskSid,
  CustodyError,
  type WorkspaceSid,
} from '@flex-custody/core';
import type { TaskEventPeriod, TaskRouterEvent, TwilioTaskEvents } from '@flex-custody/twilio';
import type { Db } from '../../db/db.ts';
import { readEvents } from '../../events/inbox-reader.ts';
import { parseEvent } from '../../events/parse-event.ts';
import { asCloudEvent } from '../repair/cloud-event.ts';
import type { Contact } from '../sessions/contact.ts';
import { contactOf } from '../sessions/contact-of.ts';
import type { Fact } from '../sessions/facts/fact.ts';
import { factOf } from '../sessions/facts/fact-of.ts';
import { eventsOfContacts } from '../sessions/kept/contacts-table.ts';
import { shortCall } from '../sessions/policies.ts';

export interface ConfirmDeps {
  db: Pick<Db, 'query'>;
  twilio: TwilioTaskEvents;
  config: { accountSid: AccountSid; workspaceSid: WorkspaceSid };
}

/** Pages of 1,000 events of one task or reservation. */
const mostPages = 10;
/** A call with more tasks and reservations was not short. */
const mostSids = 40;
/** TaskRouter's clock and the events' differ by less (ms). */
const slackMs = 60_000;

/**
 * Whether the call is short also by TaskRouter's own history, from which alone its tasks and reservations are read here: an
 * event that TaskRouter does not list, such as a forged end, counts for nothing. `unknown` where events of the call are no
 * longer kept.
 * @throws CustodyError as `TwilioApi` does: then nothing is known, and nothing may be deleted
 */
export async function isShortByHistory(
  deps: ConfirmDeps,
  { number, contact }: { number: number; contact: Contact },
  minimumSeconds: number,
  until: Date,
  signal: AbortSignal,
): Promise<boolean | 'unknown'> {
  const kept = (await eventsOfContacts(deps.db, [number])).get(number) ?? [];
  if (!kept.every(({ isThere }) => isThere)) return 'unknown';
  const events = await readEvents(
    deps.db,
    kept.map(({ id }) => id),
  );
  const others = events.filter(({ type }) => !type.startsWith('com.twilio.taskrouter.'));
  const facts = [
    ...others.flatMap((event) => factOf(event) ?? []),
    ...(await historyOf(deps, contact, until, signal)),
  ];
  return shortCall(contactOf(facts), minimumSeconds) !== undefined;
}

/** What TaskRouter's history says of the contact's tasks and reservations, each event once. */
async function historyOf(
  { twilio, config }: ConfirmDeps,
  { keys, openedAt }: Contact,
  until: Date,
  signal: AbortSignal,
): Promise<Fact[]> {
  const found = new Map<string, TaskRouterEvent>();
  const period = { since: new Date(openedAt - slackMs), until };
  const about = keys.flatMap((key): Pick<TaskEventPeriod, 'taskSid' | 'reservationSid'>[] => {
    const [taskSid, reservationSid] = [asTaskSid(key), asReservationSid(key)];
    return taskSid ? [{ taskSid }] : reservationSid ? [{ reservationSid }] : [];
  });
  if (about.length > mostSids) return [];
  for (const one of about) {
    let next: string | undefined;
    for (let page = 0; page === 0 || next !== undefined; page += 1) {
      if (page >= mostPages)
        throw new CustodyError('twilio_answer', "the pages of a task's events have no end");
      signal.throwIfAborted();
      const read = await twilio.taskEventsPage({ ...period, ...one }, next, signal);
      for (const event of read.events) found.set(event.sid, event);
      next = read.next;
    }
  }
  return [...found.values()].flatMap((event) => factIn(event, config) ?? []);
}

function factIn(event: TaskRouterEvent, config: ConfirmDeps['config']): Fact | undefined {
  const parsed = parseEvent(asCloudEvent(event, config), {
    accounts: [config.accountSid],
    source: 'repair',
    receivedAt: event.at,
  });
  if (!('event' in parsed)) return undefined;
  const { id, type, at: time, data } = parsed.event;
  return factOf({ id, type, time, data: JSON.parse(data) as Record<string, unknown> });
}

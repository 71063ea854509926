import type { Db } from '../db/db.ts';
import type { AgentEvent } from '../events/agent-event.ts';

interface Row {
  contact: number;
  event: string;
  id: string | null;
  type: string;
  at: Date;
  event_sid: string | null;
  data: Readonly<Record<string, unknown>>;
}

export interface EventsOfContact {
  events: AgentEvent[];
  /** All that the contact has are still in the inbox. */
  isWhole: boolean;
}

/** The events of contacts, without those of single messages. */
export async function eventsOfContacts(
  db: Pick<Db, 'query'>,
  contacts: readonly number[],
): Promise<Map<number, EventsOfContact>> {
  const found = new Map<number, EventsOfContact>(
    contacts.map((contact) => [contact, { events: [], isWhole: true }]),
  );
  const rows = await db.query<Row>(
    `SELECT contact, own.event, id, type, at, event_sid, data FROM contact_events own LEFT JOIN agent_events ON id = own.event
     WHERE contact = ANY($1::bigint[]) AND coalesce(type, '') NOT LIKE 'com.twilio.conversations.message.%'`,
    [contacts],
  );
  for (const { contact, id, type, at, event_sid: eventSid, data } of rows) {
    const own = found.get(contact);
    if (!own) continue;
    if (id === null) own.isWhole = false;
    else own.events.push({ ...{ id, type, time: at, data }, ...(eventSid !== null && { eventSid }) });
  }
  return found;
}

import type { BrevoContactView, BrevoEventView } from '../page/contract.ts';
import type { BrevoContact } from './contacts.ts';
import type { BrevoEvent } from './events.ts';
import type { Brevo } from './state.ts';

const shownEvents = 20;

/** What Brevo has received, by contact: the one with the newest event first. @param most contacts */
export function received(brevo: Brevo, most: number): BrevoContactView[] {
  const byContact = new Map<number, BrevoEvent[]>();
  for (const event of brevo.events.all()) {
    const own = byContact.get(event.contactId) ?? [];
    own.push(event);
    byContact.set(event.contactId, own);
  }
  const lastOf = ({ id, modifiedAt }: BrevoContact) =>
    Math.max(modifiedAt, ...(byContact.get(id) ?? []).slice(-1).map(({ receivedAt }) => receivedAt));
  return [...brevo.contacts.all()]
    .sort((a, b) => lastOf(b) - lastOf(a) || b.id - a.id)
    .slice(0, most)
    .map((contact) => {
      const events = (byContact.get(contact.id) ?? []).toReversed().toSorted((a, b) => b.at - a.at);
      return {
        id: contact.id,
        identifiers: [...contact.identifiers].map(([kind, value]) => ({
          kind,
          value: shortened(kind, value),
        })),
        lists: [...contact.listIds].map((id) => brevo.lists.get(id).name),
        attributes: [...contact.attributes].map(([name, value]) => ({ name, value: String(value) })),
        count: events.length,
        events: events.slice(0, shownEvents).map(eventView),
      };
    });
}

function eventView({ name, at, properties }: BrevoEvent): BrevoEventView {
  const text = (key: string) => (properties[key] === undefined ? null : String(properties[key]));
  const number = (key: string) => {
    const value = Number(properties[key]);
    return properties[key] === undefined || Number.isNaN(value) ? null : value;
  };
  return {
    name,
    at: new Date(at).toISOString(),
    channel: text('channel'),
    queue: text('queue_name'),
    agent: text('agent'),
    wait: number('wait_seconds'),
    talk: number('talk_seconds'),
    csat: number('csat_score'),
  };
}

/** Enough to know it again, and too little to use it. */
function shortened(kind: string, value: string): string {
  if (kind === 'email') return value.replace(/^(.).*(@.*)$/, '$1…$2');
  if (kind === 'ext_id') return value.length <= 10 ? value : `${value.slice(0, 4)}…${value.slice(-4)}`;
  return `+${value.slice(0, 3)}…${value.slice(-3)}`;
}

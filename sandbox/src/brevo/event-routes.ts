import type { FastifyInstance, FastifyRequest } from 'fastify';
import { page } from './contact-routes.ts';
import type { BrevoContact } from './contacts.ts';
import { batchBytes, batchEvents, type SentEvent, sentEvent } from './event-rules.ts';
import type { BrevoEvent, EventQuery } from './events.ts';
import { type Identifiers, identifierTypes, normalIdentifier } from './identifiers.ts';
import { BrevoRefusal, invalid, missing } from './refusal.ts';
import type { Brevo } from './state.ts';
import { type Json, objectOf, wantedContact } from './wanted.ts';

export function eventRoutes(app: FastifyInstance, brevo: Brevo): void {
  app.post('/events', async (request, reply) => {
    take(brevo, sentEvent(request.body, 'alone'), 'alone');
    return reply.code(204).send();
  });

  app.post('/events/batch', { bodyLimit: batchBytes }, async (request, reply) => {
    const { events } = objectOf(request.body);
    if (!Array.isArray(events) || events.length === 0) throw missing('events is missing');
    if (events.length > batchEvents) throw invalid(`at most ${batchEvents} events`);
    const refused = new Map<string, number[]>();
    for (const [index, event] of events.entries()) {
      try {
        take(brevo, sentEvent(event, 'batch'), 'batch');
      } catch (error) {
        if (!(error instanceof BrevoRefusal)) throw error;
        refused.set(error.message, [...(refused.get(error.message) ?? []), index]);
      }
    }
    if (refused.size === 0)
      return reply.code(202).send({ message: 'Batch accepted for processing', count: events.length });
    const failed = [...refused.values()].flat().length;
    return reply.code(207).send({
      status: 'partial_success',
      total_events: events.length,
      successful_events: events.length - failed,
      failed_events: failed,
      errors: [...refused].map(([message, eventIndex]) => ({ eventIndex, message })),
    });
  });

  app.get('/events', async (request) => {
    const { limit, offset } = page(request, 100, 10_000);
    const found = brevo.events.find(queryOf(request, brevo.now()));
    return { events: found.slice(offset, offset + limit).map(eventBody), count: found.length };
  });
}

/** An event without its contact is not refused by Brevo, which takes it first and looks then. */
function take(brevo: Brevo, sent: SentEvent, from: BrevoEvent['from']): void {
  const contact = contactOf(brevo, sent.identifiers);
  if (!contact) {
    brevo.noteDropped();
    return;
  }
  if (Object.keys(sent.contactProperties).length > 0)
    brevo.contacts.update(contact, wantedContact({ attributes: sent.contactProperties }, brevo), false);
  brevo.events.add({
    name: sent.name,
    at: sent.at ?? brevo.now(),
    contactId: contact.id,
    properties: sent.properties,
    contactProperties: sent.contactProperties,
    from,
  });
}

/** The number counts most; of the others the first that a contact has. @throws BrevoRefusal 400 */
function contactOf({ contacts, settings }: Brevo, given: Json): BrevoContact | undefined {
  const names = Object.keys(given);
  const strange = names.find((name) => name !== 'contact_id' && !(name in identifierTypes));
  if (strange !== undefined) throw invalid(`identifiers has no ${strange}`);
  const id = given['contact_id'];
  const identifiers: Identifiers = new Map();
  for (const [type, kind] of Object.entries(identifierTypes))
    if (given[type] !== undefined) identifiers.set(kind, normalIdentifier(kind, given[type]));
  if (id !== undefined && typeof id !== 'number') throw invalid('contact_id is not a number');
  const found =
    id !== undefined
      ? contacts.byId(id)
      : [...identifiers].map(([kind, value]) => contacts.by(kind, value)).find((one) => one !== undefined);
  if (found || settings.unknownContacts === 'drop') return found;
  if (settings.unknownContacts === 'refuse' || id !== undefined) throw invalid('Contact does not exist');
  const wanted = {
    identifiers,
    attributes: new Map(),
    listIds: [],
    unlinkListIds: [],
    blacklists: {},
  };
  return contacts.put(wanted, { updateEnabled: true, forceMerge: false }).contact;
}

const monthMs = 30 * 24 * 3_600_000;

function queryOf(request: FastifyRequest, now: number): EventQuery {
  const asked = request.query as Record<string, string | string[] | undefined>;
  const all = (name: string) => [asked[name] ?? []].flat();
  const { startDate, endDate } = asked;
  if ((startDate === undefined) !== (endDate === undefined))
    throw invalid('startDate and endDate are needed together');
  const from = startDate === undefined ? now - 6 * monthMs : dateIn('startDate', startDate, 'start');
  const to = endDate === undefined ? Number.POSITIVE_INFINITY : dateIn('endDate', endDate, 'end');
  if (from > to) throw invalid('startDate must not be after endDate');
  return { names: all('event_name'), contactIds: all('contact_id').map(Number), from, to };
}

/** A day means all of it. */
function dateIn(name: string, value: string | string[], side: 'start' | 'end'): number {
  const text = String(value);
  const isDay = /^\d{4}-\d{2}-\d{2}$/.test(text);
  const at = Date.parse(text);
  if (Number.isNaN(at) || (!isDay && !text.includes('T'))) throw invalid(`${name} is not valid`);
  return isDay && side === 'end' ? at + 24 * 3_600_000 - 1 : at;
}

/** As `GET /events` lists them: without an id of the event. */
export const eventBody = (event: BrevoEvent): Record<string, unknown> => ({
  contact_id: event.contactId,
  event_name: event.name,
  event_date: new Date(event.at).toISOString(),
  event_properties: event.properties,
  contact_properties: event.contactProperties,
});

import * as answers from './answers.ts';
import { batchText, contactBody, contactPath, emptyBody, eventBody } from './bodies.ts';
import type { Brevo, BrevoEvent, BrevoOutcome } from './brevo-api.ts';
import { textsOf } from './refusal.ts';
import { type BrevoOptions, type BrevoRequest, createSender } from './send.ts';

export type { BrevoCall, BrevoOptions } from './send.ts';

/** GET /events gives no more at once, each of some KB. */
const mostEvents = 10_000;
const mostEventBytes = 64 * 1_024 * 1_024;

const nothing = { done: true } as const;
/** Any success counts, whatever its body. */
const taken = () => nothing;

function without<T>(outcome: BrevoOutcome<T>): BrevoOutcome<undefined> {
  return outcome.kind === 'done' ? { kind: 'done', value: undefined } : outcome;
}

/** What of an event is the customer's own. */
const ofEvent = ({ identifiers, properties }: BrevoEvent) => textsOf([identifiers, properties]);

/**
 * Brevo's API v3, as far as the connector needs it. No method repeats a request.
 * @throws the signal's reason, but where an event may have been taken: that is `unknown`; RangeError for a request that Brevo
 *   cannot take
 */
export function createBrevo(options: BrevoOptions): Brevo {
  const send = createSender(options);
  const ask = <T>(
    of: BrevoRequest<T>['of'],
    route: string,
    value: (body: unknown) => T | undefined,
    more: Partial<BrevoRequest<T>> = {},
  ) => send({ of, method: 'GET', route, value, ...more });

  return {
    putContact: (contact, { merge = false, signal } = {}) =>
      send({
        of: 'contacts',
        method: 'POST',
        route: '/contacts',
        body: JSON.stringify(contactBody(contact, merge)),
        sent: textsOf([contact.identifiers, contact.attributes]),
        value: answers.contactId,
        signal,
      }),
    contact: (identifiers, signal) =>
      ask('contacts', '/contacts/{id}', answers.contact, {
        path: contactPath(identifiers),
        sent: textsOf(identifiers),
        signal,
      }),
    async forget(contactId, what, signal) {
      const at = {
        of: 'contacts',
        route: '/contacts/{id}',
        path: contactPath({ contactId }),
        value: taken,
        signal,
      } as const;
      if (what === 'contact') return without(await send({ ...at, method: 'DELETE' }));
      const body = JSON.stringify(emptyBody(what.attributes, what.listIds));
      return without(await send({ ...at, method: 'PUT', body }));
    },
    sendEvent: async (event, signal) =>
      without(
        await send({
          of: 'events',
          method: 'POST',
          route: '/events',
          body: JSON.stringify(eventBody(event)),
          sent: ofEvent(event),
          onlyOnce: true,
          value: taken,
          signal,
        }),
      ),
    async sendEvents(events, signal) {
      const body = batchText(events);
      const sent = events.flatMap(ofEvent);
      return send({
        of: 'batch',
        method: 'POST',
        route: '/events/batch',
        body,
        sent,
        onlyOnce: true,
        value: (found, status) => answers.refusedEvents(found, { status, count: events.length, sent }),
        signal,
      });
    },
    events({ name, contactId, from, to }, signal) {
      const query = new URLSearchParams({
        ...(name !== undefined && { event_name: name }),
        ...(contactId !== undefined && { contact_id: String(contactId) }),
        startDate: from.toISOString(),
        endDate: to.toISOString(),
        limit: String(mostEvents),
      });
      return ask('other', '/events', (body) => answers.events(body, mostEvents), {
        path: `/events?${query}`,
        mostBytes: mostEventBytes,
        signal,
      });
    },
    attributes: (signal) => ask('contacts', '/contacts/attributes', answers.attributes, { signal }),
    async createAttribute(name, type, signal) {
      const outcome = await send({
        of: 'contacts',
        method: 'POST',
        route: '/contacts/attributes/normal/{name}',
        path: `/contacts/attributes/normal/${encodeURIComponent(name)}`,
        body: JSON.stringify({ type }),
        value: taken,
        signal,
      });
      // It is there already: that is what was asked for.
      return outcome.kind === 'collision' ? { kind: 'done', value: undefined } : without(outcome);
    },
    list: (id, signal) =>
      ask('contacts', '/contacts/lists/{id}', answers.listName, { path: `/contacts/lists/${id}`, signal }),
    account: (signal) => ask('other', '/account', answers.account, { signal }),
  };
}

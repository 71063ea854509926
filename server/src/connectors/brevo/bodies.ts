import type { BrevoContact, BrevoEvent, BrevoIdentifiers, BrevoValue } from './brevo-api.ts';

/** Of a batch of events: https://developers.brevo.com/reference/create-batch-events */
export const batchLimits = { events: 200, bytes: 512 * 1_024 } as const;

const isFilled = (value: unknown): value is BrevoValue =>
  typeof value === 'boolean' ||
  (typeof value === 'number' && Number.isFinite(value)) ||
  (typeof value === 'string' && value.trim() !== '');

/** What has a value: an empty one would erase what Brevo has. */
function filled<T extends object>(fields: T): { [K in keyof T]?: BrevoValue } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => isFilled(value))) as {
    [K in keyof T]?: BrevoValue;
  };
}

/** A number in E.164 with its plus; undefined for what is none: one without its country may be another person's. */
export function e164(number: string | undefined): string | undefined {
  const bare = (number ?? '').replace(/[\s().-]/g, '').replace(/^00/, '+');
  return /^\+[1-9]\d{6,14}$/.test(bare) ? bare : undefined;
}

/**
 * POST /contacts. An empty text empties an attribute, so that none but an attribute is sent. Nothing here ever allows or forbids
 * mail or SMS to a contact.
 */
export function contactBody({ identifiers, attributes, listIds }: BrevoContact, merge: boolean): object {
  const { email, extId, phone, whatsapp } = identifiers;
  const emptied = Object.fromEntries(Object.entries(attributes).filter(([, value]) => value === ''));
  const all = { ...filled({ ...attributes, SMS: e164(phone), WHATSAPP: e164(whatsapp) }), ...emptied };
  return {
    ...filled({ email, ext_id: extId }),
    ...(Object.keys(all).length > 0 && { attributes: all }),
    ...(listIds.length > 0 && { listIds }),
    updateEnabled: true,
    ...(merge && { forceMerge: true, getId: true }),
  };
}

/** PUT /contacts/{id}: an empty text erases an attribute. */
export const emptyBody = (attributes: readonly string[], listIds: readonly number[]): object => ({
  ...(attributes.length > 0 && { attributes: Object.fromEntries(attributes.map((name) => [name, ''])) }),
  ...(listIds.length > 0 && { unlinkListIds: listIds }),
});

/** POST /events. */
export function eventBody({ name, at, identifiers, properties }: BrevoEvent): object {
  const { contactId, email, extId, phone, whatsapp } = identifiers;
  return {
    event_name: name,
    event_date: at.toISOString(),
    identifiers:
      contactId !== undefined
        ? { contact_id: contactId }
        : filled({ email_id: email, ext_id: extId, phone_id: e164(phone), whatsapp_id: e164(whatsapp) }),
    event_properties: filled(properties),
  };
}

/** An event of a batch, whose properties Brevo takes as texts and numbers alone. */
export const batchedEvent = (event: BrevoEvent): object =>
  eventBody({
    ...event,
    properties: Object.fromEntries(
      Object.entries(event.properties).map(([name, value]) => [
        name,
        typeof value === 'boolean' ? String(value) : value,
      ]),
    ),
  });

/** POST /events/batch. @throws RangeError for more than Brevo takes at once: the caller divides */
export function batchText(events: readonly BrevoEvent[]): string {
  const text = JSON.stringify({ events: events.map(batchedEvent) });
  if (events.length > batchLimits.events || Buffer.byteLength(text) > batchLimits.bytes)
    throw new RangeError('a batch has at most 200 events and 512 KB');
  return text;
}

/** How a path of /contacts names a contact: the strongest identifier. @throws RangeError without any */
export function contactPath(identifiers: BrevoIdentifiers & { contactId?: number }): string {
  const { contactId, email, extId, phone, whatsapp } = identifiers;
  const named: readonly [type: string, value: string | undefined][] = [
    ['contact_id', contactId === undefined ? undefined : String(contactId)],
    ['email_id', email?.trim()],
    ['ext_id', extId?.trim()],
    ['phone_id', e164(phone)],
    ['whatsapp_id', e164(whatsapp)],
  ];
  const [type, value] = named.find(([, value]) => value) ?? [];
  if (value === undefined) throw new RangeError('a contact without an identifier cannot be asked for');
  return `/contacts/${encodeURIComponent(value)}?identifierType=${type}`;
}

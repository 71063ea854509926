import type { BrevoFound } from './brevo-api.ts';
import { fieldsOf } from './outcome.ts';
import { codeOf, messageOf } from './refusal.ts';

const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const isWhole = (value: unknown): value is number => Number.isSafeInteger(value);

/** POST /contacts: an update has no body. */
export function contactId(body: unknown): { id?: number } {
  const { id } = fieldsOf(body);
  return isWhole(id) ? { id } : {};
}

export function contact(body: unknown) {
  const { id, attributes, listIds } = fieldsOf(body);
  return isWhole(id)
    ? { id, attributes: fieldsOf(attributes), listIds: list(listIds).filter(isWhole) }
    : undefined;
}

/** GET /events. An event that cannot be read makes the answer incomplete. */
export function events(body: unknown, limit: number) {
  const { events: found, count } = fieldsOf(body);
  if (!Array.isArray(found) && count !== 0) return undefined;
  const all = list(found);
  const read = all.flatMap((event): BrevoFound[] => {
    const { event_name: name, event_date: date, contact_id: id, event_properties } = fieldsOf(event);
    const at = new Date(typeof date === 'string' ? date : Number.NaN);
    if (typeof name !== 'string' || Number.isNaN(at.getTime())) return [];
    return [{ name, at, ...(isWhole(id) && { contactId: id }), properties: fieldsOf(event_properties) }];
  });
  const isAll = isWhole(count) ? count <= all.length : all.length < limit;
  return { events: read, isWhole: isAll && read.length === all.length };
}

export interface RefusedEvent {
  index: number;
  code: string;
  message: string;
}

/**
 * POST /events/batch: 207 names the events that Brevo did not take, by error. Undefined where it names none of those that it
 * counts: each may have been taken.
 */
export function refusedEvents(
  body: unknown,
  { status, count, sent }: { status: number; count: number; sent: readonly string[] },
): { refused: readonly RefusedEvent[] } | undefined {
  if (status !== 207) return { refused: [] };
  const fields = fieldsOf(body);
  const errors = Array.isArray(body)
    ? body
    : Array.isArray(fields['errors'])
      ? fields['errors']
      : 'eventIndex' in fields
        ? [fields]
        : undefined;
  if (!errors) return undefined;
  const refused = new Map<number, RefusedEvent>();
  for (const error of errors) {
    const { eventIndex, code, message } = fieldsOf(error);
    const indexes = (Array.isArray(eventIndex) ? eventIndex : [eventIndex]).filter(
      (index): index is number => isWhole(index) && index >= 0 && index < count,
    );
    if (indexes.length === 0) return undefined;
    for (const index of indexes)
      refused.set(index, { index, code: codeOf(code) ?? 'unknown', message: messageOf(message, sent) });
  }
  const failed = fields['failed_events'];
  if (isWhole(failed) && failed > refused.size) return undefined;
  return { refused: [...refused.values()].sort((a, b) => a.index - b.index) };
}

export function attributes(body: unknown) {
  const { attributes: found } = fieldsOf(body);
  if (!Array.isArray(found)) return undefined;
  return found.flatMap((attribute) => {
    const { name, type, category } = fieldsOf(attribute);
    if (typeof name !== 'string') return [];
    return [{ name, type: typeof type === 'string' ? type : String(category ?? '') }];
  });
}

export function listName(body: unknown) {
  const { name } = fieldsOf(body);
  return typeof name === 'string' ? { name } : undefined;
}

export function account(body: unknown) {
  const { companyName, plan } = fieldsOf(body);
  if (typeof companyName !== 'string') return undefined;
  const types = list(plan).map((each) => fieldsOf(each)['type']);
  return { company: companyName, plans: types.filter((type) => typeof type === 'string') };
}

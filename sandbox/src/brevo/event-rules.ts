import { invalid, missing } from './refusal.ts';
import { isObject, type Json } from './wanted.ts';

export const batchEvents = 200;
export const batchBytes = 512 * 1024;
const propertiesBytes = 50 * 1024;
const charset = /^[A-Za-z0-9_-]{1,255}$/;
const isoDate = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/;

export interface SentEvent {
  name: string;
  /** Epoch ms; undefined: when it came. */
  at: number | undefined;
  identifiers: Json;
  properties: Json;
  contactProperties: Json;
}

/**
 * Reads an event as `POST /events`, or one of a batch, brings it.
 * @throws BrevoRefusal 400
 */
export function sentEvent(event: unknown, from: 'alone' | 'batch'): SentEvent {
  if (!isObject(event)) throw invalid('event is not an object');
  const { event_name: name, event_date: date, identifiers } = event;
  if (name === undefined || name === '') throw missing('event_name is missing');
  if (typeof name !== 'string' || !charset.test(name)) throw invalid('event_name is not valid');
  if (
    date !== undefined &&
    !(typeof date === 'string' && isoDate.test(date) && !Number.isNaN(Date.parse(date)))
  )
    throw invalid('event_date is not valid');
  if (!isObject(identifiers) || Object.keys(identifiers).length === 0)
    throw missing('identifiers is missing');
  return {
    name,
    at: date === undefined ? undefined : Date.parse(date as string),
    identifiers,
    properties: properties(event, 'event_properties', from),
    contactProperties: properties(event, 'contact_properties', from),
  };
}

function properties(event: Json, field: string, from: 'alone' | 'batch'): Json {
  const given = event[field] ?? {};
  if (!isObject(given)) throw invalid(`${field} is not an object`);
  if (Buffer.byteLength(JSON.stringify(given)) > propertiesBytes)
    throw invalid(`${field} is larger than 50 KB`);
  for (const [key, value] of Object.entries(given)) {
    if (!charset.test(key)) throw invalid(`a key of ${field} is not valid`);
    const isPlain = typeof value === 'string' || typeof value === 'number';
    const isMore = typeof value === 'boolean' || (field === 'event_properties' && typeof value === 'object');
    if (!isPlain && !(from === 'alone' && isMore && value !== null))
      throw invalid(`${field} has a value of a type that is not supported`);
  }
  return given;
}

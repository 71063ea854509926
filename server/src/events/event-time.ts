/** Which part of an event says when it happened. */
export type TimeFrom = 'payload' | 'envelope' | 'received';

type Fields = Readonly<Record<string, unknown>>;

const earliest = Date.UTC(2000, 0);
const latest = Date.UTC(2100, 0);
/** Counts of seconds since 1970 are below it until the year 5138. */
const leastMs = 1e11;

const sensible = (ms: number): Date | undefined => (ms >= earliest && ms < latest ? new Date(ms) : undefined);

function numberIn(value: unknown): number | undefined {
  if (typeof value === 'string' && /^\d{1,16}$/.test(value)) return Number(value);
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/** ISO 8601 with a time; anything else that Date.parse reads is not what Twilio writes. */
const dateIn = (value: unknown): Date | undefined =>
  typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:/.test(value) ? sensible(Date.parse(value)) : undefined;

/** Of `timestamp_ms`, in milliseconds since 1970. */
const exactIn = (fields: Fields): Date | undefined => sensible(numberIn(fields['timestamp_ms']) ?? 0);

/** Of `timestamp`: seconds or milliseconds since 1970, or ISO 8601. */
function statedIn(fields: Fields): Date | undefined {
  const number = numberIn(fields['timestamp']);
  if (number !== undefined) return sensible(number < leastMs ? number * 1_000 : number);
  return dateIn(fields['timestamp']);
}

/** Each in the order in which it counts: the payload's milliseconds, the envelope's time, a time of seconds. */
export function timeOf(
  envelopeTime: unknown,
  data: Fields,
  payload: Fields,
  receivedAt: Date,
): { at: Date; from: TimeFrom } {
  const exact = exactIn(payload) ?? exactIn(data);
  if (exact) return { at: exact, from: 'payload' };
  const envelope = dateIn(envelopeTime);
  if (envelope) return { at: envelope, from: 'envelope' };
  const stated = statedIn(payload) ?? statedIn(data);
  return stated ? { at: stated, from: 'payload' } : { at: receivedAt, from: 'received' };
}

/**
 * Type, resource and milliseconds of an event of TaskRouter's, which name it where it has no SID. Undefined where its
 * milliseconds are unknown: two events of one second could be taken for one.
 */
export function sameAs(type: string, data: Fields, payload: Fields): string | undefined {
  const resource = payload['resource_sid'];
  const ms = (exactIn(payload) ?? exactIn(data))?.getTime();
  if (!type.startsWith('com.twilio.taskrouter.') || ms === undefined) return undefined;
  return typeof resource === 'string' && /^[A-Z]{2}[0-9a-f]{32}$/.test(resource)
    ? `${type} ${resource} ${ms}`
    : undefined;
}

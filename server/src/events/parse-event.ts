import type { EventSource } from './agent-event.ts';
import { sameAs, type TimeFrom, timeOf } from './event-time.ts';
import { isContent, isHandled, isOwn, testEventType, typeOf } from './event-types.ts';
import { isStorable, isTooDeep, objectIn, storableJson, storableText } from './storable-json.ts';

/** Why an event is not taken in; docs/recorder.md has the list. */
export type AsideReason =
  | 'not_json'
  | 'too_large'
  | 'too_deep'
  | 'id_unusable'
  | 'type_unusable'
  | 'data_unusable'
  | 'not_storable'
  | 'unknown_type'
  | 'own_type'
  | 'content'
  | 'other_account'
  | 'erased';

/** An event as it is stored. */
export interface ParsedEvent {
  id: string;
  type: string;
  at: Date;
  atFrom: TimeFrom;
  eventSid?: string;
  /** {@link sameAs} */
  sameAs?: string;
  /** Of tasks, reservations, calls, conferences, conversations and recordings, wherever it names them. */
  sids: string[];
  /** JSON that PostgreSQL accepts. */
  data: string;
}

export interface Aside {
  reason: AsideReason;
  type?: string;
  /** The record's text, cut if it is long; absent where nothing of it may be kept. */
  raw?: string;
  sids: string[];
}

export type Parsed = { event: ParsedEvent } | { aside: Aside };

export interface ParseOptions {
  /** Events of other accounts are refused. */
  accounts: readonly string[];
  /** Decides which types are taken in: the host's own ones from the host alone, and Twilio's from everywhere else. */
  source: EventSource;
  receivedAt: Date;
}

/** Characters of a whole record. Twilio's largest events have a tenth of it. */
export const mostCharacters = 256 * 1024;
/** Characters that are kept of a record that is set aside. One of an unknown type is kept whole: it is taken in later. */
const mostKept = 64 * 1024;
const longestId = 512;
const longestType = 256;

/** The SIDs by which an erasure finds what belongs to a call. */
export const sidsIn = (text: string): string[] => [
  ...new Set(text.match(/(?:WT|WR|CA|CF|CH|RE)[0-9a-f]{32}/g)),
];

/** Nothing of such an event may be kept. */
const keepsNothing: ReadonlySet<AsideReason> = new Set(['content', 'other_account', 'erased']);

export function asideOf(reason: AsideReason, type: string | undefined, text: string): Aside {
  const about = { reason, ...(type !== undefined && { type: storableText(type.slice(0, longestType)) }) };
  if (keepsNothing.has(reason)) return { ...about, sids: [] };
  const raw = storableText(reason === 'unknown_type' ? text : text.slice(0, mostKept));
  return { ...about, raw, sids: sidsIn(raw) };
}

/**
 * Reads one CloudEvent: an object, or its text, in which JSON may be a string of JSON again.
 * Anything at all gets an answer; this never throws.
 */
export function parseEvent(record: unknown, { accounts, source, receivedAt }: ParseOptions): Parsed {
  const text = textOf(record);
  const aside = (reason: AsideReason, type?: string): Parsed => ({ aside: asideOf(reason, type, text) });
  if (text.length > mostCharacters) return aside('too_large');
  const envelope = objectIn(text, 2);
  if (!envelope) return aside('not_json');
  if (isTooDeep(envelope)) return aside('too_deep');

  const given = envelope['type'];
  if (typeof given !== 'string' || given === '' || given.length > longestType || !isStorable(given))
    return aside('type_unusable');
  const type = typeOf(given);
  const data = objectIn(envelope['data'], 3);
  if (data && isOfOthers(data, accounts)) return aside('other_account', type);
  if (isContent(type)) return aside('content', type);
  if (isOwn(type) && source !== 'own') return aside('own_type', type);
  if (source === 'own' ? !isOwn(type) : !isHandled(type)) return aside('unknown_type', type);
  if (!data) return aside('data_unusable', type);
  if (isTooDeep(data)) return aside('too_deep', type);
  const id = idOf(envelope['id'], type, data);
  if (id === undefined) return aside('id_unusable', type);

  const payload = objectIn(data['payload'], 2) ?? {};
  const { at, from } = timeOf(envelope['time'], data, payload, receivedAt);
  const same = sameAs(type, data, payload);
  const eventSid = [data['sid'], payload['sid']].find(isEventSid);
  const json = storableJson(data);
  return {
    event: {
      ...{ id, type, at, atFrom: from, data: json, sids: sidsIn(`${id} ${json}`) },
      ...(eventSid !== undefined && { eventSid }),
      ...(same !== undefined && { sameAs: same }),
    },
  };
}

/** Text of whatever came; empty for what has none. */
function textOf(record: unknown): string {
  if (typeof record === 'string') return record;
  if (record instanceof Uint8Array) return Buffer.from(record).toString('utf8');
  try {
    return JSON.stringify(record) ?? '';
  } catch {
    return '';
  }
}

const isEventSid = (value: unknown): value is string =>
  typeof value === 'string' && /^EV[0-9a-f]{32}$/.test(value);

function idOf(given: unknown, type: string, data: Readonly<Record<string, unknown>>): string | undefined {
  const id = typeof given === 'number' && Number.isFinite(given) ? String(given) : given;
  if (typeof id !== 'string' || id === '' || id.length > longestId || !isStorable(id)) return undefined;
  // The id of every test is that of the account.
  const test = type === testEventType ? data['test_id'] : undefined;
  return typeof test === 'string' && isStorable(test) ? `${id} ${test}`.slice(0, longestId) : id;
}

/** True if the event names an account that is not among these; an event that names none is the stream's own. */
function isOfOthers(data: Readonly<Record<string, unknown>>, accounts: readonly string[]): boolean {
  const payload = objectIn(data['payload'], 2);
  const request = objectIn(data['request'], 2);
  const parameters = objectIn(request?.['parameters'], 2);
  return [data['account_sid'], data['accountSid'], payload?.['account_sid'], parameters?.['AccountSid']].some(
    (account) => typeof account === 'string' && account !== '' && !accounts.includes(account),
  );
}

import { jsonFields } from '@flex-custody/core';

/** The fields of an object, whatever a payload calls them: `CallSid`, `callSid`, `call_sid` and `callsid` are one field. */
export type Fields = (name: string) => unknown;

/** The spellings of the names that this code asks for. */
const spellings = new Map<string, readonly string[]>();

function spellingsOf(name: string): readonly string[] {
  const known = spellings.get(name);
  if (known) return known;
  const camel = name.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
  const pascal = camel.charAt(0).toUpperCase() + camel.slice(1);
  const own = camel.charAt(0).toLowerCase() + camel.slice(1);
  const snake = own.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  const all = [...new Set([name, pascal, own, snake, own.toLowerCase()])];
  spellings.set(name, all);
  return all;
}

/** An object, or the text of a JSON object or of a form; anything else has no fields. Null is an absent field. */
export function fieldsIn(value: unknown): Fields {
  const object = objectIn(value);
  return (name) => {
    for (const spelling of spellingsOf(name)) {
      const found = object[spelling];
      if (found !== undefined && found !== null) return found;
    }
    return undefined;
  };
}

/** The object itself, or the one that a text holds as JSON or as a form; else an empty one. */
export function objectIn(value: unknown): Record<string, unknown> {
  if (typeof value === 'string') {
    const text = value.trim();
    if (text.startsWith('{')) return jsonFields(text);
    if (/^[\w.%-]+=/.test(text)) return Object.fromEntries(new URLSearchParams(text));
    // JSON in JSON: what is inside the quotation marks is read once more.
    return text.startsWith('"{') || text.startsWith('"\\') ? objectIn(unquoted(text)) : {};
  }
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
}

function unquoted(text: string): string {
  try {
    const inner: unknown = JSON.parse(text);
    return typeof inner === 'string' ? inner : '';
  } catch {
    return '';
  }
}

/** A text that says something; of a list, its first item. */
export function asText(value: unknown): string | undefined {
  const one: unknown = Array.isArray(value) ? value[0] : value;
  if (typeof one === 'number' && Number.isFinite(one)) return String(one);
  if (typeof one !== 'string') return undefined;
  const text = one.trim();
  return text === '' || text === 'null' || text === 'undefined' ? undefined : text;
}

/** A number of at least zero, or the text of one. */
export function asCount(value: unknown): number | undefined {
  const text = asText(value);
  if (text === undefined || !/^\d+(\.\d+)?$/.test(text)) return undefined;
  return Number(text);
}

export function asFlag(value: unknown): boolean | undefined {
  if (typeof value === 'boolean') return value;
  const text = asText(value)?.toLowerCase();
  if (text === 'true' || text === 'yes' || text === '1') return true;
  return text === 'false' || text === 'no' || text === '0' ? false : undefined;
}

/** Epoch ms of ISO 8601 (UTC where it names no zone), RFC 2822, epoch seconds or epoch ms; undefined for any other text. */
export function asTime(value: unknown): number | undefined {
  const text = asText(value);
  if (text === undefined) return undefined;
  if (/^\d{9,10}(\.\d+)?$/.test(text)) return Math.round(Number(text) * 1000);
  if (/^\d{12,13}$/.test(text)) return Number(text);
  const iso = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(:\d\d(\.\d+)?)?)(Z|[+-]\d\d:?\d\d)?$/i.exec(text);
  if (!iso && !/^[A-Z][a-z]{2}, \d/.test(text)) return undefined;
  const time = Date.parse(iso ? `${iso[1]}T${iso[2]}${iso[5] ?? 'Z'}` : text);
  return Number.isNaN(time) ? undefined : time;
}

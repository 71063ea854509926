import { phoneOf, withoutChannel } from './address.ts';
import type { BrevoValue } from './brevo-api.ts';
import type { Source } from './config/sources.ts';
import type { Transform } from './config/transforms.ts';
import { cleaned, dayOf } from './field-values.ts';

/** A value that may be sent, or why there is none; `why` continues a sentence that begins with the source. */
export type Result = { value: BrevoValue } | { why: string };

const mostCharacters = 2_000;

/**
 * What a rule makes of a value. An empty value passes all transforms but `join` and `default`.
 * @param of another source's value, for `join`
 */
export function transformed(
  transforms: readonly Transform[],
  raw: unknown,
  of: (source: Source) => unknown,
): Result {
  let result: { value: unknown } | { why: string } = { value: raw };
  for (const transform of transforms) result = applied(transform, result, of);
  return 'why' in result ? result : sendable(result.value);
}

function applied(
  transform: Transform,
  before: { value: unknown } | { why: string },
  of: (source: Source) => unknown,
): { value: unknown } | { why: string } {
  if (transform.kind === 'default')
    return 'why' in before || 'why' in sendable(before.value) ? { value: transform.value } : before;
  if (transform.kind === 'join') {
    const all = [...('value' in before ? [before.value] : []), ...transform.sources.map(of)].flat();
    const texts = all.map(sendable).flatMap((one) => ('value' in one ? [String(one.value)] : []));
    return texts.length > 0 ? { value: texts.join(transform.separator) } : { why: empty };
  }
  if ('why' in before) return before;
  const given = sendable(before.value);
  return 'why' in given ? given : changed(transform, given.value);
}

const empty = 'is empty';

function changed(transform: Exclude<Transform, { kind: 'join' | 'default' }>, value: BrevoValue): Result {
  const text = String(value);
  switch (transform.kind) {
    case 'strip-channel':
      return { value: withoutChannel(text) };
    case 'lower':
      return { value: text.toLowerCase() };
    case 'e164':
      return orWhy(phoneOf(text, transform.country), 'is no telephone number in E.164');
    case 'date':
      return orWhy(dayOfValue(value), 'is no date');
    case 'number':
      return orWhy(numberOf(value), 'is no number');
    case 'boolean':
      return orWhy(booleanOf(value), 'is neither true nor false');
  }
}

const orWhy = (value: BrevoValue | undefined, why: string): Result =>
  value === undefined ? { why } : { value };

/** What may be sent of a value as it is. */
export function sendable(value: unknown): Result {
  switch (typeof value) {
    case 'string': {
      const text = cleaned(value);
      if (text === '') return { why: empty };
      return text.length > mostCharacters
        ? { why: `has more than ${mostCharacters} characters` }
        : { value: text };
    }
    case 'number':
      return Number.isFinite(value) ? { value } : { why: 'is no number' };
    case 'boolean':
      return { value };
    default:
      if (value == null) return { why: empty };
      if (Array.isArray(value)) return { why: 'is a list: add the transform join' };
      return { why: 'is an object: name one of its values, such as attributes.customers.email' };
  }
}

function numberOf(value: BrevoValue): number | undefined {
  const text = String(value).trim();
  return typeof value === 'number'
    ? value
    : /^[+-]?\d{1,15}(\.\d{1,15})?$/.test(text)
      ? Number(text)
      : undefined;
}

/** ISO 8601, or a number of seconds or milliseconds since 1970. */
function dayOfValue(value: BrevoValue): string | undefined {
  const number = numberOf(value);
  if (number !== undefined) return number > 0 ? dayOf(number < 1e11 ? number * 1_000 : number) : undefined;
  const text = String(value).trim();
  return /^\d{4}-\d{2}-\d{2}([T ].*)?$/.test(text) ? dayOf(Date.parse(text)) : undefined;
}

/** As task attributes say it. */
export function booleanOf(value: unknown): boolean | undefined {
  if (typeof value === 'boolean') return value;
  const text = String(typeof value === 'string' || typeof value === 'number' ? value : '')
    .trim()
    .toLowerCase();
  if (['true', 'yes', '1'].includes(text)) return true;
  return ['false', 'no', '0'].includes(text) ? false : undefined;
}

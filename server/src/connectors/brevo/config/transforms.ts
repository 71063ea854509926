import { isObject } from '@flex-custody/core';
import { type CountryCode, isSupportedCountry } from 'libphonenumber-js/min';
import type { BrevoValue } from '../brevo-api.ts';
import { readSource, type Source } from './sources.ts';

export const plainTransforms = [
  'strip-channel',
  'e164',
  'date',
  'number',
  'boolean',
  'lower',
  'join',
] as const;

export type Transform =
  | { kind: 'strip-channel' | 'date' | 'number' | 'boolean' | 'lower' }
  /** `country`: that of numbers without a country code. */
  | { kind: 'e164'; country?: CountryCode }
  /** Values of a list, and of more sources, as one text. */
  | { kind: 'join'; sources: readonly Source[]; separator: string }
  /** In place of an empty value. */
  | { kind: 'default'; value: BrevoValue };

const example = `of ${plainTransforms.join(', ')}, {e164: ES}, {join: [attributes.last_name], separator: " "} or {default: VALUE}`;
const isPlain = (name: unknown): name is (typeof plainTransforms)[number] =>
  plainTransforms.some((one) => one === name);

/** @returns the transforms, or what is wrong with them, which continues a sentence that begins with their place */
export function readTransforms(given: unknown): readonly Transform[] | string {
  const list = Array.isArray(given) ? given : [given];
  const read: Transform[] = [];
  for (const [at, one] of list.entries()) {
    const transform = readTransform(one);
    if (typeof transform === 'string') return list.length > 1 ? `(number ${at + 1}) ${transform}` : transform;
    read.push(transform);
  }
  return read;
}

function readTransform(given: unknown): Transform | string {
  if (isPlain(given))
    return given === 'join' ? { kind: given, sources: [], separator: ', ' } : { kind: given };
  if (!isObject(given)) return `must be ${example}`;
  const names = Object.keys(given);
  if (names.length === 1 && 'e164' in given) return readE164(given['e164']);
  if (names.length === 1 && 'default' in given) return readDefault(given['default']);
  if ('join' in given && names.every((name) => ['join', 'separator'].includes(name)))
    return readJoin(given['join'], given['separator'] ?? ' ');
  return `must be ${example}`;
}

function readE164(country: unknown): Transform | string {
  return typeof country === 'string' && isSupportedCountry(country)
    ? { kind: 'e164', country }
    : 'names no country for e164: write its ISO 3166 code in capital letters, such as {e164: ES}';
}

export function readDefault(value: unknown): Transform | string {
  const isGood =
    typeof value === 'boolean' ||
    (typeof value === 'number' && Number.isFinite(value)) ||
    (typeof value === 'string' && value.trim() !== '' && value.length <= 255);
  return isGood
    ? { kind: 'default', value: value as BrevoValue }
    : 'has a default that is no value: write a text of 1 to 255 characters, a number, true or false';
}

function readJoin(given: unknown, separator: unknown): Transform | string {
  const names = Array.isArray(given) ? given : [];
  if (names.length < 1 || names.length > 8 || names.some((name) => typeof name !== 'string'))
    return 'joins no sources: write 1 to 8, such as {join: [attributes.last_name]}';
  if (typeof separator !== 'string' || separator.length > 16)
    return 'has a separator that is none: write a text of at most 16 characters, such as ", "';
  const sources: Source[] = [];
  for (const name of names) {
    const source = readSource(String(name));
    if (typeof source === 'string') return `joins a source that ${source}`;
    sources.push(source);
  }
  return { kind: 'join', sources, separator };
}

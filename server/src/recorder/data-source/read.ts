import { isObject } from '@flex-custody/core';
import type { Fault } from './fault.ts';
import {
  type AnyField,
  advancedFields,
  type DataSource,
  fieldOf,
  fields,
  isKey,
  isSecretKey,
  keys,
  type SecretKey,
  secretKeys,
  secretName,
} from './fields.ts';
import { nearest } from './nearest.ts';
import { faultsTogether } from './together.ts';

/** `set` and `unset` are shown in place of a secret; sent back, `set` leaves the secret as it is and `unset` removes it. */
export type SecretChange = { value: string } | 'set' | 'unset';

export interface ReadSettings {
  /** With defaults; to be used only if there is no fault. */
  settings: DataSource;
  secrets: Partial<Record<SecretKey, SecretChange>>;
  faults: readonly Fault[];
}

/**
 * Reads settings that were sent, stored or written into a file. Blank and null count as left out.
 * @param hasSecret whether the store of secrets has a value for the key already; absent: secrets are not judged
 */
export function readSettings(given: unknown, hasSecret?: (key: SecretKey) => boolean): ReadSettings {
  const faults: Fault[] = [];
  const values: Record<string, unknown> = { advanced: {} };
  const secrets: Partial<Record<SecretKey, SecretChange>> = {};
  for (const key of keys) if ('default' in fields[key]) values[key] = fields[key].default;
  if (!isObject(given)) {
    faults.push({
      key: 'the data source',
      message: 'must be an object of settings: see data-source.example.yaml',
    });
  } else
    for (const [key, value] of Object.entries(given)) {
      if (!isKey(key)) faults.push(unknownKey('', key, keys));
      else if (isBlank(value)) {
        if (isSecretKey(key)) secrets[key] = 'unset';
      } else if (isSecretKey(key)) {
        const change = secretOf(key, value);
        if (typeof change === 'object' && 'message' in change) faults.push(change);
        else secrets[key] = change;
      } else if (key === 'advanced') values[key] = readAdvanced(value, faults);
      else {
        const fault = faultOf(fieldOf(key), value);
        if (fault === undefined) values[key] = Array.isArray(value) ? [...value] : value;
        else faults.push({ key, message: `${fault}: ${fields[key].next}` });
      }
    }
  const settings = values as unknown as DataSource;
  const has = (key: SecretKey) => {
    const change = secrets[key];
    return change === 'unset' ? false : typeof change === 'object' || hasSecret?.(key) === true;
  };
  for (const key of secretKeys)
    if (secrets[key] === 'set' && hasSecret?.(key) === false)
      faults.push({ key, message: `has no value yet: flex-custody secrets set ${secretName(key)}` });
  // A setting that is malformed would be reported as missing, too.
  const out = new Set([...faults.map(({ key }) => key), ...(hasSecret ? [] : secretKeys)]);
  const more = faultsTogether(settings, has).filter(({ about }) => !about.some((key) => out.has(key)));
  return { settings, secrets, faults: [...faults, ...more.map(({ key, message }) => ({ key, message }))] };
}

const isBlank = (value: unknown): boolean =>
  value === null || (typeof value === 'string' && value.trim() === '');

function readAdvanced(value: unknown, faults: Fault[]): Record<string, unknown> {
  if (!isObject(value)) {
    faults.push({ key: 'advanced', message: `must be keys and values: ${fields.advanced.next}` });
    return {};
  }
  const known = Object.keys(advancedFields);
  const read: Record<string, unknown> = {};
  for (const [key, written] of Object.entries(value)) {
    if (!Object.hasOwn(advancedFields, key)) {
      const meant = known.find((name) => name.toLowerCase() === key.toLowerCase());
      faults.push(
        meant
          ? {
              key: `advanced.${printable(key)}`,
              message: `is in the wrong case, and the case of advanced keys counts: write ${meant}`,
            }
          : unknownKey('advanced.', key, known),
      );
      continue;
    }
    if (isBlank(written)) continue;
    const field: AnyField = advancedFields[key as keyof typeof advancedFields];
    // YAML reads True as a boolean.
    const text = typeof written === 'boolean' ? (written ? 'True' : 'False') : written;
    const fault = faultOf(field, text);
    if (fault === undefined) read[key] = text;
    else faults.push({ key: `advanced.${key}`, message: `${fault}: ${field.next}` });
  }
  return read;
}

/** Undefined if the value is one of the field. */
function faultOf(field: AnyField, value: unknown): string | undefined {
  switch (field.kind) {
    case 'whole': {
      const { min, max, unit } = field;
      const isGood = typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max;
      return isGood ? undefined : `must be a whole number of ${unit} from ${min} to ${max}`;
    }
    case 'choice': {
      if (field.values.some((one) => one === value)) return undefined;
      if (field === fields.region)
        return typeof value === 'string' && /[\s()]/.test(value)
          ? "must be the region's code, such as eu-central-1, not its display name"
          : 'must be the code of a region in the list of this release';
      return `must be ${field.values.join(' or ')}`;
    }
    case 'flag':
      return typeof value === 'boolean' ? undefined : 'must be true or false';
    case 'list':
      return listFault(field, value);
    case 'text':
      return textFault(value, field.min, field.max) ?? field.fault?.(String(value));
    case 'secret':
      return (
        textFault(value, field.min, field.max) ??
        (field.shape?.test(String(value)) === false ? field.must : undefined)
      );
    case 'pairs':
      return 'must be keys and values';
  }
}

function textFault(value: unknown, min: number, max: number): string | undefined {
  const bounds = min === max ? `${min}` : `${min} to ${max}`;
  if (typeof value !== 'string') return `must be a text of ${bounds} characters`;
  if (value.length < min || value.length > max) return `must have ${bounds} characters`;
  return /\p{Cc}|^\s|\s$/u.test(value)
    ? `must be ${bounds} characters on one line, without spaces around them`
    : undefined;
}

function listFault({ least, most }: { least: number; most: number }, value: unknown): string | undefined {
  const count = least === most ? `${least}` : `${least} to ${most}`;
  const isGood =
    Array.isArray(value) &&
    value.length >= least &&
    value.length <= most &&
    new Set(value).size === value.length &&
    value.every((name) => typeof name === 'string' && /^[\w.-]{1,128}$/.test(name));
  return isGood ? undefined : `must be ${count} different node names of 1 to 128 letters, digits and _ . -`;
}

function secretOf(key: SecretKey, value: unknown): SecretChange | Fault {
  if (value === 'set' || value === 'unset') return value;
  const fault = faultOf(fields[key], value);
  return fault === undefined ? { value: String(value) } : { key, message: `${fault}: ${fields[key].next}` };
}

function unknownKey(prefix: string, key: string, known: readonly string[]): Fault {
  const meant = nearest(key, known);
  return {
    key: `${prefix}${printable(key)}`,
    message: `is not a setting of the data source: ${meant ? `write ${prefix}${meant}` : 'remove it'}`,
  };
}

/** A key as a message may name it: short, and without what a terminal would execute. */
const printable = (key: string): string => key.slice(0, 64).replaceAll(/[^\w .:-]/g, '?');

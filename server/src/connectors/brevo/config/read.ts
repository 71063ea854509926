import { isObject } from '@flex-custody/core';
import { nearest } from '../../../recorder/data-source/nearest.ts';
import type { BrevoConfig } from './brevo-config.ts';
import { defaultEventMapping, readEventMapping } from './event-mapping.ts';
import type { Fault } from './fault.ts';
import { defaultFieldMapping, readFieldMapping } from './field-mapping.ts';
import { type Field, fields } from './fields.ts';
import { computedSources, pathOf } from './sources.ts';
import { faultsTogether } from './together.ts';

export interface ReadConfig {
  /** With defaults; to be used only if there is no fault. */
  config: BrevoConfig;
  faults: readonly Fault[];
}

/** @param accountSid the host's own account */
export function readConfig(given: unknown, accountSid: string): ReadConfig {
  const faults: Fault[] = [];
  const file = isObject(given) ? given : {};
  if (!isObject(given))
    faults.push({ path: [], message: 'must have keys and values: see docs/brevo.example.yaml' });
  const values = readGroup(fields, file, [], faults);
  const config = { ...values, csat: csatOf(values, faults) } as unknown as BrevoConfig;
  // A key that is malformed would be reported as contradictory, too.
  const out = new Set(faults.map(({ path }) => path[0]));
  const more = faultsTogether(config, accountSid).filter(({ path }) => !out.has(path[0]));
  return { config, faults: [...faults, ...more] };
}

function readGroup(
  table: Readonly<Record<string, Field>>,
  given: Readonly<Record<string, unknown>>,
  path: readonly string[],
  faults: Fault[],
): Record<string, unknown> {
  const known = Object.keys(table);
  for (const key of Object.keys(given).filter((one) => !Object.hasOwn(table, one))) {
    const meant = nearest(key, known);
    faults.push({
      path: [...path, key],
      message: `is no key of this file: ${meant ? `write ${[...path, meant].join('.')}` : 'remove it'}`,
    });
  }
  return Object.fromEntries(
    Object.entries(table).flatMap(([key, field]) => {
      const value = readField(field, given[key] ?? undefined, [...path, key], faults);
      return value === undefined ? [] : [[key, value]];
    }),
  );
}

/** Undefined where the key is left out and has no default, or where it is at fault. */
function readField(field: Field, value: unknown, path: readonly string[], faults: Fault[]): unknown {
  switch (field.kind) {
    case 'group':
      if (value !== undefined && !isObject(value))
        faults.push({ path, message: `must have keys of its own: ${Object.keys(field.fields).join(', ')}` });
      return readGroup(field.fields, isObject(value) ? value : {}, path, faults);
    case 'consent':
      return readConsent(value, path, faults);
    case 'field-mapping':
      return readFieldMapping(value ?? defaultFieldMapping, path, faults);
    case 'event-mapping':
      return readEventMapping(value ?? defaultEventMapping, path, faults);
    default: {
      if (value === undefined) {
        if ('required' in field) faults.push({ path, message: `is missing: it ${field.must}` });
        if (field.kind === 'choices') return field.values;
        return 'default' in field ? field.default : undefined;
      }
      const message = faultOf(field, value);
      if (message !== undefined) faults.push({ path, message });
      return message === undefined ? value : undefined;
    }
  }
}

function faultOf(
  field: Exclude<Field, { kind: 'group' | 'consent' | 'field-mapping' | 'event-mapping' }>,
  value: unknown,
) {
  switch (field.kind) {
    case 'flag':
      return typeof value === 'boolean' ? undefined : 'must be true or false';
    case 'whole':
    case 'number': {
      const { kind, min, max, unit } = field;
      const isGood =
        typeof value === 'number' &&
        value >= min &&
        value <= max &&
        (kind === 'number' || Number.isInteger(value));
      return isGood
        ? undefined
        : `must be a ${kind === 'whole' ? 'whole number' : 'number'} of ${unit} from ${min} to ${max}`;
    }
    case 'choice':
      return field.values.some((one) => one === value)
        ? undefined
        : `must be one of ${field.values.join(', ')}`;
    case 'choices': {
      const isGood =
        Array.isArray(value) &&
        value.length > 0 &&
        new Set(value).size === value.length &&
        value.every((one) => field.values.some((known) => known === one));
      return isGood ? undefined : `must be a list of ${field.values.join(', ')}, each once, and at least one`;
    }
    case 'text':
      return typeof value === 'string' && field.shape.test(value) ? undefined : field.must;
  }
}

const howToConsent =
  'write `consent: {attribute: NAME}` to send what a task attribute allows, or `consent: all` if another lawful basis covers every interaction';

function readConsent(
  value: unknown,
  path: readonly string[],
  faults: Fault[],
): BrevoConfig['consent'] | undefined {
  if (value === undefined) faults.push({ path, message: `must be stated: ${howToConsent}` });
  else if (value === 'all') return value;
  else {
    const name =
      isObject(value) && Object.keys(value).join() === 'attribute' ? value['attribute'] : undefined;
    const attribute = typeof name === 'string' ? pathOf(name) : undefined;
    const isComputed = computedSources.some((one) => one === name);
    if (attribute && !isComputed) return { attribute: attribute.join('.') };
    faults.push({
      path,
      message: isComputed
        ? `names a source that the connector computes, and no task has it: ${howToConsent}`
        : `must be all, or name a task attribute: ${howToConsent}`,
    });
  }
  return undefined;
}

/** Undefined where no attribute is a score. */
function csatOf(values: Readonly<Record<string, unknown>>, faults: Fault[]): BrevoConfig['csat'] {
  const { measure, scale } = values['csat'] as { measure?: string; scale?: number };
  if (measure !== undefined) return { measure, ...(scale !== undefined && { scale }) };
  if (scale !== undefined)
    faults.push({ path: ['csat', 'scale'], message: 'has no measure: write csat.measure beside it' });
  return undefined;
}

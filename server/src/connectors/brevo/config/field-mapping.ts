import { isObject } from '@flex-custody/core';
import { nearest } from '../../../recorder/data-source/nearest.ts';
import { type Fault, nameOf } from './fault.ts';
import { readSource, type Source } from './sources.ts';
import { readDefault, readTransforms, type Transform } from './transforms.ts';

/** As the file writes them, and as brevo-api.ts names them. */
export const identifierTargets = {
  email: 'email',
  ext_id: 'extId',
  SMS: 'phone',
  WHATSAPP: 'whatsapp',
} as const;
export type Identifier = (typeof identifierTargets)[keyof typeof identifierTargets];

export const overwrites = ['never', 'if-set', 'always'] as const;
export type Overwrite = (typeof overwrites)[number];

export type Target = { identifier: Identifier } | { attribute: string };

export interface FieldRule {
  /** Its place in the file, such as `field_mapping.attributes.email`. */
  rule: string;
  source: Source;
  target: Target;
  transforms: readonly Transform[];
  overwrite: Overwrite;
}

/** What the file has by default, in its own form. */
export const defaultFieldMapping: Readonly<Record<string, unknown>> = {
  'attributes.email': 'email',
  'attributes.customers.email': 'email',
  identity: 'ext_id',
  friendly_name: 'FIRSTNAME',
  last_conversation_date: 'LAST_CONVERSATION_DATE',
  total_conversations: 'TOTAL_CONVERSATIONS',
  avg_wait_time: 'AVG_WAIT_TIME',
  avg_talk_time: 'AVG_TALK_TIME',
  last_csat_score: 'LAST_CSAT_SCORE',
  preferred_channel: 'PREFERRED_CHANNEL',
};

export const attributeShape = /^[A-Z][A-Z0-9_]{0,49}$/;
const options = ['to', 'transform', 'overwrite', 'default'];

/** @param path of the mapping in the file */
export function readFieldMapping(given: unknown, path: readonly string[], faults: Fault[]): FieldRule[] {
  if (!isObject(given) || Object.keys(given).length === 0) {
    faults.push({
      path,
      message:
        'must be sources with their targets, such as `attributes.email: email`: leave it out for the default',
    });
    return [];
  }
  const rules: FieldRule[] = [];
  for (const [name, target] of Object.entries(given)) {
    const rule = readRule(name, target, [...path, name], faults);
    if (rule) rules.push(rule);
  }
  refuseTwice(rules, path, faults);
  return rules;
}

function readRule(
  name: string,
  given: unknown,
  path: readonly string[],
  faults: Fault[],
): FieldRule | undefined {
  const before = faults.length;
  const fault = (message: string, key?: string) =>
    void faults.push({ path: key === undefined ? path : [...path, key], message });
  const source = readSource(name);
  if (typeof source === 'string') fault(source);
  const settings: Readonly<Record<string, unknown>> = isObject(given) ? given : { to: given };
  for (const key of Object.keys(settings).filter((one) => !options.includes(one))) {
    const meant = nearest(key, options);
    fault(`is no option of a rule: ${meant ? `write ${meant}` : 'remove it'}`, key);
  }
  const target = readTarget(settings['to']);
  if (typeof target === 'string') fault(target, isObject(given) && 'to' in given ? 'to' : undefined);
  const transforms = readTransforms(settings['transform'] ?? []);
  if (typeof transforms === 'string') fault(transforms, 'transform');
  const last = settings['default'] == null ? [] : [readDefault(settings['default'])];
  for (const one of last) if (typeof one === 'string') fault(one, 'default');
  const overwrite = settings['overwrite'] ?? 'if-set';
  if (!isOverwrite(overwrite)) fault(`must be ${overwrites.join(', ')}: if-set is the default`, 'overwrite');
  else if (settings['overwrite'] != null && typeof target === 'object' && 'identifier' in target)
    fault('is for attributes, and the target is an identifier: remove it', 'overwrite');
  if (typeof source === 'object' && source.kind === 'computed' && source.name !== 'identity')
    if (typeof target === 'object' && 'identifier' in target)
      fault('identifies no customer: write an attribute in capital letters as its target');
  if (faults.length > before) return undefined;
  return {
    rule: nameOf(path),
    source: source as Source,
    target: target as Target,
    transforms: [...(transforms as Transform[]), ...(last as Transform[])],
    overwrite: overwrite as Overwrite,
  };
}

const isOverwrite = (value: unknown): value is Overwrite => overwrites.some((one) => one === value);

/** @returns the target, or what is wrong with it */
function readTarget(to: unknown): Target | string {
  if (typeof to !== 'string' || to === '')
    return 'must name a target: an identifier (email, ext_id, SMS, WHATSAPP) or an attribute in capital letters';
  if (Object.hasOwn(identifierTargets, to))
    return { identifier: identifierTargets[to as keyof typeof identifierTargets] };
  const upper = to.toUpperCase();
  if (/^(EMAIL|SMS)_?BLACKLISTED$/.test(upper))
    return 'is never sent: a person unsubscribes at Brevo alone; remove it';
  if (upper === 'LANDLINE_NUMBER')
    return 'is an identifier that the connector does not send: write SMS or WHATSAPP';
  const meant = Object.keys(identifierTargets).find((name) => name.toUpperCase() === upper);
  if (meant) return `is an identifier in another case: write ${meant}`;
  if (attributeShape.test(to)) return { attribute: to };
  return attributeShape.test(upper)
    ? `must be in capital letters, as Brevo's attributes are (in small letters email and ext_id are identifiers): write ${upper}`
    : 'must be an attribute of Brevo: 1 to 50 capital letters, digits and _, with a letter first';
}

/** One attribute has one rule; of several rules for an identifier the first that has a value counts. */
function refuseTwice(rules: readonly FieldRule[], path: readonly string[], faults: Fault[]): void {
  const first = new Map<string, FieldRule>();
  for (const rule of rules) {
    if (!('attribute' in rule.target)) continue;
    const { attribute } = rule.target;
    const other = first.get(attribute);
    if (other)
      faults.push({
        path: [...path, rule.rule.slice(nameOf(path).length + 1)],
        message: `writes ${attribute}, which ${other.rule} writes too: remove one of both, or use {join: […]}`,
      });
    else first.set(attribute, rule);
  }
}

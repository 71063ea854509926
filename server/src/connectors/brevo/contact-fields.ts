import type { Interaction } from '../interaction.ts';
import type { BrevoValue } from './brevo-api.ts';
import type { BrevoConfig } from './config/brevo-config.ts';
import { type FieldRule, type Identifier, identifierTargets } from './config/field-mapping.ts';
import { sourceValue } from './field-values.ts';
import { identified } from './identifiers.ts';
import type { MappedAttribute, Totals } from './mapping.ts';
import { sendable, transformed } from './transform.ts';

interface Common {
  rule: FieldRule;
  /** Continues a sentence that begins with the source. */
  why: string;
}
/** What became of a rule; without a value nothing is sent. */
export type FieldOutcome = Common &
  (
    | { identifier: Identifier; value: string }
    /** Empty where `overwrite: always` empties Brevo's value. */
    | { attribute: string; value: BrevoValue }
    | { target: string }
  );

const nameOf = (identifier: Identifier): string =>
  Object.entries(identifierTargets).find(([, one]) => one === identifier)?.[0] ?? '';
const targetOf = ({ target }: FieldRule): string =>
  'attribute' in target ? target.attribute : nameOf(target.identifier);

/** What becomes of each rule of `field_mapping`, in the order of the file; of each identifier of a rule that fills several. */
export function outcomesOf(
  config: BrevoConfig,
  interaction: Interaction,
  totals: Totals,
  before: Readonly<Record<string, unknown>> | undefined,
): FieldOutcome[] {
  const given = new Map<Identifier, FieldRule>();
  const counted = config.sync.csat ? totals : { ...totals, lastCsatScore: undefined };
  const of = (source: FieldRule['source']) => sourceValue(source, interaction, counted as Totals);
  return config.field_mapping.flatMap((rule): FieldOutcome | FieldOutcome[] => {
    const result = transformed(rule.transforms, of(rule.source), of);
    if ('attribute' in rule.target) return ofAttribute(rule, rule.target.attribute, result, config, before);
    const found = identified(rule, result, interaction);
    if ('why' in found) return { rule, target: targetOf(rule), why: found.why };
    const { identifiers, value } = found;
    return identifiers.map((identifier): FieldOutcome => {
      const first = given.get(identifier);
      if (first) return { rule, target: nameOf(identifier), why: `is not needed: ${first.rule} has a value` };
      given.set(identifier, rule);
      return { rule, identifier, value, why: 'is sent' };
    });
  });
}

function ofAttribute(
  rule: FieldRule,
  attribute: string,
  result: { value: BrevoValue } | { why: string },
  { sync }: BrevoConfig,
  before: Readonly<Record<string, unknown>> | undefined,
): FieldOutcome {
  if (!sync.customers) return { rule, target: attribute, why: 'is not sent: sync.customers is false' };
  if ('why' in result)
    return rule.overwrite === 'always'
      ? {
          rule,
          attribute,
          value: '',
          why: `${result.why}, and overwrite is always: Brevo's value is emptied`,
        }
      : { rule, target: attribute, why: result.why };
  if (rule.overwrite === 'never') {
    if (before === undefined)
      return { rule, target: attribute, why: 'is sent where Brevo has no value: overwrite is never' };
    if ('value' in sendable(before[attribute]) || Array.isArray(before[attribute]))
      return { rule, target: attribute, why: 'is not sent: Brevo has a value, and overwrite is never' };
  }
  return { rule, attribute, value: result.value, why: 'is sent' };
}

const computedTypes: Readonly<Record<string, MappedAttribute['type']>> = {
  identity: 'text',
  friendly_name: 'text',
  preferred_channel: 'text',
  last_conversation_date: 'date',
  total_conversations: 'float',
  avg_wait_time: 'float',
  avg_talk_time: 'float',
  last_csat_score: 'float',
};

const transformTypes: Readonly<Record<string, MappedAttribute['type']>> = {
  'strip-channel': 'text',
  e164: 'text',
  lower: 'text',
  join: 'text',
  date: 'date',
  number: 'float',
  boolean: 'boolean',
};

export function attributesOf({ field_mapping, sync }: BrevoConfig): MappedAttribute[] {
  if (!sync.customers) return [];
  return field_mapping.flatMap(({ source, target, transforms }) => {
    if (!('attribute' in target)) return [];
    const last = transforms.findLast(({ kind }) => kind !== 'default');
    const type = last
      ? transformTypes[last.kind]
      : source.kind === 'computed'
        ? computedTypes[source.name]
        : undefined;
    return [{ name: target.attribute, ...(type && { type }) }];
  });
}

import { triggers } from '../../interaction.ts';
import { conditionValues } from './event-mapping.ts';
import { overwrites } from './field-mapping.ts';
import { type Field, fields } from './fields.ts';
import { plainTransforms } from './transforms.ts';

/** The JSON Schema of the connector's file, for editors: docs/brevo.schema.json. Contradictions are found when it is read. */
export function brevoSchema(): object {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Connector from Twilio Flex to Brevo',
    ...objectOf(fields),
    required: ['account_sid', 'consent'],
    $defs: parts,
  };
}

const closed = (properties: object, more: object = {}) => ({
  type: 'object',
  properties,
  additionalProperties: false,
  ...more,
});

/** Null leaves a key out, as in the file. */
const orNull = (type: string) => [type, 'null'];

function objectOf(table: Readonly<Record<string, Field>>): object {
  const properties = Object.entries(table).map(([key, field]) => [
    key,
    { description: field.means, ...('default' in field && { default: field.default }), ...typeOf(field) },
  ]);
  return closed(Object.fromEntries(properties));
}

function typeOf(field: Field): object {
  switch (field.kind) {
    case 'flag':
      return { type: orNull('boolean') };
    case 'whole':
      return { type: orNull('integer'), minimum: field.min, maximum: field.max };
    case 'number':
      return { type: orNull('number'), minimum: field.min, maximum: field.max };
    case 'choice':
      return { enum: [...field.values, null] };
    case 'choices':
      return { type: orNull('array'), items: { enum: [...field.values] }, minItems: 1, uniqueItems: true };
    case 'text':
      return { type: field.required ? 'string' : orNull('string'), pattern: field.shape.source };
    case 'group':
      return { ...objectOf(field.fields), type: orNull('object') };
    case 'consent':
      return { oneOf: [{ const: 'all' }, closed({ attribute: text }, { required: ['attribute'] })] };
    case 'field-mapping':
      return { type: orNull('object'), minProperties: 1, additionalProperties: part('fieldRule') };
    case 'event-mapping':
      return closed(Object.fromEntries(triggers.map((trigger) => [trigger, part('eventRules')])), {
        type: orNull('object'),
      });
  }
}

const text = { type: 'string', minLength: 1 };
const value = { type: ['string', 'number', 'boolean'] };
const target = { type: 'string', pattern: '^(email|ext_id|[A-Z][A-Z0-9_]{0,49})$' };
const oneOrMore = (item: object) => ({ oneOf: [item, { type: 'array', items: item, minItems: 1 }] });
const eventName = { type: 'string', pattern: '^[A-Za-z0-9_-]{1,255}$' };
const conditions = Object.entries(conditionValues).map(([key, values]) => {
  const { oneOf } = oneOrMore(values ? { enum: [...values] } : { ...text, maxLength: 255 });
  return [key, { oneOf: [...oneOf, closed({ not: { oneOf } }, { required: ['not'] })] }];
});

/** Forms that more than one place has. */
const parts = {
  transform: {
    oneOf: [
      { enum: [...plainTransforms] },
      closed({ e164: { type: 'string', pattern: '^[A-Z]{2}$' } }, { required: ['e164'] }),
      closed({ default: value }, { required: ['default'] }),
      closed(
        {
          join: { type: 'array', items: text, minItems: 1, maxItems: 8 },
          separator: { type: 'string', maxLength: 16 },
        },
        { required: ['join'] },
      ),
    ],
  },
  fieldRule: {
    oneOf: [
      target,
      closed(
        {
          to: target,
          transform: { oneOf: [part('transform'), { type: 'array', items: part('transform') }] },
          overwrite: { enum: [...overwrites] },
          default: value,
        },
        { required: ['to'] },
      ),
    ],
  },
  eventRule: {
    oneOf: [
      eventName,
      closed({ name: eventName, when: closed(Object.fromEntries(conditions)) }, { required: ['name'] }),
    ],
  },
  eventRules: {
    oneOf: [...oneOrMore(part('eventRule')).oneOf, { enum: [false, null] }],
  },
};

function part(name: 'transform' | 'fieldRule' | 'eventRule' | 'eventRules'): object {
  return { $ref: `#/$defs/${name}` };
}

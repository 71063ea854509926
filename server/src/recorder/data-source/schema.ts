import { type AnyField, advancedFields, fields } from './fields.ts';

/** The JSON Schema of data-source.yaml, for editors: docs/data-source.schema.json. Contradictions are found when it is read. */
export function dataSourceSchema(): object {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Data source of flex-custody',
    ...objectOf(fields),
  };
}

function objectOf(table: Readonly<Record<string, AnyField>>): object {
  const properties = Object.entries(table).map(([key, field]) => [
    key,
    { description: field.means, ...('default' in field && { default: field.default }), ...typeOf(field) },
  ]);
  return { type: 'object', properties: Object.fromEntries(properties), additionalProperties: false };
}

/** Null leaves a setting out, as in the file. */
function typeOf(field: AnyField): object {
  switch (field.kind) {
    case 'whole':
      return { type: ['integer', 'null'], minimum: field.min, maximum: field.max };
    case 'choice': {
      // YAML reads True without quotes as a boolean.
      const booleans = field === advancedFields.TwilioEnablePauseResume ? [true, false] : [];
      return { enum: [...field.values, ...booleans, null] };
    }
    case 'flag':
      return { type: ['boolean', 'null'] };
    case 'list':
      return {
        type: ['array', 'null'],
        items: { type: 'string', minLength: 1, maxLength: 128, pattern: '^[\\w.-]+$' },
        minItems: field.least,
        maxItems: field.most,
        uniqueItems: true,
      };
    case 'text':
      return { type: ['string', 'null'], minLength: field.min, maxLength: field.max };
    case 'secret':
      return { enum: ['set', 'unset', null] };
    case 'pairs':
      return objectOf(advancedFields);
  }
}

import { readFileSync } from 'node:fs';
import Ajv2020 from 'ajv/dist/2020.js';
import { parse } from 'yaml';
import { defaultEventMapping } from './event-mapping.ts';
import { defaultFieldMapping } from './field-mapping.ts';
import { type Field, fields } from './fields.ts';
import { readBrevoFile } from './file.ts';
import { brevoSchema } from './schema.ts';

const example = readFileSync('docs/brevo.example.yaml', 'utf8');
const page = readFileSync('docs/brevo.md', 'utf8');
const accountSid = `AC${'0123456789abcdef'.repeat(2)}`;
const all: [string, Field][] = Object.entries(fields).flatMap(([key, field]: [string, Field]) => [
  [key, field],
  ...(field.kind === 'group'
    ? Object.entries(field.fields).map(([inner, one]): [string, Field] => [`${key}.${inner}`, one])
    : []),
]);

test('docs/brevo.schema.json is the schema of the table', () => {
  expect(JSON.parse(readFileSync('docs/brevo.schema.json', 'utf8'))).toEqual(
    JSON.parse(JSON.stringify(brevoSchema())),
  );
});

test('the schema takes the example, and refuses what the reader refuses', () => {
  const validate = new Ajv2020({ allErrors: true, allowUnionTypes: true }).compile(brevoSchema());
  expect([validate(parse(example)), validate.errors]).toEqual([true, null]);
  const least = { account_sid: accountSid, consent: 'all' };
  expect(validate(least)).toBe(true);
  for (const wrong of [
    { consent: 'all' },
    { account_sid: accountSid },
    { ...least, plan: 'gold' },
    { ...least, channel: ['voice'] },
    { ...least, channels: [] },
    { ...least, settle_seconds: 1.5 },
    { ...least, lists: { support_contacts: 0 } },
    { ...least, consent: { attributes: 'x' } },
    { ...least, field_mapping: { 'attributes.email': 'Email' } },
    { ...least, field_mapping: { x: { to: 'X', transform: 'upper' } } },
    { ...least, event_mapping: { 'task.completed': 'RÉSOLU' } },
    { ...least, event_mapping: { 'task.ended': 'X' } },
    { ...least, event_mapping: { 'task.completed': { name: 'X', when: { channel: 'fax' } } } },
  ])
    expect([wrong, validate(wrong)]).toEqual([wrong, false]);
});

test('the example is read, shows every key, and holds the defaults', () => {
  expect(readBrevoFile(example, accountSid)).toHaveProperty('config');
  for (const [key, { means }] of all) {
    const name = key.split('.').at(-1) ?? '';
    expect(example).toMatch(new RegExp(`^ *#? ?${name}:`, 'm'));
    if (!key.endsWith('_mapping')) expect(example).toContain(`# ${means}\n`);
  }
  const { field_mapping, event_mapping } = parse(example);
  expect(field_mapping).toMatchObject(defaultFieldMapping);
  expect(event_mapping).toMatchObject(defaultEventMapping);
});

test('docs/brevo.md has each key with its values, default and meaning', () => {
  const rows = new Map(
    [...page.matchAll(/^\| `([\w.]+)` \| (.*?) \| (.*?) \| (.*) \|$/gm)].map(([, key, ...cells]) => [
      key,
      cells,
    ]),
  );
  for (const [key, field] of all) {
    if (field.kind === 'group') continue;
    expect([key, rows.get(key)]).toEqual([
      key,
      [
        'values' in field
          ? field.values.map((value) => `\`${value}\``).join(', ')
          : 'min' in field
            ? `${field.min} to ${field.max}`
            : expect.any(String),
        'default' in field ? `\`${field.default}\`` : expect.any(String),
        field.means,
      ],
    ]);
  }
});

test('docs/brevo.md shows the default mappings', () => {
  const shown = [...page.matchAll(/```yaml\n((?:field|event)_mapping:\n[\s\S]*?)```/g)].map(([, text]) =>
    parse(text!),
  );
  expect(shown).toContainEqual({ field_mapping: defaultFieldMapping });
  expect(shown).toContainEqual({ event_mapping: defaultEventMapping });
});

import { readFileSync } from 'node:fs';
import { advancedFields, fields, keys } from './fields.ts';
import { readSettings } from './read.ts';
import { dataSourceSchema } from './schema.ts';
import { readSettingsFile, settingsText } from './yaml.ts';

test('docs/data-source.schema.json is the schema of the table', () => {
  expect(JSON.parse(readFileSync('docs/data-source.schema.json', 'utf8'))).toEqual(dataSourceSchema());
});

test('the schema has the bounds of the table, and nothing beside it', () => {
  expect(dataSourceSchema()).toMatchObject({
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    additionalProperties: false,
    properties: {
      longHoldMinutes: { minimum: 1, maximum: 3_000, default: 30 },
      streamName: { minLength: 1, maxLength: 1_024 },
      secretAccessKey: { enum: ['set', 'unset', null] },
      redundantPair: { minItems: 2, maxItems: 2 },
      advanced: { additionalProperties: false, properties: { WEBSOCKET_TARGET_URL: {} } },
    },
  });
});

test('docs/recorder.md has each setting with its bounds, default and meaning', () => {
  const [, rest = ''] = readFileSync('docs/recorder.md', 'utf8').split('\n## Data source\n');
  const [page = ''] = rest.split('\n## ');
  const rows = new Map(
    [...page.matchAll(/^\| `([\w.]+)` \| (.*) \| (.*) \| (.*) \|$/gm)].map(([, key, ...cells]) => [
      key,
      cells,
    ]),
  );
  const all = [
    ...Object.entries(fields),
    ...Object.entries(advancedFields).map(([key, field]) => [`advanced.${key}`, field] as const),
  ].filter(([key]) => key !== 'advanced');
  for (const [key, field] of all) {
    const bounds =
      'values' in field && field.values.length < 3
        ? field.values.map((value) => `\`${value}\``).join(', ')
        : 'min' in field
          ? field.min === field.max
            ? `${field.min}`
            : `${field.min}–${field.max}`
          : undefined;
    expect([key, rows.get(key)]).toEqual([
      key,
      [
        bounds === undefined ? expect.any(String) : expect.stringContaining(bounds),
        'default' in field ? `\`${field.default}\`` : '',
        field.means.replaceAll('|', '\\|'),
      ],
    ]);
  }
  expect(rows.size).toBe(all.length);
});

test('the example is valid, and shows every setting', () => {
  const text = readFileSync('docs/data-source.example.yaml', 'utf8');
  const file = readSettingsFile(text);
  if (typeof file === 'string') throw new Error(file);
  expect(readSettings(file.given).faults).toEqual([]);
  for (const key of [...keys, ...Object.keys(advancedFields)])
    expect(text).toMatch(new RegExp(`^ *#? *${key}:`, 'm'));
});

test('what is exported is read the same', () => {
  const { settings } = readSettings({
    ...{ longCallMinutes: 61, tenant: 'yes: # no', redundantPair: ['a', '1'], server: '007' },
    advanced: { TwilioEnablePauseResume: 'True', WEBSOCKET_TARGET_URL: 'wss://a.example/x' },
  });
  const file = readSettingsFile(settingsText(settings));
  if (typeof file === 'string') throw new Error(file);
  expect(readSettings(file.given)).toMatchObject({ faults: [], settings });
});

import { readFileSync, writeFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { policyJsonSchema } from '../cli/policy.ts';
import { readPolicy, readPolicyFile } from './policy.ts';

const RE = `RE${'1'.repeat(32)}`;
const WT = `WT${'2'.repeat(32)}`;
const whole = `
version: 1
keep:
  default: 1825
  rules:
    - queue: [Sales, Support]
      direction: inbound
      days: 90
    - direction: internal
      days: forever
holds:
  - id: case-2026-17
    reason: the letter of 3 March
    recordings: [${RE}]
    tasks: [${WT}]
    callers: ["+49 (0)30 123 456-78"]
    from: 2026-01-01
    until: 2026-03-31
  - id: since-june
    from: 2026-06-01
`;

test('is read as it is written', () => {
  const { keep, holds, digest } = readPolicy(whole);
  expect(keep).toEqual({
    otherwise: 1825,
    rules: [
      {
        queues: ['Sales', 'Support'],
        queueKeys: ['sales', 'support'],
        directions: ['inbound'],
        days: 90,
      },
      { directions: ['internal'], days: 'forever' },
    ],
  });
  expect(holds).toEqual([
    {
      id: 'case-2026-17',
      recordings: new Set([RE]),
      tasks: new Set([WT]),
      callers: [{ number: '+493012345678', written: '+49 (0)30 123 456-78' }],
      range: { from: Date.UTC(2026, 0, 1), to: Date.UTC(2026, 3, 1) },
    },
    {
      id: 'since-june',
      recordings: new Set(),
      tasks: new Set(),
      callers: [],
      range: { from: Date.UTC(2026, 5, 1), to: Number.POSITIVE_INFINITY },
    },
  ]);
  expect(digest).toMatch(/^[0-9a-f]{64}$/);
  expect(readPolicy(`${whole}\n`).digest).not.toBe(digest);
});

test('what it does not say keeps all, and holds nothing', () => {
  expect(readPolicy('version: 1')).toMatchObject({ keep: { otherwise: 'forever', rules: [] }, holds: [] });
});

test.each([
  ['no YAML', 'version: [1', /not valid YAML \(line 1, column 12\)/],
  ['nothing', '', /version must be 1/],
  ['a newer file', 'version: 2', /needs the newer release/],
  [
    'a word that it does not know',
    'version: 1\nkeeps: {}',
    /^the policy file: the file has a field that no policy has \(line 2, column 1\)$/,
  ],
  ['a key twice', 'version: 1\nversion: 1', /a field appears twice \(line 2, column 1\)/],
  ['days below one', 'version: 1\nkeep: {default: 0}', /keep.default must be a number of days, or forever/],
  [
    'a rule for all',
    'version: 1\nkeep: {rules: [{days: 5}]}',
    /keep.rules.0 must name a queue or a direction/,
  ],
  [
    'an unknown direction',
    'version: 1\nkeep: {rules: [{direction: sideways, days: 5}]}',
    /keep.rules.0.direction/,
  ],
  ['a hold of nothing', 'version: 1\nholds: [{id: a, reason: b}]', /holds.0 holds nothing/],
  [
    'a SID that is none',
    'version: 1\nholds: [{id: a, recordings: [RE1]}]',
    /holds.0.recordings.0 must be RE/,
  ],
  [
    'a number that YAML took the + from',
    'version: 1\nholds: [{id: a, callers: [+4930123456]}]',
    /holds.0.callers.0/,
  ],
  [
    'a number without a country',
    'version: 1\nholds: [{id: a, callers: ["030 123456"]}]',
    /^the policy file: holds.0.callers.0 must be in international form with \+[^\n]*$/,
  ],
  [
    'a number that nobody can have',
    'version: 1\nholds: [{id: a, callers: ["+4930123456", "+49 30"]}]',
    /holds.0.callers.1/,
  ],
  [
    'a number with a digit too few',
    'version: 1\nholds: [{id: a, callers: ["+1 415 555 014"]}]',
    /holds.0.callers.0 is not a number that its country assigns/,
  ],
  [
    'a day that its month has not',
    'version: 1\nholds: [{id: a, from: 2026-02-30, until: 2026-02-31}]',
    /holds.0.from is not a day of the calendar \(line 2, column 23\)\n.*holds.0.until is not a day of the calendar/,
  ],
  [
    'the leap day of another year',
    'version: 1\nholds: [{id: a, until: 2025-02-29}]',
    /is not a day of the calendar/,
  ],
  [
    'a day beyond all months',
    'version: 1\nholds: [{id: a, until: 2026-13-41}]',
    /is not a day of the calendar/,
  ],
  ['a queue without a name', 'version: 1\nkeep: {rules: [{queue: " \u00a0", days: 5}]}', /queue is blank/],
  ['a day that is none', 'version: 1\nholds: [{id: a, from: 2026-02-30x}]', /holds.0.from must be a day/],
  [
    'a range that ends before it begins',
    'version: 1\nholds: [{id: a, from: 2026-02-02, until: 2026-02-01}]',
    /ends before/,
  ],
  [
    'an id twice',
    'version: 1\nholds: [{id: a, from: 2026-02-02}, {id: a, from: 2026-02-02}]',
    /holds must not name an id twice/,
  ],
])('refused: %s', (_what, text, says) => {
  const read = () => readPolicy(text);
  expect(read).toThrow(expect.objectContaining({ code: 'policy_invalid' }));
  expect(read).toThrow(says);
});

test.each(['030 1234567', '+1 1234567'])('a number never stands in an error', (number) => {
  const read = () => readPolicy(`version: 1\nholds: [{id: a, callers: ["${number}"]}]`);
  expect(read).toThrow('holds.0.callers.0');
  expect(read).not.toThrow('1234567');
});

test.each(['+49 (0)30 123456', '+49 30 123456', '+49.30/123-456', '+4930123456'])(
  '%s is one number, as it is compared',
  (written) => {
    const [hold] = readPolicy(`version: 1\nholds: [{id: a, callers: ["${written}"]}]`).holds;
    expect(hold?.callers).toEqual([{ number: '+4930123456', written }]);
  },
);

test.each(['+49 (0)0 123', '+49 (0)30', '0049 30 123456', '+49 (0)30 123456 ext 7', '+(0)30 123456'])(
  '%s is no number',
  (written) => {
    const read = () => readPolicy(`version: 1\nholds: [{id: a, callers: ["${written}"]}]`);
    expect(read).toThrow('holds.0.callers.0');
    expect(read).not.toThrow(written);
  },
);

describe('of a faulty policy nothing is printed', () => {
  const digits = '4930123456';
  const number = `"+49 30 123456 ${digits}"`;
  const plain = `+${digits}`;
  test.each([
    ['behind a tag', `version: 1\nholds: [{id: a, callers: !phone [${number}]}]`],
    ['behind a known tag', `version: 1\nholds: [{id: a, callers: !!binary ${number}}]`],
    ['as a field', `version: 1\nholds: [{id: a, ${number}: [1]}]`],
    ['as a field of the file', `version: 1\n${number}: 1`],
    ['as a field, twice', `version: 1\n${number}: 1\n${number}: 2`],
    ['as the file', `${plain}`],
    ['as a version', `version: ${digits}`],
    ['as days', `version: 1\nkeep: {default: ${digits}}`],
    ['as an id', `version: 1\nholds: [{id: ${number}, from: 2026-01-01}]`],
    ['as a day', `version: 1\nholds: [{id: a, from: ${number}}]`],
    ['as a recording', `version: 1\nholds: [{id: a, recordings: [${number}]}]`],
    ['as a direction', `version: 1\nkeep: {rules: [{direction: ${number}, days: 5}]}`],
    ['as a queue of a rule for nothing', `version: 1\nkeep: {rules: [{queue: [], days: ${number}}]}`],
    ['as an alias', `version: 1\nholds: *${digits}`],
    ['as an anchor, and an alias of another', `version: 1\nholds: &${digits} [*other]`],
    ['as a directive', `%YAML ${digits}\n---\nversion: 9`],
    ['as an escape', `version: "\\q${digits}"`],
    ['as a key that is a list', `version: 1\n? [${number}]\n: 1`],
    ['in a list where a map is due', `version: 1\nholds: {a: [${number}]}`],
    ['with wrong indents', `version: 1\nholds:\n  - id: a\n   callers: [${number}]`],
    ['behind a tab', `version: 1\nholds:\n\t- ${number}`],
    ['without its quotation mark', `version: 1\nholds: [{id: a, callers: ["${plain}]}]`],
    ['in a second document', `version: 1\n---\n${number}`],
    ['in a caller that is none', `version: 1\nholds: [{id: a, callers: [${number}, {a: ${plain}}]}]`],
    ['in a whole hold that is a text', `version: 1\nholds: ["id: a, callers: ${plain}"]`],
  ])('a number %s', (_where, text) => {
    const written: unknown[] = [];
    const keep = (...all: unknown[]) => {
      written.push(...all);
      return true;
    };
    const spies = [
      jest.spyOn(process, 'emitWarning').mockImplementation(keep),
      jest.spyOn(process.stderr, 'write').mockImplementation(keep),
      jest.spyOn(process.stdout, 'write').mockImplementation(keep),
      ...(['log', 'warn', 'error'] as const).map((way) => jest.spyOn(console, way).mockImplementation(keep)),
    ];
    let error: unknown;
    try {
      readPolicy(text);
    } catch (thrown) {
      error = thrown;
    } finally {
      for (const spy of spies) spy.mockRestore();
    }
    const said = inspect(error, { depth: 9 }).split('\n    at ')[0] ?? '';
    expect(error).toMatchObject({ code: 'policy_invalid' });
    for (const secret of text.match(/\d{3,}/g) ?? []) expect(said).not.toContain(secret);
    expect(said).not.toMatch(/49 30|\+49/);
    expect(written).toEqual([]);
  });

  test('a tag that YAML does not know changes nothing, and is not told of', () => {
    const warn = jest.spyOn(process, 'emitWarning');
    const [hold] = readPolicy('version: 1\nholds: [{id: a, callers: !phone ["+49 30 123456"]}]').holds;
    expect(hold?.callers).toEqual([{ number: '+4930123456', written: '+49 30 123456' }]);
    expect(warn).not.toHaveBeenCalled();
    warn.mockRestore();
  });
});

test('the leap day is a day', () => {
  const [hold] = readPolicy('version: 1\nholds: [{id: a, from: 2028-02-29, until: 2028-02-29}]').holds;
  expect(hold?.range).toEqual({ from: Date.UTC(2028, 1, 29), to: Date.UTC(2028, 2, 1) });
});

test('a file that is not there is no policy that keeps all', () => {
  expect(() => readPolicyFile('/nowhere/policy.yaml')).toThrow('/nowhere/policy.yaml does not exist');
});

test('docs/policy.schema.json is the schema that is checked by', () => {
  const text = `${JSON.stringify(policyJsonSchema(), undefined, 2)}\n`;
  const file = 'docs/policy.schema.json';
  if (process.env['UPDATE_SCHEMA']) writeFileSync(file, text);
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(JSON.parse(text));
});

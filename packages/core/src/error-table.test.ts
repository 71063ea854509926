import { readFileSync } from 'node:fs';
import { type ErrorRow, errorTable, isErrorCode } from './error-table.ts';

const page = readFileSync('docs/errors.md', 'utf8');
const rows = new Map(
  [...page.matchAll(/^\| `(\w+)` \| (\d+) \| (\w+) \| (.*?) \| (.*?) ?\|$/gm)].map(([, code, ...cells]) => [
    code,
    cells,
  ]),
);
const table: [string, ErrorRow][] = Object.entries(errorTable);

test.each(table)('docs/errors.md says of %s what the table says', (code, row) => {
  const [status, isRetryable, meaning, next = ''] = row;
  expect(rows.get(code)).toEqual([String(status), isRetryable ? 'yes' : 'no', meaning, next]);
});

test('docs/errors.md has each code once, and none that the table lacks', () => {
  const codes = [...page.matchAll(/^\| `(\w+)` \|/gm)].map(([, code]) => code);
  expect(codes.toSorted()).toEqual(Object.keys(errorTable).toSorted());
});

test('each status is one of an error, and a 429 or a 503 that passes by itself is retryable', () => {
  const never = table.filter(([, [status, isRetryable]]) => [429, 503].includes(status) && !isRetryable);
  expect(never.map(([code]) => code)).toEqual(['clock_differs', 'closing']);
  expect(table.filter(([, [status]]) => status < 400 || status > 599)).toEqual([]);
});

test('no row would break the page or a line of a terminal', () => {
  for (const [code, [, , ...texts]] of table)
    for (const text of texts) expect([code, text]).toEqual([code, expect.not.stringMatching(/[|\n]/)]);
});

test('a code of another release is no code here, whatever it is called', () => {
  expect(['of_another_release', 'constructor', '__proto__'].filter(isErrorCode)).toEqual([]);
});

import { readFileSync } from 'node:fs';
import { alarmTable, isAlarmCode, meaningOf } from './alarm-table.ts';

const page = readFileSync('docs/alarms.md', 'utf8');
const rows = new Map(
  [...page.matchAll(/^\| `(\w+)` \| (\w+) \| (.*) \| (.*) \| (.*) \| (.*) \|$/gm)].map(
    ([, code, ...cells]) => [code, cells],
  ),
);

test.each(Object.entries(alarmTable))('docs/alarms.md says of %s what the table says', (code, row) => {
  expect(rows.get(code)).toEqual([row.severity, row.meaning, row.next, row.raisedBy, row.resolvedBy]);
});

test('docs/alarms.md has no alarm that the table lacks', () => {
  expect([...rows.keys()].filter((code) => !isAlarmCode(code ?? ''))).toEqual([]);
});

test('no row would break the page or a line of a terminal', () => {
  for (const [code, row] of Object.entries(alarmTable))
    for (const text of [row.meaning, row.next, row.raisedBy, row.resolvedBy])
      expect([code, text]).toEqual([code, expect.not.stringMatching(/[|\n]/)]);
});

test('a code of another release has no meaning here, whatever it is called', () => {
  expect([meaningOf('of_another_release'), meaningOf('constructor')]).toEqual([undefined, undefined]);
});

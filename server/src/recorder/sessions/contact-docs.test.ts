import { readFileSync } from 'node:fs';
import { contactMarks, endReasons, noneExpectedReasons } from './contact.ts';
import { holdSources } from './facts/fact.ts';

const page = readFileSync('docs/recorder.md', 'utf8');

/** The first column of the table under a heading. */
const names = (heading: string): string[] => {
  const section = page.split(`### ${heading}\n`)[1]?.split('\n#')[0] ?? '';
  return [...section.matchAll(/^\| `([^`]+)` \|/gm)].map(([, name = '']) => name);
};

test.each([
  ['Why an interaction ended', endReasons],
  ['Holds and pauses', holdSources],
  ['When no recording is expected', noneExpectedReasons],
  ['Contact marks', contactMarks],
])('docs/recorder.md lists all under "%s"', (heading, known) => {
  expect(names(heading)).toEqual([...known]);
});

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const glossary = readFileSync('docs/glossary.md', 'utf8');
const terms = [...glossary.matchAll(/^\| \*\*(.+?)\*\* \|/gm)].map(([, term = '']) => term);

const under = (folder: string, ending: RegExp) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => ending.test(name) && name !== 'glossary.md')
    .map((name) => readFileSync(join(folder, name), 'utf8'));

const texts = [
  readFileSync('README.md', 'utf8'),
  ...under('docs', /\.md$/),
  ...under('server/src', /(?<!\.test)\.ts$/),
  ...under('packages', /(?<!\.test|\.d)\.ts$/),
].join('\n');

test('the glossary has each term once', () => {
  expect(terms.length).toBeGreaterThan(29);
  expect(terms).toEqual([...new Set(terms)]);
});

test.each(terms)('"%s" is in use', (term) => {
  // A name in code joins its words: OperatorApi.
  const pattern = new RegExp(`\\b${term.split(' ').join('[ -]?')}`, 'i');
  expect(texts).toMatch(pattern);
});

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

const pages = [
  'README.md',
  'SECURITY.md',
  ...readdirSync('docs')
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
];

/** What is neither example nor code. */
const prose = (page: string) => readFileSync(page, 'utf8').replace(/^```[\s\S]*?^```/gm, '');

/** A heading's name as GitHub gives it. */
const anchors = (page: string) =>
  [...prose(page).matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replace(/\s/g, '-'),
  );

/** Targets of links and pictures within this repository: [page, target]. */
const links = pages.flatMap((page) =>
  [
    ...prose(page)
      .replace(/`[^`\n]*`/g, '')
      .matchAll(/\]\(([^)\s]+)[^)]*\)/g),
  ]
    .map(([, target = '']) => target)
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => [page, target] as const),
);

test('there are links to prove', () => {
  expect(links.length).toBeGreaterThan(5);
});

test.each(links)('%s leads to %s', (page, target) => {
  const [path = '', anchor] = target.split('#');
  const file = path === '' ? page : join(dirname(page), path);
  expect(resolve(file).startsWith(`${resolve('.')}/`)).toBe(true);
  expect(existsSync(file)).toBe(true);
  if (anchor !== undefined) expect(anchors(file)).toContain(anchor);
});

test('no page lies in docs/ that nothing leads to', () => {
  const reached = new Set(links.map(([page, target]) => join(dirname(page), target.split('#')[0] ?? '')));
  expect(pages.filter((page) => !['README.md', 'SECURITY.md'].includes(page) && !reached.has(page))).toEqual(
    [],
  );
});

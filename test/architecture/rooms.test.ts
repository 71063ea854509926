import { readdirSync, readFileSync } from 'node:fs';
import { roleNames } from '../../server/src/config/roles.ts';

const page = readFileSync('docs/architecture.md', 'utf8');
const section = page.split('## Rooms of the server')[1]?.split('\n## ')[0] ?? '';

test('docs/architecture.md has a row for each folder of the server, and no other', () => {
  const folders = readdirSync('server/src', { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const rows = [...section.matchAll(/^\| `(\w+)\/` \|/gm)].map(([, name]) => name);
  expect(rows.sort()).toEqual(folders.map(({ name }) => name).sort());
});

test('docs/architecture.md names each role', () => {
  for (const role of roleNames) expect(section).toContain(`the role \`${role}\``);
});

test('every room that is built is in the list of rooms', () => {
  const folder = 'server/src/start/rooms';
  const built = readdirSync(folder)
    .filter((name) => !name.endsWith('.test.ts'))
    .filter((name) => /\): Room\b/.test(readFileSync(`${folder}/${name}`, 'utf8')));
  const list = readFileSync(`${folder}/index.ts`, 'utf8');
  expect(built.length).toBeGreaterThan(3);
  expect(built.filter((name) => !list.includes(`from './${name}'`))).toEqual([]);
});

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What puts rooms together; every other file asks for the interfaces of the catalog that it uses. */
const composing = ['start/', 'cli/', 'catalog/'];

test('only what puts rooms together asks for the whole catalog', () => {
  const root = join(process.cwd(), 'server/src');
  const askers = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(
    (file) =>
      file.endsWith('.ts') &&
      !/\.test\.ts$|testing\//.test(file) &&
      /from '[./]+catalog\/catalog\.ts'|from '\.\/catalog\.ts'/.test(readFileSync(join(root, file), 'utf8')),
  );
  expect(askers).toContain('start/host-deps.ts');
  expect(askers.filter((file) => !composing.some((room) => file.startsWith(room)))).toEqual([]);
});

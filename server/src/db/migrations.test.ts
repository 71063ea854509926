import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { migrations } from './migrations/index.ts';

const folder = join(__dirname, 'migrations');
const files = readdirSync(folder).filter((name) => /^\d/.test(name));

test('each file is in the list, at the place that its number says', async () => {
  const written = files.sort().map(async (name) => {
    const module: Record<string, unknown> = await import(join(folder, name));
    return Object.values(module)[0];
  });
  expect(migrations).toEqual(await Promise.all(written));
  expect(files.map((name) => Number(name.slice(0, 3)))).toEqual(migrations.map((_, at) => at + 1));
});

import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

const licence = 'Apache-2.0';

const manifests = ['.', ...['packages', 'server', 'sandbox', 'plugin-recording', 'plugin-veridas', 'test']]
  .flatMap((folder) =>
    folder === '.'
      ? ['package.json']
      : readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
  )
  .filter((name) => basename(name) === 'package.json' && !/node_modules|\/(build|output)\//.test(name));

const read = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;

test('LICENSE is the whole text of the Apache License 2.0, in the name of the contributors', () => {
  const text = readFileSync('LICENSE', 'utf8');
  expect(text).toMatch(/^\s+Apache License\n\s+Version 2\.0, January 2004\n/);
  for (const section of ['1. Definitions.', '9. Accepting Warranty or Additional Liability.', 'END OF TERMS'])
    expect(text).toContain(section);
  expect(text).toContain('Copyright 2026 flex-custody contributors');
});

test('there are manifests of all parts', () => {
  expect(manifests.length).toBeGreaterThanOrEqual(9);
});

test.each(manifests)('%s says the same', (path) => {
  expect(read(path)['license']).toBe(licence);
});

test.each(['.', 'plugin-recording', 'plugin-veridas'])(
  'the lock file of %s says the same of ours',
  (folder) => {
    const { packages } = read(join(folder, 'package-lock.json')) as {
      packages: Record<string, { license?: string }>;
    };
    const ours = Object.entries(packages).filter(([path]) => !path.includes('node_modules'));
    expect(ours.map(([path, { license }]) => [path, license])).toEqual(ours.map(([path]) => [path, licence]));
  },
);

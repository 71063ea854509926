import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

const roots = [
  'packages/core/src',
  'packages/net/src',
  'packages/twilio/src',
  'packages/vault/src',
  'server/src',
  'functions',
  'sandbox/src',
  'plugin-recording/src',
  'plugin-veridas/src',
];

type Graph = ReadonlyMap<string, readonly string[]>;

/** Every source file with the files that it imports, types and lazy imports included. */
function importsOf(folders: readonly string[]): Graph {
  const files = folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.tsx?$/.test(name) && !/node_modules/.test(name))
      .map((name) => join(folder, name)),
  );
  const known = new Set(files);
  const named = /(?:from|import|import\()\s*'(\.[^']+)'/g;
  return new Map(
    files.map((file) => {
      const text = readFileSync(file, 'utf8');
      const targets = [...text.matchAll(named)].map(([, name = '']) => normalize(join(dirname(file), name)));
      const found = targets.flatMap((target) =>
        [target, `${target}.ts`, `${target}.tsx`].filter((one) => known.has(one)).slice(0, 1),
      );
      return [file, found];
    }),
  );
}

/** Some circle of each group of files that import each other, the first file at both ends. */
function circlesIn(graph: Graph): string[][] {
  const done = new Set<string>();
  const circles: string[][] = [];
  const visit = (file: string, path: readonly string[]): void => {
    const at = path.indexOf(file);
    if (at >= 0) {
      circles.push([...path.slice(at), file]);
      return;
    }
    if (done.has(file)) return;
    for (const target of graph.get(file) ?? []) visit(target, [...path, file]);
    done.add(file);
  };
  for (const file of graph.keys()) visit(file, []);
  return circles;
}

test('a circle is seen, however long it is', () => {
  const graph = new Map([
    ['a', ['b', 'd']],
    ['b', ['c']],
    ['c', ['a']],
    ['d', ['d']],
    ['e', ['a']],
  ]);
  expect(circlesIn(graph)).toEqual([
    ['a', 'b', 'c', 'a'],
    ['d', 'd'],
  ]);
  expect(circlesIn(new Map([['a', ['b']]]))).toEqual([]);
});

test('no file imports itself by way of others', () => {
  const graph = importsOf(roots);
  expect(graph.size).toBeGreaterThan(500);
  expect([...graph.values()].flat().length).toBeGreaterThan(2_000);
  expect(circlesIn(graph).map((circle) => circle.join(' → '))).toEqual([]);
});

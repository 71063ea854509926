import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';

/**
 * Imports run one way, types included: a room may import rooms of lower floors, and nothing of its own floor but itself.
 * `playback` sits above its floor-mates because it asks `access` for every right.
 */
const floors: readonly (readonly string[])[] = [
  ['server/src/start', 'server/src/cli'],
  ['server/src/http'],
  ['server/src/ingest', 'server/src/recorder', 'server/src/connectors'],
  ['server/src/playback'],
  ['server/src/access', 'server/src/retention'],
  ['server/src/events', 'server/src/catalog', 'server/src/queue', 'server/src/secrets'],
  ['server/src/twilio', 'server/src/db', 'server/src/config', 'server/src/log', 'server/src/metrics'],
  ['packages/vault'],
  ['packages/core'],
];

/** What stands outside the server's floors, with all it may import. */
const outside: Readonly<Record<string, readonly string[]>> = {
  functions: ['functions', 'packages/vault', 'packages/core'],
  sandbox: ['sandbox', 'packages/vault', 'packages/core'],
};

const root = process.cwd();
const workspaces: Readonly<Record<string, string>> = {
  '@flex-custody/core': 'packages/core/src/index.ts',
  '@flex-custody/vault': 'packages/vault/src/index.ts',
};

function sources(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter(
      (name) => name.endsWith('.ts') && !name.includes('node_modules') && !/\.(test|d)\.ts$/.test(name),
    );
}

/** Every relative or workspace module that `file` names, types and lazy imports too, as a path from the root. */
function importsOf(file: string, text: string): string[] {
  const names = [...text.matchAll(/(?:from|import|import\()\s*'([^']+)'/g)].map((match) => match[1] ?? '');
  return names.flatMap((name) => {
    if (name.startsWith('.')) return [normalize(join(dirname(file), name))];
    const workspace = Object.keys(workspaces).find((key) => name === key || name.startsWith(`${key}/`));
    return workspace ? [workspaces[workspace] ?? ''] : [];
  });
}

const within = (file: string, room: string) => file === `${room}.ts` || file.startsWith(`${room}/`);
const floorOf = (file: string) => floors.findIndex((rooms) => rooms.some((room) => within(file, room)));
const roomOf = (file: string) => floors.flat().find((room) => within(file, room));

function mayImport(from: string, to: string): boolean {
  const top = Object.keys(outside).find((room) => within(from, room));
  if (top) return (outside[top] ?? []).some((room) => within(to, room));
  return roomOf(from) === roomOf(to) || (floorOf(to) > floorOf(from) && roomOf(to) !== undefined);
}

// The ground floor's single files are one room for each other: configuration, database, log and metrics.
const ground = floors[6] ?? [];
const sameGround = (from: string, to: string) =>
  ground.some((room) => within(from, room)) && ground.some((room) => within(to, room));

const files = ['packages', 'server/src', 'functions', 'sandbox/src'].flatMap(sources);

test('the rule can fail', () => {
  expect(mayImport('server/src/catalog/catalog.ts', 'server/src/ingest/index.ts')).toBe(false);
  expect(mayImport('server/src/access/may.ts', 'server/src/playback/media-link.ts')).toBe(false);
  expect(mayImport('packages/core/src/x.ts', 'packages/vault/src/index.ts')).toBe(false);
  expect(mayImport('functions/x.ts', 'server/src/config.ts')).toBe(false);
  expect(mayImport('sandbox/src/x.ts', 'server/src/config.ts')).toBe(false);
  expect(
    importsOf('server/src/a/b.ts', "import type { X } from '../c/d.ts';\nawait import('../e.ts')"),
  ).toEqual(['server/src/c/d.ts', 'server/src/e.ts']);
});

test('every file of the server stands on a floor', () => {
  const homeless = files.filter(
    (file) => !file.startsWith('functions') && !file.startsWith('sandbox') && floorOf(file) < 0,
  );
  expect(homeless.filter((file) => file !== 'server/src/migrations.ts')).toEqual([]);
});

test('imports run one way', () => {
  const wrong = files.flatMap((file) =>
    importsOf(file, readFileSync(join(root, file), 'utf8'))
      .filter((target) => !mayImport(file, target) && !sameGround(file, target))
      .map((target) => `${file} → ${relative('.', target)}`),
  );
  expect(wrong).toEqual([]);
});

test('the core needs nothing: no package and no Node API', () => {
  const foreign = sources('packages/core').flatMap((file) =>
    [...readFileSync(join(root, file), 'utf8').matchAll(/from '([^'.][^']*)'/g)].map(
      (match) => `${file}: ${match[1]}`,
    ),
  );
  expect(foreign).toEqual([]);
});

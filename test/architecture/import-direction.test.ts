import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';

/**
 * Imports run one way, types included: a room may import itself and rooms of lower floors. Rooms that share a floor know
 * nothing of each other, but for the top (entry points) and the ground (configuration, database), which are one.
 * `playback` sits above its floor-mates because it asks `access` for every right.
 */
const top = ['server/src/start', 'server/src/cli'];
const ground = ['db', 'config', 'log', 'metrics'].map((room) => `server/src/${room}`);
const floors: readonly (readonly string[])[] = [
  top,
  ['server/src/http'],
  ['server/src/connectors'],
  ['server/src/ingest', 'server/src/recorder'],
  ['server/src/playback'],
  ['server/src/access', 'server/src/retention'],
  ['server/src/events'],
  ['server/src/room', 'server/src/dead-jobs'],
  ['server/src/alarms'],
  ['server/src/catalog', 'server/src/custody', 'server/src/queue', 'server/src/runs', 'server/src/audio'],
  ['server/src/secrets', 'server/src/signing'],
  ground,
  ['packages/vault', 'packages/twilio'],
  ['packages/net'],
  ['packages/core'],
];

/** What stands outside the server's floors, with all it may import. */
const outside: Readonly<Record<string, readonly string[]>> = {
  functions: ['functions', 'packages/twilio', 'packages/vault', 'packages/net', 'packages/core'],
  sandbox: ['sandbox', 'packages/vault', 'packages/net', 'packages/core'],
};

const root = process.cwd();
const workspaces: Readonly<Record<string, string>> = {
  '@flex-custody/core': 'packages/core/src/index.ts',
  '@flex-custody/net': 'packages/net/src/index.ts',
  '@flex-custody/twilio': 'packages/twilio/src/index.ts',
  '@flex-custody/vault': 'packages/vault/src/index.ts',
};

function sources(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((name) => name.endsWith('.ts') && !/node_modules|\/testing\/|\.(test|d)\.ts$/.test(name));
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
  const guest = Object.keys(outside).find((room) => within(from, room));
  if (guest) return (outside[guest] ?? []).some((room) => within(to, room));
  const sharesFloor = [top, ground].some((floor) =>
    [from, to].every((file) => floor.some((room) => within(file, room))),
  );
  return (
    roomOf(from) === roomOf(to) || sharesFloor || (floorOf(to) > floorOf(from) && roomOf(to) !== undefined)
  );
}

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
  expect(homeless).toEqual([]);
});

test('imports run one way', () => {
  const wrong = files.flatMap((file) =>
    importsOf(file, readFileSync(join(root, file), 'utf8'))
      .filter((target) => target.endsWith('.ts') && !mayImport(file, target))
      .map((target) => `${file} → ${relative('.', target)}`),
  );
  expect(wrong).toEqual([]);
});

/** The wings of `ingest`, the lowest first: each may import itself, those before it, and what lies in the room itself. */
const wings = ['link', 'intake', 'copy', 'verify', 'upkeep'].map((wing) => `server/src/ingest/${wing}`);

/** What puts the wings together. */
const roof = ['index', 'run-jobs'].map((name) => `server/src/ingest/${name}.ts`);

test('the wings of ingest stack without a way back', () => {
  const heightOf = (file: string) => wings.findIndex((wing) => within(file, wing));
  const wrong = files
    .filter((file) => file.startsWith('server/src/ingest/') && !roof.includes(file))
    .flatMap((file) =>
      importsOf(file, readFileSync(join(root, file), 'utf8'))
        .filter((target) => heightOf(target) > heightOf(file))
        .map((target) => `${file} → ${target}`),
    );
  expect(wrong).toEqual([]);
  expect(new Set(files.map(heightOf)).size).toBe(wings.length + 1);
});

test('the core needs nothing: no package and no Node API', () => {
  const foreign = sources('packages/core').flatMap((file) =>
    [...readFileSync(join(root, file), 'utf8').matchAll(/from '([^'.][^']*)'/g)].map(
      (match) => `${file}: ${match[1]}`,
    ),
  );
  expect(foreign).toEqual([]);
});

test.each(['plugin-recording', 'plugin-veridas'])(
  '%s needs the core and what Flex has, and no other room',
  (plugin) => {
    const theirs = /^(@twilio\/flex-(ui|plugin)|@twilio-paste\/|react$|react-dom$)/;
    const foreign = readdirSync(join(root, plugin, 'src'), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.tsx?$/.test(name) && !/\.test\.ts$/.test(name))
      .flatMap((name) => {
        const file = join(plugin, 'src', name);
        const text = readFileSync(join(root, file), 'utf8');
        return [...text.matchAll(/(?:from|import|import\()\s*'([@.\w/-]+)'/g)]
          .map((match) => match[1] ?? '')
          .filter((target) =>
            target.startsWith('.')
              ? !normalize(join(dirname(file), target)).startsWith(`${plugin}/`)
              : target !== '@flex-custody/core' && !theirs.test(target),
          )
          .map((target) => `${file} → ${target}`);
      });
    expect(foreign).toEqual([]);
  },
);

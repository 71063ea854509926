/**
 * Bundles what runs outside the tests: the Functions (CommonJS, as Twilio's runtime loads them), the server and the
 * sandbox (ES modules). `--functions` builds only what Twilio is to be given.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = dirname(fileURLToPath(import.meta.url));
process.chdir(root);

const workspaces = {
  '@flex-custody/core': join(root, 'packages/core/src/index.ts'),
  '@flex-custody/net': join(root, 'packages/net/src/index.ts'),
  '@flex-custody/twilio': join(root, 'packages/twilio/src/index.ts'),
  '@flex-custody/vault': join(root, 'packages/vault/src/index.ts'),
};
const shared = {
  absWorkingDir: root,
  alias: workspaces,
  bundle: true,
  platform: 'node',
  target: 'node20',
  charset: 'utf8',
  legalComments: 'none',
  logLevel: 'error',
  // Written below, whole and only where changed: builds may run side by side, beside what runs from dist/.
  write: false,
};

/** Every file of functions/ but lib/ is one URL; what the manifest does not install is bundled. */
function functionsBuild() {
  const manifest = JSON.parse(readFileSync('package.json', 'utf8'));
  return {
    ...shared,
    entryPoints: readdirSync('functions')
      .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts') && !name.endsWith('.d.ts'))
      .map((name) => join('functions', name)),
    outbase: 'functions',
    outdir: join(root, 'dist/functions'),
    format: 'cjs',
    // A package's UMD file hides what it requires from the bundler.
    mainFields: ['module', 'main'],
    external: Object.keys(manifest.dependencies),
  };
}

/** The SDK has no `exports`: a part of it is a file, which an ES module must name by its whole name. */
const twilioParts = {
  name: 'twilio-parts',
  setup({ onResolve }) {
    onResolve({ filter: /^twilio\/lib\// }, ({ path }) => ({
      path: path.endsWith('.js') ? path : `${path}.js`,
      external: true,
    }));
  },
};

const hostBuild = (entries, outdir) => ({
  ...shared,
  entryPoints: entries,
  outdir: join(root, outdir),
  format: 'esm',
  packages: 'external',
  // What is imported late stays late: a process that only answers requests loads no embedded database.
  splitting: true,
  plugins: [twilioParts],
  sourcemap: 'linked',
});

const benchEntries = Object.fromEntries(
  [
    'main',
    'source',
    'copy-ours',
    'events-reader',
    'prove-ours',
    'ingest-source',
    'ingest-copier',
    'growth-worker',
  ].map((name) => [name, `test/bench/src/${name}.ts`]),
);

const folders = [
  ['dist/functions', functionsBuild()],
  ...(process.argv.includes('--functions')
    ? []
    : [
        [
          'dist/server',
          hostBuild({ main: 'server/src/start/main.ts', cli: 'server/src/cli/main.ts' }, 'dist/server'),
        ],
        ['dist/sandbox', hostBuild({ stack: 'sandbox/src/stack/main.ts' }, 'dist/sandbox')],
      ]),
  ...(process.argv.includes('--bench') ? [['dist/bench', hostBuild(benchEntries, 'dist/bench')]] : []),
  ...(process.argv.includes('--faults')
    ? [['dist/faults', hostBuild({ main: 'test/faults/src/main.ts' }, 'dist/faults')]]
    : []),
];

await Promise.all(
  folders.map(async ([folder, options]) => {
    const { outputFiles } = await build(options);
    mkdirSync(folder, { recursive: true });
    if (options.format === 'esm') outputFiles.push(moduleMark(folder));
    for (const { path, contents } of inOrder(outputFiles)) writeWhole(path, contents);
    const built = new Set(outputFiles.map(({ path }) => relative(join(root, folder), path)));
    // A Function that was removed from the source must not stay deployable; elsewhere a process may still read the old file.
    if (folder !== 'dist/functions') return;
    for (const name of readdirSync(folder)) {
      if (!built.has(name) && !name.endsWith('.new'))
        rmSync(join(folder, name), { recursive: true, force: true });
    }
  }),
).catch((error) => {
  process.stderr.write(`build: ${error.message}\n`);
  process.exit(1);
});

/** Shared chunks before the files that import them: a process may start from this folder at any moment. */
function inOrder(files) {
  const isPart = ({ path }) => /-[0-9A-Z]{8}\.js(\.map)?$|package\.json$/.test(path);
  return [...files.filter(isPart), ...files.filter((file) => !isPart(file))];
}

/** The root is CommonJS, as Twilio's runtime wants it; this folder is not. */
function moduleMark(folder) {
  return { path: join(root, folder, 'package.json'), contents: Buffer.from('{ "type": "module" }\n') };
}

function writeWhole(path, contents) {
  try {
    if (Buffer.compare(readFileSync(path), contents) === 0) return;
  } catch {
    // Not there yet.
  }
  const fresh = `${path}.${process.pid}.new`;
  writeFileSync(fresh, contents);
  renameSync(fresh, path);
}

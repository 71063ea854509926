import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createBundle } from './bundle.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'bundle-'));
});
afterEach(() => rmSync(root, { recursive: true }));

function put(path: string, text: string, agoSeconds = 0): void {
  const file = join(root, path);
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, text);
  const at = Date.now() / 1000 - agoSeconds;
  utimesSync(file, at, at);
}

test('offers the plugins that are built, and is ready once Flex UI is there', async () => {
  put('plugin-b/build/plugin-b.js', 'b');
  const bundle = createBundle({ root, plugins: ['plugin-a', 'plugin-b'], build: false });
  await bundle.whenReady();
  expect(bundle.ready()).toBe(false);
  put('dist/flex/flex-ui.js', 'flex');
  expect([bundle.ready(), bundle.plugins().map(({ name }) => name)]).toEqual([true, ['plugin-b']]);
});

test('builds what is older than its sources, and says what has failed', async () => {
  for (const name of ['plugins.mjs', 'prepare.mjs']) copyFileSync(name, join(root, name));
  const npm = (name: string, script: string) => {
    put(`${name}/package.json`, JSON.stringify({ name, scripts: { build: script } }), 60);
    put(`${name}/package-lock.json`, '{}', 60);
    put(`${name}/webpack.config.js`, '', 60);
    put(`${name}/node_modules/.package-lock.json`, '{}', 50);
    put(`${name}/build/${name}.js`, 'old', 30);
  };
  put('dist/flex/flex-ui.js', 'flex');
  npm('plugin-a', "node -e \"require('fs').writeFileSync('build/plugin-a.js', 'new')\"");
  put('plugin-a/src/index.ts', 'changed');
  npm('plugin-b', 'exit 1');
  put('plugin-b/src/index.ts', 'unchanged', 60);
  utimesSync(join(root, 'plugin-b/src'), Date.now() / 1000 - 60, Date.now() / 1000 - 60);
  npm('plugin-c', 'node -e "console.error(\'no such module\'); process.exit(1)"');
  put('plugin-c/src/index.ts', 'changed');
  const bundle = createBundle({ root, plugins: ['plugin-a', 'plugin-b', 'plugin-c'], build: true });
  await bundle.whenReady();
  expect(bundle.steps()).toMatchObject([
    { what: 'Preparing plugin-a', state: 'done' },
    { what: 'Preparing plugin-b', state: 'done', said: 'plugin-b: ready' },
    { what: 'Preparing plugin-c', state: 'failed' },
    { state: 'done' },
  ]);
  expect(readFileSync(join(root, 'plugin-a/build/plugin-a.js'), 'utf8')).toBe('new');
  expect(readFileSync(join(root, 'plugin-b/build/plugin-b.js'), 'utf8')).toBe('old');
  expect(bundle.ready()).toBe(true);
});

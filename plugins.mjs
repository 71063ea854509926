/**
 * `npm run plugins`: installs and builds the Flex plugins, or those that are named, where their build is older than what
 * it is made of. Each is a folder of its own with a lock file of its own, as Twilio's builder wants it. One line of
 * progress a step; the first install takes some minutes and 1 GB a plugin.
 */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { join } from 'node:path';
import { checkDisk, checkNode, give, root } from './prepare.mjs';

const command = 'npm run plugins';
const named = process.argv.slice(2);
const plugins = named.length > 0 ? named : ['plugin-recording', 'plugin-veridas'];
/** Bytes of one plugin's packages. */
const installedBytes = 1e9;

checkNode(command);
// Each has a folder of its own, and waits for the registry more than it works.
await Promise.all(plugins.map(makeReady));

async function makeReady(plugin) {
  const folder = join(root, plugin);
  const lock = join(folder, 'package-lock.json');
  if (changedAt(join(folder, 'node_modules/.package-lock.json')) < changedAt(lock)) {
    checkDisk(command, installedBytes);
    await run(plugin, 'installing its packages (some minutes, once)', ['ci', '--no-audit', '--no-fund']);
  }
  const bundle = join(folder, 'build', `${plugin}.js`);
  if (changedAt(bundle) < newest(plugin)) await run(plugin, 'building', ['run', 'build']);
  process.stdout.write(`${plugin}: ready\n`);
}

/** When what the bundle is made of last changed, ms. */
function newest(plugin) {
  const files = [
    `${plugin}/src`,
    `${plugin}/package-lock.json`,
    `${plugin}/webpack.config.js`,
    'packages/core/src',
  ];
  return Math.max(
    ...files.flatMap((name) => {
      const path = join(root, name);
      if (!fs.existsSync(path)) return [];
      const below = fs.statSync(path).isDirectory() ? fs.readdirSync(path, { recursive: true }) : [];
      return [path, ...below.map((one) => join(path, one))].map(changedAt);
    }),
  );
}

function changedAt(path) {
  return fs.statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** What npm has to say is for whom it fails. A test's NODE_ENV would make the builder build for tests. */
function run(plugin, what, args) {
  process.stdout.write(`${plugin}: ${what}\n`);
  const npm = process.env.npm_execpath;
  const [program, first] = npm ? [process.execPath, [npm]] : ['npm', []];
  const { NODE_ENV: _mode, NODE_OPTIONS: _options, ...env } = process.env;
  return new Promise((resolve) => {
    const child = spawn(program, [...first, ...args], {
      cwd: join(root, plugin),
      env: { ...env, CI: 'true' },
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (text) => {
        said = (said + text).slice(-8000);
      });
    }
    child.once('error', (error) => failed(error.message));
    child.once('close', (status) => (status === 0 ? resolve() : failed(said)));
    const failed = (text) =>
      give(
        `${text}\n${plugin}: ${what} failed; npm's output is above.\nNext step: fix that, then \`${command}\` again.`,
      );
  });
}

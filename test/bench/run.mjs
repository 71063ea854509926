/** `npm run bench`: installs the peers beside it on first use, builds, measures. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '../..');
process.chdir(root);
const run = (command, args, cwd) => {
  const { status } = spawnSync(command, args, { cwd, stdio: ['ignore', 2, 2] });
  if (status !== 0) process.exit(status ?? 1);
};
const install = ['ci', '--no-audit', '--no-fund'];
if (!existsSync(join(root, 'node_modules'))) run('npm', install, root);
if (!existsSync(join(here, 'node_modules'))) run('npm', [...install, '--no-workspaces'], here);
run(process.execPath, ['build.mjs', '--bench'], root);
await import(pathToFileURL(join(root, 'dist/bench/main.js')).href);

/** `npm run faults`: prepares a fresh machine, builds, and lets things go wrong. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { prepare, root } from '../../prepare.mjs';

prepare('npm run faults');
const { status } = spawnSync(process.execPath, ['build.mjs', '--faults'], {
  cwd: root,
  stdio: ['ignore', 2, 2],
});
if (status !== 0) process.exit(status ?? 1);
await import(pathToFileURL(join(root, 'dist/faults/main.js')).href);

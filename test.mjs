/** `npm test`: prepares a fresh machine, builds what the tests start as processes, and runs them all. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { build, prepare, root } from './prepare.mjs';

const command = 'npm test';
prepare(command);
build(command);
const { status } = spawnSync(
  process.execPath,
  [join(root, 'node_modules/jest/bin/jest.js'), ...process.argv.slice(2)],
  { cwd: root, stdio: 'inherit' },
);
process.exit(status ?? 1);

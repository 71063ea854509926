/** `npm start`: prepares a fresh machine, builds, and brings up the local stack. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, checkPorts, prepare, refuseSecond, root } from './prepare.mjs';

const command = 'npm start';
prepare(command);
if (!process.argv.some((flag) => flag === '-h' || flag === '--help')) {
  await refuseSecond();
  await checkPorts(
    [
      ['SANDBOX_PORT', 4000],
      ['PORT', 4100],
      ['FUNCTIONS_PORT', 4200],
    ],
    command,
  );
}
build(command);
await import(pathToFileURL(join(root, 'dist/sandbox/stack.js')).href);

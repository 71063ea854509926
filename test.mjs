/**
 * `npm test`: prepares a fresh machine, builds what the tests start as processes, starts the real engines that are
 * installed here and not named by the environment, and runs all tests.
 */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, prepare, root } from './prepare.mjs';
import { createEngines, isInstalled, radosgwUser } from './test/engines/engines.mjs';

const command = 'npm test';
prepare(command);
build(command);

const folder = fs.mkdtempSync(join(tmpdir(), 'custody-test-'));
// The engines run as nobody where we are root, who must be able to pass through.
fs.chmodSync(folder, 0o755);
const engines = createEngines(join(folder, 'engines'));
let jest;

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  // Ours to end in order: first who uses the engines, then the engines.
  process.on(signal, () => {
    if (jest) jest.kill(signal);
    else end(128 + constants.signals[signal]);
  });
}

const env = { ...process.env };
await Promise.all([
  start('radosgw', 'TEST_S3_ENDPOINT', {
    TEST_S3_ACCESS_KEY_ID: radosgwUser.accessKeyId,
    TEST_S3_SECRET_ACCESS_KEY: radosgwUser.secretAccessKey,
  }),
  start('postgresql', 'TEST_DATABASE_URL', {}),
]);
jest = spawn(process.execPath, [join(root, 'node_modules/jest/bin/jest.js'), ...process.argv.slice(2)], {
  cwd: root,
  env,
  stdio: 'inherit',
});
jest.once('exit', (status, signal) => end(status ?? 128 + constants.signals[signal]));

/** Where an engine cannot be had its suites are skipped, by name, and the rest is tested all the same. */
async function start(name, variable, more) {
  if (env[variable] || !isInstalled(name)) return;
  process.stderr.write(`Starting ${name} for the tests (${variable} is not set)\n`);
  try {
    Object.assign(env, more, { [variable]: await engines.start(name) });
  } catch (error) {
    process.stderr.write(`${name} did not start, so what needs it is skipped: ${error.message}\n`);
  }
}

function end(status) {
  engines.stop();
  fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  process.exit(status);
}

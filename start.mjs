/**
 * `npm start`: looks after what a fresh machine lacks, builds, and brings up the local stack. It uses nothing but Node,
 * and no syntax that an old one would stumble over before it can say that it is too old.
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = dirname(fileURLToPath(import.meta.url));
process.chdir(root);

const give = (text) => {
  process.stderr.write(`${text}\n`);
  process.exit(1);
};

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 12)) {
  give(
    `This needs Node 20.12 or newer; it runs on ${process.versions.node}.\nNext step: install a newer one, from https://nodejs.org or by \`nvm install 22\`, and run \`npm start\` again.`,
  );
}

if (!['-h', '--help'].some((flag) => process.argv.includes(flag))) {
  checkDisk();
  install();
  await checkPorts();
}
run('build', process.execPath, ['build.mjs']);
// The SDK's word on next year's Node is for whoever updates it, not for whoever tries this out.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
await import(pathToFileURL(join(root, 'dist/sandbox/stack.js')).href);

function checkDisk() {
  const { bavail, bsize } = fs.statfsSync(root);
  if (bavail * bsize >= 1e9) return;
  give(
    `Only ${Math.floor((bavail * bsize) / 1e6)} MB are free on the disk of ${root}; the local stack wants 1 GB.\nNext step: make room there, and run \`npm start\` again.`,
  );
}

/** Again where the lock file is newer than what was installed by it: somebody pulled. */
function install() {
  const installed = join(root, 'node_modules/.package-lock.json');
  const wanted = join(root, 'package-lock.json');
  if (fs.existsSync(installed) && fs.statSync(installed).mtimeMs >= fs.statSync(wanted).mtimeMs) return;
  process.stderr.write('Installing what is missing (once)\n');
  const npm = process.env.npm_execpath;
  const [command, first] = npm ? [process.execPath, [npm]] : ['npm', []];
  run('npm ci', command, [...first, 'ci', '--no-audit', '--no-fund']);
}

async function checkPorts() {
  const taken = [];
  for (const [name, usual] of [
    ['SANDBOX_PORT', 4000],
    ['PORT', 4100],
    ['FUNCTIONS_PORT', 4200],
  ]) {
    const port = Number(process.env[name] || usual);
    // A port that is no port is for the stack to refuse, in its own words.
    if (Number.isInteger(port) && port > 0 && port < 65536 && !(await isFree(port))) {
      taken.push(
        `Port ${port} is taken. Next step: end what uses it, or move ours: ${name}=${port + 10} npm start`,
      );
    }
  }
  if (taken.length > 0) give(taken.join('\n'));
}

function isFree(port) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

function run(what, command, args) {
  // What it says is for people: the last line of standard output belongs to the summary.
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ['inherit', 2, 2] });
  if (error) give(`${what}: ${error.message}`);
  if (status !== 0) {
    give(
      `${what} has failed (${status ?? 'ended'}); what it said stands above. Next step: mend that, and run \`npm start\` again.`,
    );
  }
}

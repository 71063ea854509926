/**
 * What both commands do first: look after what a fresh machine lacks, and say what to do where they cannot. It uses
 * Node alone, and no syntax that an old Node cannot parse: it must still be able to say that it is too old.
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(fileURLToPath(import.meta.url));

const bytesWanted = 1e9;

/** Ends the process with a word to the person: what is wrong, and the next step. */
export function give(text) {
  process.stderr.write(`${text}\n`);
  process.exit(1);
}

/** Node, disk and packages, in this order. `command` is what the person typed. */
export function prepare(command) {
  process.chdir(root);
  checkNode(command);
  checkDisk(command);
  install(command);
  // The SDK's warning about Node 20 concerns those who update it, not those who try this out.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
}

export function checkNode(command) {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 12)) return;
  give(
    `This needs Node 20.12 or newer; it runs on ${process.versions.node}.\nNext step: install a newer one, from https://nodejs.org or by \`nvm install 22\`, and run \`${command}\` again.`,
  );
}

export function checkDisk(command, bytes = bytesWanted) {
  const { bavail, bsize } = fs.statfsSync(root);
  if (bavail * bsize >= bytes) return;
  give(
    `Only ${Math.floor((bavail * bsize) / 1e6)} MB are free on the disk of ${root}; this wants ${bytes / 1e9} GB.\nNext step: make room there, and run \`${command}\` again.`,
  );
}

/** Again where the lock file is newer than what was installed by it, as after a pull. */
function install(command) {
  const installed = join(root, 'node_modules/.package-lock.json');
  const wanted = join(root, 'package-lock.json');
  if (fs.existsSync(installed) && fs.statSync(installed).mtimeMs >= fs.statSync(wanted).mtimeMs) return;
  process.stderr.write('Installing what is missing (once)\n');
  const npm = process.env.npm_execpath;
  const [program, first] = npm ? [process.execPath, [npm]] : ['npm', []];
  run('npm ci', program, [...first, 'ci', '--no-audit', '--no-fund'], command);
}

export function build(command) {
  run('build', process.execPath, ['build.mjs'], command);
}

/** Gives up where a port that we are to listen on is somebody else's, naming each and the variable that moves it. */
export async function checkPorts(ports, command) {
  const taken = [];
  for (const [name, usual] of ports) {
    const port = Number(process.env[name] || usual);
    // A port that is no port is for the stack to refuse, in its own words.
    if (Number.isInteger(port) && port > 0 && port < 65536 && !(await isFree(port))) {
      taken.push(
        `Port ${port} is taken. Next step: end what uses it, or move ours: ${name}=${port + 10} ${command}`,
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

function run(what, program, args, command) {
  // What it says is for people: the last line of standard output belongs to the summary.
  const { status, error } = spawnSync(program, args, { cwd: root, stdio: ['inherit', 2, 2] });
  if (error) give(`${what}: ${error.message}`);
  if (status !== 0) {
    give(
      `${what} has failed (${status ?? 'ended'}); its output is above. Next step: fix that, and run \`${command}\` again.`,
    );
  }
}

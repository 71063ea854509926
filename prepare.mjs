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

/** Ends the process with what is wrong, and the next step. */
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
  // The SDK's warning about Node 20 is for those who update it: `flex-custody doctor` says it once.
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

/** Ends the process where the stack of this checkout runs already, which has written into its lock where. */
export async function refuseSecond() {
  const [pid, , url] = lockText().trim().split(' ');
  if (!url || !isAlive(Number(pid)) || (await isFree(Number(new URL(url).port)))) return;
  give(
    `Already running at ${url} (process ${pid}). Its logs: .data/local/server.log of the host, .data/local/functions.log of the Functions.\nNext step: open that address, or end that process by Ctrl-C in its terminal.`,
  );
}

function lockText() {
  try {
    return fs.readFileSync(join(root, '.data/local/stack.lock'), 'utf8');
  } catch {
    return '';
  }
}

function isAlive(pid) {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** Ends the process where two of our ports are one, or somebody else has one: with one command that moves them all. */
export async function checkPorts(ports, command) {
  const wanted = ports.map(([name, usual]) => [name, Number(process.env[name] || usual)]);
  const faults = [];
  for (const [at, [name, port]] of wanted.entries()) {
    const [first] = wanted.slice(0, at).find(([, other]) => other === port) ?? [];
    // A port that is no port is for the stack to refuse, in its own words.
    const isPort = Number.isInteger(port) && port > 0 && port < 65536;
    if (first) faults.push(`${first} and ${name} are both ${port}.`);
    else if (isPort && !(await isFree(port))) faults.push(`Port ${port} (${name}) is taken.`);
  }
  if (faults.length === 0) return;
  give(
    `${faults.join('\n')}\nNext step: end what uses them, or move all of ours: ${await movedPorts(ports)} ${command}`,
  );
}

/** The usual ports, as many thousands higher as it takes for all of them to be free. */
async function movedPorts(ports) {
  for (let higher = 1_000; higher < 60_000; higher += 1_000) {
    const moved = ports.map(([name, usual]) => [name, usual + higher]);
    const free = await Promise.all(moved.map(([, port]) => isFree(port)));
    if (free.every(Boolean)) return moved.map(([name, port]) => `${name}=${port}`).join(' ');
  }
  return ports.map(([name]) => `${name}=…`).join(' ');
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

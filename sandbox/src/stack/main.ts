import { readdirSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { type Stack, startStack } from './index.ts';
import { follow, makeCall, type Summary } from './journey.ts';
import { lockFolder } from './lock.ts';
import { createNarrator } from './narrator.ts';
import { readSettings, type Settings, usage } from './settings.ts';

/** `npm start`, once everything is installed and built. */
async function main(settings: Settings): Promise<number> {
  const folder = join(process.cwd(), '.data', 'local');
  const unlock = lockFolder(folder, `http://127.0.0.1:${settings.ports.sandbox}`);
  for (const name of readdirSync(folder)) {
    if (name !== 'stack.lock') rmSync(join(folder, name), { recursive: true, force: true });
  }
  const narrator = createNarrator({
    write: (text) => process.stdout.write(text),
    tty: process.stdout.isTTY === true,
  });
  const asked = untilAsked();
  let stack: Stack | undefined;
  try {
    const starting = startStack({
      dataDir: folder,
      ports: settings.ports,
      keys: settings.keys,
      brevo: true,
      onStarting: (what) => narrator.say(`starting ${what}`),
      onEvent: (event) => narrator.event(event),
    });
    const started = await Promise.race([starting, asked]);
    // Asked to end before all was up: what had begun ends with this process.
    if (typeof started === 'number') return started;
    stack = started;
    return await run(stack, settings, narrator.say, asked);
  } finally {
    narrator.end();
    await stack?.close();
    unlock();
  }
}

async function run(
  stack: Stack,
  settings: Settings,
  say: (line: string) => void,
  asked: Promise<number>,
): Promise<number> {
  const played = playOne(stack, settings.seconds, say);
  const first = await Promise.race([played, asked]);
  if (typeof first === 'number') return first;
  if (settings.exit) {
    await stack.close();
    process.stdout.write(`${JSON.stringify(first)}\n`);
    return succeeded(first) ? 0 : 1;
  }
  // Not before: the first call would share a host that has just started, and its database, with its own events.
  stack.sendAgentEvents();
  say(`Start page: ${stack.urls.sandbox}`);
  say(`Flex desktop: ${stack.urls.sandbox}/flex`);
  say(`Command line: ( . ${relative(process.cwd(), stack.shellFile)} && npx flex-custody doctor )`);
  say(
    `Logs: ${relative(process.cwd(), join(stack.dataDir, 'server.log'))} of the host, functions.log beside it`,
  );
  say('Ctrl-C stops everything');
  const ended = await Promise.race([asked, stack.broken]);
  if (typeof ended === 'number') return ended;
  throw ended;
}

async function playOne(stack: Stack, seconds: number, say: (line: string) => void): Promise<Summary> {
  const began = performance.now();
  const call = await makeCall(stack, { seconds });
  // A long call has a long way: Twilio's media comes at the speed of a disk here, sealing takes a core.
  const summary = await follow(stack, call, 60_000 + seconds * 20);
  say(
    summary.played
      ? "played back as a supervisor; identical to Twilio's original"
      : "played back as a supervisor, but NOT identical to Twilio's original",
  );
  return { ...summary, ms: Math.round(performance.now() - began) };
}

const succeeded = ({ sealed, linked, verified, played }: Summary): boolean =>
  sealed && linked && verified && played;

/** The exit status once this process is asked to end. */
function untilAsked(): Promise<number> {
  return new Promise((resolve) => {
    process.once('SIGINT', () => resolve(130));
    process.once('SIGTERM', () => resolve(143));
    process.once('SIGHUP', () => resolve(129));
  });
}

function fail(error: unknown): never {
  process.stderr.write(`\n${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}

let settings: Settings;
try {
  settings = readSettings(process.argv.slice(2), process.env);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
  process.exit(2);
}
if (settings.help) {
  process.stdout.write(usage);
} else {
  main(settings).then((status) => process.exit(status), fail);
}

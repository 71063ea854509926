import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Child, startChild } from './children.ts';

/**
 * Starts twilio-run on a port of loopback, with exactly this environment for the Functions. The runtime empties its
 * own environment in favour of the file's, so that everything a Function needs must stand in there.
 */
export async function startFunctions(options: {
  root: string;
  dataDir: string;
  port: number;
  environment: Readonly<Record<string, string>>;
  /** Below the root; its own assets where absent. */
  assetsFolder?: string;
  /** Ms a Function may run, its process's start included; the platform's 10 s where absent. */
  runMs?: number;
  onLine?: (line: string) => void;
}): Promise<Child> {
  const envFile = join(options.dataDir, 'functions.env');
  writeFileSync(envFile, dotenv(options.environment), { mode: 0o600 });
  const child = startChild({
    name: 'functions',
    args: [
      '--require',
      join(options.root, 'sandbox/src/guard/platform-preload.cjs'),
      join(options.root, 'node_modules/twilio-run/bin/twilio-run.js'),
      'start',
      `--port=${options.port}`,
      `--env=${envFile}`,
      `--cwd=${options.root}`,
      '--functions-folder=dist/functions',
      `--assets-folder=${options.assetsFolder ?? 'assets'}`,
      '--no-live',
      '--no-logs',
    ],
    cwd: options.root,
    env: {
      PATH: process.execPath.replace(/\/[^/]+$/, ''),
      HOME: options.dataDir,
      NO_UPDATE_NOTIFIER: '1',
      ...(options.runMs === undefined ? {} : { FUNCTION_RUN_MS: `${options.runMs}` }),
    },
    logFolder: options.dataDir,
    ...(options.onLine ? { onLine: options.onLine } : {}),
  });
  const probe = `http://127.0.0.1:${options.port}/`;
  await child
    .ready(async () => (await fetch(probe)).status === 404)
    .catch(async (error: unknown) => {
      await child.stop(0);
      throw error;
    });
  return child;
}

/** Values as dotenv reads them back unchanged: in single quotes nothing is interpreted. */
function dotenv(environment: Readonly<Record<string, string>>): string {
  return Object.entries(environment)
    .map(([name, value]) => {
      if (/['\n\r]/.test(value))
        throw new Error(`${name}: no quote and no line break fits into an .env file`);
      return `${name}='${value}'\n`;
    })
    .join('');
}

import type { Command } from 'commander';
import manifest from '../../package.json';
import { loadEnvFile } from '../config/env-file.ts';
import { loadKeyConfig } from '../config.ts';
import { serve } from '../start/serve.ts';
import { registerEnvelopeCommands } from './envelope.ts';
import { onlyPlainText } from './for-terminal.ts';
import { buildProgram, run } from './program.ts';

// A reader that closes early, such as `head`, is not a failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});
onlyPlainText(console);
// Only this user may read the files that this process writes.
process.umask(0o077);
loadEnvFile();

const more = [(program: Command) => registerEnvelopeCommands(program, () => loadKeyConfig())];
const code = await run(buildProgram({ version: manifest.version, serve, more }), process.argv);
if (code !== 0) process.exitCode = code;

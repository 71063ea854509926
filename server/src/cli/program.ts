import { CustodyError } from '@flex-custody/core';
import { Command, CommanderError } from 'commander';
import { checkEnvFile, envFileNote } from '../config/env-file.ts';
import { explain } from '../start/explain.ts';
import { registerAdoptDatabase } from './adopt-database.ts';
import { registerAlarmCommands } from './alarms.ts';
import { registerCatalog } from './catalog.ts';
import { registerCertificates } from './certificates.ts';
import { registerDoctor } from './doctor/index.ts';
import { registerErase, registerRetention } from './erase.ts';
import { addExamples } from './examples.ts';
import { registerKeyCommands } from './keys.ts';
import { registerPolicy } from './policy.ts';
import { registerImport, registerReconcile } from './reconcile.ts';
import { registerRecordingCommands } from './recordings.ts';
import { registerRotateKeys } from './rotate-keys.ts';
import { registerSetup } from './setup.ts';

export interface ProgramDeps {
  version: string;
  serve: () => Promise<void>;
  /** Commands of other rooms. */
  more: readonly ((program: Command) => void)[];
}

export function buildProgram(deps: ProgramDeps): Command {
  const program = new Command('flex-custody')
    .description("custody of a contact centre's own calls on Twilio Flex")
    .version(deps.version)
    .showHelpAfterError('(--help tells more)')
    .exitOverride((error) => {
      said.add(error);
      throw error;
    });
  program.hook('preAction', (_, command) => {
    // The doctor says it among all else.
    if (command.name() !== 'doctor') checkEnvFile();
  });
  program
    .command('serve')
    .description('run the host: the roles of CUSTODY_ROLES, until a signal ends it')
    .action(deps.serve);
  registerDoctor(program);
  registerSetup(program);
  registerAdoptDatabase(program);
  registerRecordingCommands(program);
  registerAlarmCommands(program);
  registerReconcile(program);
  registerCatalog(program);
  registerImport(program);
  registerPolicy(program);
  registerRetention(program);
  registerErase(program);
  registerCertificates(program);
  registerKeyCommands(program);
  registerRotateKeys(program);
  for (const register of deps.more) register(program);
  addExamples(program);
  return program;
}

/** What commander has written itself: what it finds, and what an action gives to `error()`, not what an action throws. */
const said = new WeakSet<CommanderError>();

/** Runs one command line. Exit codes: 0 done, 1 failed, 2 wrongly called. */
export async function run(program: Command, argv: readonly string[]): Promise<number> {
  try {
    await program.parseAsync([...argv]);
    return Number(process.exitCode ?? 0);
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return 0;
      if (!said.has(error)) console.error(`error: ${error.message}`);
      return 2;
    }
    const text = explain(error) ?? (error instanceof Error ? error.message : String(error));
    const code = error instanceof CustodyError ? error.code : 'unexpected';
    console.error(text.includes('\n') ? `${code}:\n${text}` : `${code}: ${text}`);
    const note = code === 'config_invalid' ? envFileNote() : undefined;
    if (note) console.error(note);
    return 1;
  }
}

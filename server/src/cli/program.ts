import { Command, CommanderError } from 'commander';
import { checkEnvFile } from '../config/env-file.ts';
import { exitCodeOf } from '../config/exit-code.ts';
import { type Failure, failureOf, failureText } from '../start/failure.ts';
import { registerAdoptDatabase } from './adopt-database.ts';
import { registerAlarmCommands } from './alarms.ts';
import { registerCatalog } from './catalog.ts';
import { registerCertificates } from './certificates.ts';
import { registerCompleteness } from './completeness.ts';
import { registerConnector } from './connector.ts';
import { registerDoctor } from './doctor/index.ts';
import { registerErase, registerRetention } from './erase.ts';
import { addExamples } from './examples.ts';
import { registerKeyCommands } from './keys.ts';
import { beVerbose, detail, printJson } from './output.ts';
import { registerPolicy } from './policy.ts';
import { registerImport, registerReconcile } from './reconcile.ts';
import { registerRecorder } from './recorder.ts';
import { registerRecordingCommands } from './recordings.ts';
import { registerRotateKeys } from './rotate-keys.ts';
import { registerSecrets } from './secrets.ts';
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
    .option('--verbose', 'also print which host is asked, and where an unexpected error happened')
    .addHelpText('after', exitCodes)
    .showHelpAfterError('(--help has all options and an example)')
    .exitOverride((error) => {
      said.add(error);
      throw error;
    });
  program.hook('preAction', (_, command) => {
    if (program.opts()['verbose'] === true) beVerbose();
    // The doctor reports it as one of its checks.
    if (command.name() !== 'doctor') checkEnvFile();
  });
  program
    .command('serve')
    .description('run the host with the roles of CUSTODY_ROLES, until a signal ends it')
    .action(deps.serve);
  registerDoctor(program);
  registerSetup(program);
  registerAdoptDatabase(program);
  registerRecordingCommands(program);
  registerAlarmCommands(program);
  registerReconcile(program);
  registerCatalog(program);
  registerImport(program);
  registerRecorder(program);
  registerCompleteness(program);
  registerConnector(program);
  registerPolicy(program);
  registerRetention(program);
  registerErase(program);
  registerCertificates(program);
  registerKeyCommands(program);
  registerRotateKeys(program);
  registerSecrets(program);
  for (const register of deps.more) register(program);
  addExamples(program);
  return program;
}

const exitCodes = `
Exit codes (docs/cli.md):
  0   done, or already so
  1   not done, differences found, or something is open
  2   wrong arguments
  78  the environment must be corrected first`;

/** Errors that commander has printed: its own, and those given to `error()`; not what an action throws. */
const said = new WeakSet<CommanderError>();

/**
 * Runs one command line. An error is text on standard error; with `--json` it is also the one value of standard output:
 * `{"error": {"code", "message", "next"}}`.
 * @returns the exit code
 */
export async function run(program: Command, argv: readonly string[]): Promise<number> {
  const fail = (failure: Failure, exitCode: number): number => {
    if (argv.includes('--json')) printJson({ error: failure });
    return exitCode;
  };
  try {
    await program.parseAsync([...argv]);
    return Number(process.exitCode ?? 0);
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return 0;
      const message = error.message.replace(/^error: /, '');
      if (!said.has(error)) console.error(`error: ${message}`);
      return fail({ code: 'usage', message, next: 'Run the command with --help.' }, 2);
    }
    const failure = failureOf(error);
    console.error(failureText(failure));
    detail(error instanceof Error ? (error.stack ?? '') : '');
    return fail(failure, exitCodeOf(error));
  }
}

import { type Command, InvalidArgumentError } from 'commander';
import { checkEnvFile, envFileNote } from '../../config/env-file.ts';
import { loadConfig } from '../../config.ts';
import { readText } from '../file-input.ts';
import { type Check, checks } from './checks.ts';
import { examine } from './examine.ts';
import { jsonOf, textOf } from './print.ts';

interface Flags {
  json?: boolean;
  only?: Check[];
  token?: string;
  functionsUrl?: string;
  importFrom?: string;
  testWebhook?: boolean;
}

export function registerDoctor(program: Command): void {
  program
    .command('doctor')
    .description('look at everything the host needs, and say what to do about what is wrong; changes nothing')
    .option('--json', '{checks: [{name, ok, detail, next}]}')
    .option('--only <names>', `of ${checks.map(({ name }) => name).join(', ')}`, named)
    .option('--token <token>', 'a Flex token to validate and describe; - reads it from standard input')
    .option(
      '--functions-url <url>',
      "the Functions' address, where the Flex configuration has another",
      origin,
    )
    .option('--import-from <s3>', 's3://bucket/prefix of an archive, to see whether import could read it')
    .option('--test-webhook', 'also send a signed test to CUSTODY_ALARM_WEBHOOK')
    .addHelpText('after', '\nEnds with 1 where something must be fixed.')
    .action(async ({ json, only, token, functionsUrl, importFrom, testWebhook }: Flags) => {
      const given = token === '-' ? (await readText('-')).trim() : token;
      const findings = await examine({
        load() {
          checkEnvFile();
          return loadConfig();
        },
        options: {
          ...(given !== undefined && { token: given }),
          ...(functionsUrl !== undefined && { functionsUrl }),
          ...(importFrom !== undefined && { importFrom }),
          ...(testWebhook && { testWebhook }),
        },
        ...(only && { those: only }),
      });
      console.log(json ? jsonOf(findings) : textOf(findings, process.stdout.columns));
      const note = envFileNote();
      if (note && findings.some(({ name, level }) => name === 'environment' && level === 'fix'))
        console.error(note);
      if (findings.some(({ level }) => level === 'fix')) process.exitCode = 1;
      // Whoever did not answer in time is not waited for at the end either.
      setTimeout(() => process.exit(), 500).unref();
    });
}

function named(list: string): Check[] {
  const names = list.split(',').map((name) => name.trim());
  const unknown = names.find((name) => !checks.some((check) => check.name === name));
  if (unknown !== undefined)
    throw new InvalidArgumentError(
      `there is no check ${unknown}: ${checks.map(({ name }) => name).join(', ')}`,
    );
  return checks.filter(({ name }) => names.includes(name));
}

function origin(url: string): string {
  if (URL.canParse(url) && /^https?:\/\/[^/?#@]+\/*$/.test(url)) return url;
  throw new InvalidArgumentError('it is an address such as https://flex-custody-1234.twil.io');
}

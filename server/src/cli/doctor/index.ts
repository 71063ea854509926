import { type Command, InvalidArgumentError } from 'commander';
import { checkEnvFile } from '../../config/env-file.ts';
import { exitConfig } from '../../config/exit-code.ts';
import { allSettings } from '../../config.ts';
import { loadWithSecrets } from '../../secrets/open-config.ts';
import { readText } from '../file-input.ts';
import { secretsOfHost } from '../operator-api.ts';
import { printJson } from '../output.ts';
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
    .description('check everything that the host needs, with the next step for each fault; changes nothing')
    .option('--json', '{checks: [{name, ok, detail, next}]}')
    .option('--only <names>', `of ${['environment', ...checks.map(({ name }) => name)].join(', ')}`, named)
    .option('--token <token>', 'a Flex token to validate and describe; - reads it from standard input')
    .option(
      '--functions-url <url>',
      "the Functions' address, if the Flex configuration has another one",
      origin,
    )
    .option('--import-from <s3>', 's3://bucket/prefix of an archive, to see whether import could read it')
    .option('--test-webhook', 'also send a signed test to CUSTODY_ALARM_WEBHOOK')
    .addHelpText(
      'after',
      '\nExit code 1: something must be fixed. 78: the environment is incomplete, so nothing else was checked.',
    )
    .action(async ({ json, only, token, functionsUrl, importFrom, testWebhook }: Flags) => {
      const given = token === '-' ? (await readText('-')).trim() : token;
      const findings = await examine({
        load() {
          checkEnvFile();
          return loadWithSecrets(allSettings, { otherwise: secretsOfHost });
        },
        options: {
          ...(given !== undefined && { token: given }),
          ...(functionsUrl !== undefined && { functionsUrl }),
          ...(importFrom !== undefined && { importFrom }),
          ...(testWebhook && { testWebhook }),
        },
        ...(only && { those: only }),
      });
      if (json) printJson(jsonOf(findings));
      else console.log(textOf(findings, process.stdout.columns));
      const isIncomplete = findings.some(({ name, level }) => name === 'environment' && level === 'fix');
      if (isIncomplete) process.exitCode = exitConfig;
      else if (findings.some(({ level }) => level === 'fix')) process.exitCode = 1;
      // A check that did not answer in time must not keep the process alive.
      setTimeout(() => process.exit(), 500).unref();
    });
}

function named(list: string): Check[] {
  const names = list.split(',').map((name) => name.trim());
  // The environment is always read.
  const unknown = names.find(
    (name) => name !== 'environment' && !checks.some((check) => check.name === name),
  );
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

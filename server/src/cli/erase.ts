import { asRecordingSid, asTaskSid } from '@flex-custody/core';
import { type Command, InvalidArgumentError } from 'commander';
import { allSettings } from '../config.ts';
import type { OperatorApi } from '../http/operators/operator-api.ts';
import { digestsOf } from '../retention/caller.ts';
import { asTyped } from '../retention/numbers.ts';
import type { RunView } from '../runs/runs.ts';
import { loadWithSecrets } from '../secrets/open-config.ts';
import { aNumber, callersAsked, digestBy, sayUnfound } from './callers.ts';
import { secretsOfHost, withOperatorApi } from './operator-api.ts';
import { printJson } from './output.ts';
import { anewOption, type How, jsonOption, printRun, runWork } from './run-work.ts';

interface EraseFlags {
  recording?: string[];
  task?: string[];
  caller?: string[];
  reference?: string;
  yes?: boolean;
  dryRun?: boolean;
  anew?: boolean;
  json?: boolean;
}

const several =
  <T>(as: (text: string) => T | undefined, what: string) =>
  (text: string, so: T[] = []): T[] => {
    const value = as(text);
    if (value === undefined) throw new InvalidArgumentError(what);
    return [...so, value];
  };

export function registerErase(program: Command): void {
  program
    .command('erase')
    .description(
      'erase recordings for good: all versions in the bucket, the original at Twilio, and the facts in the catalog; writes a signed certificate of it',
    )
    .option(
      '--recording <sid>',
      'this recording; repeat it for more',
      several(asRecordingSid, 'a recording is RE and 32 hexadecimal digits'),
    )
    .option(
      '--task <sid>',
      'all recordings of this task, also those that only a hint links to it, and its session where no recording is left; repeat it for more',
      several(asTaskSid, 'a task is WT and 32 hexadecimal digits'),
    )
    .option(
      '--caller <number>',
      'all recordings of this caller (+49…), and sessions of which no recording is left; repeat it for more; - reads numbers from standard input, one a line, so that no process list shows them',
      several((text) => (text === '-' ? text : asTyped(text)), aNumber),
    )
    .option('--reference <text>', 'a ticket that the certificate names; not a person', referenceOf)
    .option('--yes', 'erase; without it the command does the same as with --dry-run')
    .option('--dry-run', 'show what would be erased; change nothing')
    .option(...anewOption)
    .option(...jsonOption)
    .action(async (flags: EraseFlags, command: Command) => {
      const { recording, task, caller, reference, yes, dryRun, anew, json } = flags;
      if (!recording && !task && !caller) {
        command.error('error: name what to erase: --recording, --task, or --caller', { exitCode: 2 });
      }
      const config = await loadWithSecrets(allSettings, { otherwise: secretsOfHost });
      const digest = caller && digestBy(config.callerSecret);
      const numbers = await callersAsked(caller ?? []);
      const options = {
        ...(recording && { recordings: recording }),
        ...(task && { tasks: task }),
        ...(digest && { callers: numbers.flatMap((one) => digestsOf(digest, one)) }),
        ...(reference && { reference }),
        ...((dryRun || !yes) && { dryRun: true }),
      };
      let certificates: string[] = [];
      const after: How['after'] = async (api, ended) => {
        certificates = await certificatesOf(api, ended);
        if (digest) await sayUnfound(api, digest);
      };
      report(await runWork('erase', options, { config }, { anew, after }), certificates, json);
      if (!yes && !dryRun && !json) console.error('Add --yes to erase for good.');
    });
}

interface RetentionFlags {
  dryRun?: boolean;
  yes?: boolean;
  anew?: boolean;
  json?: boolean;
}

export function registerRetention(program: Command): void {
  program
    .command('retention')
    .description('erase what the policy no longer keeps, as the host does every hour')
    .option('--dry-run', 'count what would be erased; change nothing')
    .option('--yes', 'erase even where that is far more than usual')
    .option(...anewOption)
    .option(...jsonOption)
    .action(async ({ dryRun, yes, anew, json }: RetentionFlags) => {
      let isInForce = false;
      await withOperatorApi(async (api) => {
        isInForce = (await api.policy()).applied !== undefined;
      });
      if (!isInForce) {
        if (json) printJson({ name: 'retention', counts: {}, inForce: false, finished: true });
        else console.log('No policy is in force: all recordings are kept.');
        return;
      }
      // The operator also wants to see what the host has set aside.
      const options = { all: true, ...(dryRun && { dryRun }), ...(yes && { yes }) };
      let certificates: string[] = [];
      const after: How['after'] = async (api, ended) => {
        certificates = await certificatesOf(api, ended);
      };
      report(await runWork('retention', options, undefined, { anew, after }), certificates, json);
    });
}

/** Ids of the certificates that were signed since a run began, newest first. */
export async function certificatesOf(
  api: Pick<OperatorApi, 'certificates'>,
  { startedAt, counts }: RunView,
): Promise<string[]> {
  if (!counts['erased']) return [];
  const newest = await api.certificates({ limit: 1_000 });
  return newest.filter(({ at }) => at >= startedAt).map(({ id }) => id);
}

export function report(ended: RunView, certificates: readonly string[], json: boolean | undefined): void {
  printRun(ended, json, certificates.length > 0 ? { certificates } : {});
  if (!json) for (const id of certificates) console.log(`Certificate: ${id}`);
  // A recording that was named and stays is a failure; a run of a policy may meet holds.
  const stays = Object.keys(ended.counts).filter((name) =>
    /^(failed_|held$|locked$|being_erased$|sessions_open$)/.test(name),
  );
  if (stays.some((name) => name.startsWith('failed_') || ended.name === 'erase')) process.exitCode = 1;
}

function referenceOf(text: string): string {
  if (!/^[\w .:/#-]{1,100}$/.test(text))
    throw new InvalidArgumentError('up to 100 of A-Z a-z 0-9 _ . : / # - and spaces');
  return text;
}

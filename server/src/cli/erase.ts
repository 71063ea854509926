import { asRecordingSid, asTaskSid, CustodyError } from '@flex-custody/core';
import { type Command, InvalidArgumentError } from 'commander';
import { loadConfig } from '../config.ts';
import { digestsOf } from '../retention/caller.ts';
import { asTyped } from '../retention/numbers.ts';
import type { RunView } from '../runs/runs.ts';
import { aNumber, callersAsked, digestBy, sayUnfound } from './callers.ts';
import { withOperatorApi } from './operator-api.ts';
import { anewOption, jsonOf, runWork, summary } from './run-work.ts';

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
      'erase recordings for good: from the bucket with all versions, at Twilio, and in the catalog; leaves a signed certificate',
    )
    .option(
      '--recording <sid>',
      'this one; again for each',
      several(asRecordingSid, 'a recording is RE and 32 hexadecimal digits'),
    )
    .option(
      '--task <sid>',
      'all that are linked to this task, or that a hint alone names as of it; again for each',
      several(asTaskSid, 'a task is WT and 32 hexadecimal digits'),
    )
    .option(
      '--caller <number>',
      'all of this caller, +49…; again for each; - reads them from standard input, one a line, so that no list of processes shows them',
      several((text) => (text === '-' ? text : asTyped(text)), aNumber),
    )
    .option('--reference <text>', 'stands in the certificate: a ticket, no name', referenceOf)
    .option('--yes', 'do it; without, it is only shown what would go')
    .option('--dry-run', 'show what would go; change nothing')
    .option(...anewOption)
    .option('--json', 'one line: {name, counts, notes, startedAt, resumedFrom?, finishedAt, finished}')
    .action(async (flags: EraseFlags, command: Command) => {
      const { recording, task, caller, reference, yes, dryRun, anew, json } = flags;
      if (!recording && !task && !caller) {
        command.error('error: name what is to be erased: --recording, --task, or --caller', { exitCode: 2 });
      }
      const config = loadConfig();
      const only = dryRun || !yes;
      const digest = caller && digestBy(config.callerSecret);
      const numbers = await callersAsked(caller ?? []);
      const ended = await runWork(
        'erase',
        {
          ...(recording && { recordings: recording }),
          ...(task && { tasks: task }),
          ...(digest && { callers: numbers.flatMap((one) => digestsOf(digest, one)) }),
          ...(reference && { reference }),
          ...(only && { dryRun: true }),
        },
        config,
        { anew, ...(digest && { after: (api) => sayUnfound(api, digest) }) },
      );
      report(ended, { json, dryRun: only });
      if (!only || dryRun || json) return;
      console.error('Nothing was changed: --yes erases it for good.');
      process.exitCode = 1;
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
    .description('erase what the policy keeps no longer, as the host does by the hour')
    .option('--dry-run', 'count what would go; change nothing')
    .option('--yes', 'also where that is far more than usual')
    .option(...anewOption)
    .option('--json', 'one line: {name, counts, notes, startedAt, resumedFrom?, finishedAt, finished}')
    .action(async ({ dryRun, yes, anew, json }: RetentionFlags) => {
      const config = loadConfig();
      await withOperatorApi(async (api) => {
        if ((await api.policy()).applied) return;
        throw new CustodyError('policy_missing', 'no policy is in force: all recordings are kept');
      }, config);
      // An operator also wants to see what the host has set aside today.
      const options = { all: true, ...(dryRun && { dryRun }), ...(yes && { yes }) };
      report(await runWork('retention', options, config, { anew }), { json, dryRun });
    });
}

function report(
  ended: RunView,
  { json, dryRun }: { json?: boolean | undefined; dryRun?: boolean | undefined },
): void {
  if (json) console.log(jsonOf(ended));
  else {
    for (const [sid, note] of Object.entries(ended.notes ?? {})) console.log(`${sid}  ${note}`);
    console.log(`${summary(ended)}${dryRun ? '\nNothing was changed.' : ''}`);
    if (ended.counts['erased']) console.log('The certificate: `flex-custody certificates list`.');
  }
  // What was asked for and stays is no success; the policy's own run may well meet holds.
  const stays = Object.keys(ended.counts).filter((name) =>
    /^(failed_|held$|locked$|being_erased$)/.test(name),
  );
  if (stays.some((name) => name.startsWith('failed_') || ended.name === 'erase')) process.exitCode = 1;
}

function referenceOf(text: string): string {
  if (!/^[\w .:/#-]{1,100}$/.test(text))
    throw new InvalidArgumentError('up to 100 of A-Z a-z 0-9 _ . : / # - and spaces');
  return text;
}

import type { Command } from 'commander';
import { z } from 'zod';
import { loadConfig } from '../config.ts';
import { loadPolicy, type Policy, policySchema } from '../retention/policy.ts';

/** The schema as a file of its own, for editors: docs/policy.schema.json. */
export function policyJsonSchema(): object {
  return { title: 'Policy of flex-custody', ...z.toJSONSchema(policySchema, { io: 'input' }) };
}

export function registerPolicy(program: Command): void {
  const policy = program.command('policy').description('how long recordings are kept, and which are held');
  policy
    .command('check')
    .description('read the policy file, and say what it means')
    .argument('[file]', 'CUSTODY_POLICY_FILE where none is named')
    .option('--json', '{ok, keep, holds, digest}')
    .action((file: string | undefined, { json }: { json?: boolean }) => {
      const read = loadPolicy(file ?? loadConfig().policyFile);
      console.log(json ? JSON.stringify(viewOf(read)) : textOf(read));
    });
  policy
    .command('schema')
    .description('the JSON Schema of the policy file, for editors')
    .action(() => console.log(JSON.stringify(policyJsonSchema(), undefined, 2)));
}

function viewOf({ keep, holds, digest }: Policy): object {
  return {
    ok: true,
    keep: { default: keep.otherwise, rules: keep.rules },
    holds: holds.map(({ id, recordings, tasks, callers, range }) => ({
      id,
      recordings: recordings.size,
      tasks: tasks.size,
      callers: callers.length,
      numbers: callers.map(({ number }) => number),
      days: range !== undefined,
    })),
    digest,
  };
}

export function textOf({ keep, holds }: Policy): string {
  const forDays = (days: number | 'forever') => (days === 'forever' ? 'for ever' : `for ${days} days`);
  const rules = keep.rules.map(({ queues, directions, days }) => {
    const what = [directions?.join(' or '), queues && `in ${queues.join(' or ')}`].filter(Boolean).join(' ');
    return `Calls ${what} are kept ${forDays(days)}.`;
  });
  const held = holds.map(({ id, recordings, tasks, callers, range }) => {
    const counts = [
      recordings.size > 0 && `${recordings.size} recordings`,
      tasks.size > 0 && `${tasks.size} tasks`,
      callers.length > 0 && `callers ${callers.map(({ number }) => number).join(' ')}`,
      range && `calls of ${dayOf(range.from)} to ${dayOf(range.to - 1)}`,
    ].filter(Boolean);
    return `Hold ${id}: ${counts.join(', ')}.`;
  });
  const last = rules.length > 0 ? 'All others are' : 'Recordings are';
  return [...rules, `${last} kept ${forDays(keep.otherwise)}.`, ...held].join('\n');
}

function dayOf(at: number): string {
  return Number.isFinite(at) ? new Date(at).toISOString().slice(0, 10) : 'any day';
}

import { type Command, InvalidArgumentError } from 'commander';
import { z } from 'zod';
import { loadConfig } from '../config.ts';
import type { AppliedPolicy } from '../retention/policies.ts';
import { noPolicy, type Policy, policySchema, readPolicy, readPolicyFile } from '../retention/policy.ts';
import { readText } from './file-input.ts';
import { withOperatorApi } from './operator-api.ts';
import { type ApplyFlags, applyPolicy } from './policy-apply.ts';
import { checkQueues, queueText } from './policy-queues.ts';
import { summaryText, textOf, viewOf } from './policy-text.ts';

/** The schema as a file of its own, for editors: docs/policy.schema.json. */
export function policyJsonSchema(): object {
  return { title: 'Policy of flex-custody', ...z.toJSONSchema(policySchema, { io: 'input' }) };
}

export function registerPolicy(program: Command): void {
  const policy = program
    .command('policy')
    .description('how long recordings are kept, and which are held: the policy in force is in the database');
  policy
    .command('check')
    .description("read a policy file, say what it means, and compare its queues with TaskRouter's")
    .argument('[file]', '- reads standard input; else CUSTODY_POLICY_FILE, else the policy in force')
    .option('--json', '{ok, keep, holds, digest, queues}')
    .action(async (file: string | undefined, { json }: { json?: boolean }) => {
      const read = await policyToCheck(file);
      const queues = await checkQueues(read);
      console.log(json ? JSON.stringify({ ...viewOf(read), queues }) : textOf(read));
      if (!json) for (const line of queueText(queues)) console.error(line);
    });
  policy
    .command('apply')
    .description(
      'put a policy file in force; shows what it changes, and wants --yes where less is held or kept',
    )
    .argument('<file>', '- reads standard input')
    .option('--yes', 'also where holds become fewer or narrower, or periods shorter')
    .option('--dry-run', 'show what would change; change nothing')
    .option('--by <name>', 'who applies it; the login name and the machine by default', nameOf)
    .option(
      '--json',
      '{applied, isInForce, isWeaker, digest, holds, periods, queuesDropped, weaker, effect} on one line',
    )
    .action(async (file: string, flags: ApplyFlags) => {
      const text = await policyText(file);
      readPolicy(text);
      await withOperatorApi(async (api) => {
        const print = (line: string) => console.log(line);
        const note = (line: string) => console.error(line);
        if (!(await applyPolicy({ api, text, file, print, note }, flags))) process.exitCode = 1;
      });
    });
  policy
    .command('show')
    .description('the policy in force, when it was applied, and by whom')
    .option('--file', 'its file, as it was applied')
    .option('--json', '{ok, keep, holds, digest, appliedAt, appliedBy}')
    .action(async ({ json, file }: { json?: boolean; file?: boolean }) => {
      const applied = await inForce();
      if (file) process.stdout.write(applied?.body ?? '');
      else console.log(showText(applied, json));
    });
  policy
    .command('history')
    .description('the last hundred policies, the newest first')
    .option('--json', '[{id, digest, appliedAt, appliedBy, says: {otherwise, rules, holds, namesCallers}}]')
    .action(async ({ json }: { json?: boolean }) => {
      await withOperatorApi(async (api) => {
        const all = await api.policies();
        if (json) console.log(JSON.stringify(all, undefined, 2));
        else console.log(all.map(summaryText).join('\n') || 'No policy was ever applied.');
      });
    });
  policy
    .command('schema')
    .description('the JSON Schema of the policy file, for editors')
    .action(() => console.log(JSON.stringify(policyJsonSchema(), undefined, 2)));
}

/** `-` is standard input. */
const policyText = async (file: string): Promise<string> =>
  file === '-' ? readText(file) : readPolicyFile(file);

async function policyToCheck(file: string | undefined): Promise<Policy> {
  const named = file ?? loadConfig().policyFile;
  if (named !== undefined) return readPolicy(await policyText(named));
  const applied = await inForce();
  return applied ? readPolicy(applied.body) : noPolicy;
}

async function inForce(): Promise<AppliedPolicy | undefined> {
  let found: AppliedPolicy | undefined;
  await withOperatorApi(async (api) => {
    found = (await api.policy()).applied;
  });
  return found;
}

function showText(applied: AppliedPolicy | undefined, json: boolean | undefined): string {
  const policy = applied ? readPolicy(applied.body) : noPolicy;
  const { appliedAt, appliedBy } = applied ?? {};
  if (json) return JSON.stringify({ ...viewOf(policy), appliedAt, appliedBy });
  if (!applied) return 'No policy was ever applied: all recordings are kept, and none is held.';
  return `${textOf(policy)}\nIn force since ${applied.appliedAt.toISOString()}, applied by ${applied.appliedBy}: ${applied.digest}.`;
}

function nameOf(text: string): string {
  if (/^[^\p{C}]{1,100}$/u.test(text)) return text;
  throw new InvalidArgumentError('a name of up to 100 characters on one line');
}

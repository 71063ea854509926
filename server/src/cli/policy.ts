import { type Command, InvalidArgumentError } from 'commander';
import { z } from 'zod';
import { loadPartOfConfig } from '../config.ts';
import type { AppliedPolicy } from '../retention/policies.ts';
import { noPolicy, type Policy, policySchema, readPolicy, readPolicyFile } from '../retention/policy.ts';
import { readText } from './file-input.ts';
import { withOperatorApi } from './operator-api.ts';
import { printJson } from './output.ts';
import { type ApplyFlags, applyPolicy } from './policy-apply.ts';
import { checkQueues, queueText } from './policy-queues.ts';
import { historyText, textOf, viewOf } from './policy-text.ts';

/** The schema as a file of its own, for editors: docs/policy.schema.json. */
export function policyJsonSchema(): object {
  return { title: 'Policy of flex-custody', ...z.toJSONSchema(policySchema, { io: 'input' }) };
}

export function registerPolicy(program: Command): void {
  const policy = program
    .command('policy')
    .description('check, apply and show the policy: how long recordings are kept, and which are held');
  policy
    .command('check')
    .description("read a policy file, print what it means, and compare its queues with TaskRouter's")
    .argument('[file]', '- is standard input; by default CUSTODY_POLICY_FILE, or else the policy in force')
    .option('--json', '{ok, keep, holds, digest, queues}')
    .action(async (file: string | undefined, { json }: { json?: boolean }) => {
      const read = await policyToCheck(file);
      const queues = await checkQueues(read);
      if (json) printJson({ ...viewOf(read), queues });
      else console.log(textOf(read));
      if (!json) for (const line of queueText(queues)) console.error(line);
    });
  policy
    .command('apply')
    .description('put a policy file in force; shows what changes, and needs --yes where less is held or kept')
    .argument('<file>', '- reads standard input')
    .option('--yes', 'also where holds become fewer or narrower, or periods shorter')
    .option('--dry-run', 'show what would change; change nothing')
    .option('--by <name>', 'who applies it; the login name and the machine by default', nameOf)
    .option(
      '--json',
      '{applied, dryRun?, isInForce, isWeaker, digest, holds, periods, queuesDropped, weaker, effect}',
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
    .description('print the policy in force, when it was applied, and by whom')
    .option('--file', 'print its file, as it was applied')
    .option('--json', '{ok, keep, holds, digest, appliedAt, appliedBy}')
    .action(async ({ json, file }: { json?: boolean; file?: boolean }) => {
      const applied = await inForce();
      if (file) process.stdout.write(applied?.body ?? '');
      else if (json) {
        const { appliedAt, appliedBy } = applied ?? {};
        printJson({ ...viewOf(applied ? readPolicy(applied.body) : noPolicy), appliedAt, appliedBy });
      } else console.log(showText(applied));
    });
  policy
    .command('history')
    .description('list the last hundred policies, newest first')
    .option('--json', '[{id, digest, appliedAt, appliedBy, says: {otherwise, rules, holds, namesCallers}}]')
    .action(async ({ json }: { json?: boolean }) => {
      await withOperatorApi(async (api) => {
        const all = await api.policies();
        if (json) printJson(all);
        else console.log(historyText(all));
      });
    });
  policy
    .command('schema')
    .description('print the JSON Schema of the policy file, for editors')
    .option('--json', 'changes nothing: the output is JSON in any case')
    .action(() => printJson(policyJsonSchema()));
}

/** @param file `-` is standard input */
const policyText = async (file: string): Promise<string> =>
  file === '-' ? readText(file) : readPolicyFile(file);

async function policyToCheck(file: string | undefined): Promise<Policy> {
  const named = file ?? loadPartOfConfig(['policyFile']).policyFile;
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

function showText(applied: AppliedPolicy | undefined): string {
  if (!applied) return 'No policy is in force: all recordings are kept, and none is held.';
  return `${textOf(readPolicy(applied.body))}\nIn force since ${applied.appliedAt.toISOString()}, applied by ${applied.appliedBy}: ${applied.digest}.`;
}

function nameOf(text: string): string {
  if (/^[^\p{C}]{1,100}$/u.test(text)) return text;
  throw new InvalidArgumentError('a name of up to 100 characters on one line');
}

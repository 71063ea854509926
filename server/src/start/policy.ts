import { hostname } from 'node:os';
import { CustodyError } from '@flex-custody/core';
import type { Logger } from '../log.ts';
import type { Policies } from '../retention/policies.ts';
import { readPolicy, readPolicyFile } from '../retention/policy.ts';

export interface StartPolicy {
  file: string;
  text: string;
}

/** @throws CustodyError `policy_invalid` if the file cannot be read or is not a policy */
export function readStartPolicy(file: string | undefined): StartPolicy | undefined {
  if (file === undefined) return undefined;
  const text = readPolicyFile(file);
  readPolicy(text);
  return { file, text };
}

/**
 * Applies the file that this host's environment names, if it holds and keeps at least as much as the policy in force: a file
 * that is half written or out of date removes no hold. Without a policy in force it becomes the first one.
 * @throws CustodyError `policy_weaker` with each point, and what to do
 */
export async function applyAtStart(
  policies: Pick<Policies, 'apply' | 'current'>,
  { file, text }: StartPolicy,
  log: Pick<Logger, 'info'>,
): Promise<void> {
  const by = `start of ${hostname()}`;
  try {
    const before = await policies.current();
    const { digest } = before
      ? await policies.apply(text, by, { unlessWeaker: true })
      : await first(policies, text, by);
    if (digest !== before?.digest)
      log.info({ event: 'policy.applied', digest }, 'the policy file is in force');
  } catch (error) {
    if (!(error instanceof CustodyError && error.code === 'policy_weaker')) throw error;
    throw new CustodyError(
      error.code,
      [
        `CUSTODY_POLICY_FILE (${file}) holds or keeps less than the policy in force:`,
        ...error.message.split('\n').map((line) => `  ${line}`),
        `If that is intended, run \`flex-custody policy apply ${file} --yes\`; otherwise correct the file, or unset the variable.`,
      ].join('\n'),
      { cause: error },
    );
  }
}

/** If two hosts start at the same time, the second one compares its file with the policy of the first. */
async function first(policies: Pick<Policies, 'apply'>, text: string, by: string) {
  try {
    return await policies.apply(text, by, { over: null });
  } catch (error) {
    if (!(error instanceof CustodyError && error.code === 'policy_changed')) throw error;
    return policies.apply(text, by, { unlessWeaker: true });
  }
}

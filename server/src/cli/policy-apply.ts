import { hostname, userInfo } from 'node:os';
import { CustodyError } from '@flex-custody/core';
import type { OperatorApi } from '../http/operators/operator-api.ts';
import type { PolicyComparison } from '../http/operators/policies.ts';
import { addEffects } from '../retention/effect.ts';
import { readPolicy } from '../retention/policy.ts';
import { changeText } from './policy-text.ts';

export interface ApplyFlags {
  yes?: boolean;
  dryRun?: boolean;
  json?: boolean;
  by?: string;
}

export interface ApplyDeps {
  api: Pick<OperatorApi, 'comparePolicy' | 'applyPolicy'>;
  text: string;
  /** Name of the file in messages. */
  file: string;
  print(text: string): void;
  note(text: string): void;
}

/**
 * Shows what a policy changes, and puts it in force.
 * @returns false if it holds or keeps less and `--yes` was not given: nothing was changed then
 * @throws CustodyError `policy_invalid`, `policy_changed`
 */
export async function applyPolicy(
  { api, text, file, print, note }: ApplyDeps,
  { yes = false, dryRun = false, json = false, by = whoami() }: ApplyFlags,
): Promise<boolean> {
  const { digest } = readPolicy(text);
  const { over, isInForce, difference, effect } = await compare(api, text);
  const isWeaker = difference.weaker.length > 0 || effect.shorter.count > 0 || effect.released.count > 0;
  const applies = !isInForce && !dryRun && (yes || !isWeaker);
  if (!json) print(isInForce ? 'This policy is in force already.' : changeText(difference, effect));
  if (applies) await api.applyPolicy({ text, by, over, weaker: isWeaker });
  if (json)
    print(
      JSON.stringify(
        { applied: applies, ...(dryRun && { dryRun }), isInForce, isWeaker, digest, ...difference, effect },
        undefined,
        2,
      ),
    );
  else if (applies) print(`In force now: ${digest}.`);
  if (applies || isInForce) return true;
  if (dryRun) {
    if (!json) print('Dry run: nothing changed.');
    return true;
  }
  note(
    `Nothing changed: this policy holds or keeps less. If that is intended: flex-custody policy apply ${file} --yes`,
  );
  return false;
}

/** Page by page over the whole catalog. */
async function compare(api: Pick<OperatorApi, 'comparePolicy'>, text: string): Promise<PolicyComparison> {
  let whole = await api.comparePolicy(text);
  while (whole.next !== undefined) {
    const page = await api.comparePolicy(text, whole.next);
    if (page.over !== whole.over)
      throw new CustodyError('policy_changed', 'another policy was applied meanwhile: run it again');
    whole = { ...page, effect: addEffects(whole.effect, page.effect) };
  }
  return whole;
}

/** The login name, and the machine's. */
export function whoami(): string {
  return `${login()} on ${hostname()}`;
}

/** In a container the user may have only a number. */
function login(): string {
  try {
    return userInfo().username;
  } catch {
    return `user ${process.getuid?.() ?? 'unknown'}`;
  }
}

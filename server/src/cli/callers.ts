import { CustodyError } from '@flex-custody/core';
import type { CallerKeys } from '../catalog/recording-row.ts';
import type { OperatorApi } from '../http/operators/operator-api.ts';
import { type CallerDigest, callerDigests } from '../retention/caller.ts';
import { asTyped } from '../retention/numbers.ts';
import { readText } from './file-input.ts';

export const aNumber = 'a number in international form, such as +4930123456';

/** @throws CustodyError `caller_secret_missing` */
export function digestBy(secret: string | undefined): CallerDigest {
  const digest = callerDigests(secret);
  if (!digest) {
    throw new CustodyError(
      'caller_secret_missing',
      'cannot search by caller: CUSTODY_CALLER_SECRET is not set. Only --task finds recordings that were linked without it',
    );
  }
  return digest;
}

/** In E.164, those of standard input for `-`. @throws CustodyError `caller_invalid` with the line, never the number */
export async function callersAsked(
  named: readonly string[],
  read: (path: string) => Promise<string> = readText,
): Promise<string[]> {
  if (!named.includes('-')) return [...named];
  if (process.stdin.isTTY) console.error('Type one number a line, and Ctrl-D at the end.');
  const lines = (await read('-')).split(/\r?\n/);
  const found = lines.flatMap((line, at) => {
    if (line.trim() === '') return [];
    const number = asTyped(line);
    if (number === undefined)
      throw new CustodyError('caller_invalid', `line ${at + 1} of standard input is not ${aNumber}`);
    return number;
  });
  if (found.length === 0) throw new CustodyError('caller_invalid', 'standard input names no caller');
  return [...new Set([...named.filter((one) => one !== '-'), ...found])];
}

/** Says how many recordings no number can find, so that the result is not taken for complete. */
export async function sayUnfound(api: Pick<OperatorApi, 'health'>, { keyId }: CallerDigest): Promise<void> {
  const callers = (await api.health()).work?.callers;
  const text = callers && unfoundText(callers, keyId);
  if (text) console.error(text);
}

export function unfoundText({ keys, none }: CallerKeys, keyId: string): string | undefined {
  const others = keys
    .filter((key) => key.keyId !== keyId)
    .reduce((sum, { recordings }) => sum + recordings, 0);
  if (others + none === 0) return undefined;
  return `No number finds ${others} recordings whose caller was stored under another caller secret, and ${none} whose caller is not known: use --task or --recording for those.`;
}

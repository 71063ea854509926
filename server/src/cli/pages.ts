import { InvalidArgumentError } from 'commander';
import type { Behind } from '../db/pages.ts';

/** For `--limit`. */
export function pageSize(text: string): number {
  if (!/^\d{1,4}$/.test(text) || Number(text) < 1 || Number(text) > 1_000)
    throw new InvalidArgumentError('a number from 1 to 1000');
  return Number(text);
}

/** What is behind a page, and how to see it; `behind` is undefined where a host of an earlier release does not count. */
export function moreText(behind: Behind | undefined, after: string): string | undefined {
  if (behind === undefined) return `More: --after ${after}`;
  if (behind.isAll && behind.n === 0) return undefined;
  return `${behind.isAll ? '' : 'more than '}${behind.n.toLocaleString('en-US')} more: --after ${after}`;
}

/** Says on standard error how many more there are, also beside JSON. Only behind a full page somebody is asked. */
export async function noteMore<T>(
  rows: readonly T[],
  limit: number,
  idOf: (row: T) => string,
  behind: (last: T) => Promise<Behind | undefined>,
): Promise<void> {
  const last = rows.length < limit ? undefined : rows.at(-1);
  if (last === undefined) return;
  const text = moreText(await behind(last), idOf(last));
  if (text !== undefined) console.error(text);
}

import { InvalidArgumentError } from 'commander';
import type { Behind } from '../db/pages.ts';
import { printJson } from './output.ts';

/** For `--limit`. */
export function pageSize(text: string): number {
  if (!/^\d{1,4}$/.test(text) || Number(text) < 1 || Number(text) > 1_000)
    throw new InvalidArgumentError('a number from 1 to 1000');
  return Number(text);
}

/** How many rows follow a page, and how to list them; `behind` is undefined if a host of an earlier release does not count them. */
export function moreText(behind: Behind | undefined, after: string): string | undefined {
  if (behind === undefined) return `More: --after ${after}`;
  if (behind.isAll && behind.n === 0) return undefined;
  return `${behind.isAll ? '' : 'more than '}${behind.n.toLocaleString('en-US')} more: --after ${after}`;
}

interface PageOf<T> {
  rows: readonly T[];
  limit: number;
  /** For `--after`. */
  idOf(row: T): string;
  behind(last: T): Promise<Behind | undefined>;
  json: boolean | undefined;
  text(): string;
}

/**
 * Prints a page of a list: as an array with `--json`, else as a text. How many more there are is on standard error either way;
 * they are counted only after a full page.
 */
export async function printPage<T>({ rows, limit, idOf, behind, json, text }: PageOf<T>): Promise<void> {
  const last = rows.length < limit ? undefined : rows.at(-1);
  const more = last === undefined ? undefined : moreText(await behind(last), idOf(last));
  if (json) printJson(rows);
  else console.log(text());
  if (more !== undefined) console.error(more);
}

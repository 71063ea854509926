import type { Marks } from '../../catalog/marks.ts';

const name = 'taskrouter-events-complete';

/** TaskRouter's events of this period are all in the inbox. */
export interface CompletePeriod {
  from: Date;
  until: Date;
}

/** Undefined before the first repair. It says nothing of events of voice and of conversations. */
export async function completePeriod(marks: Pick<Marks, 'mark'>): Promise<CompletePeriod | undefined> {
  const mark = await marks.mark(name);
  const from = new Date(String(mark?.['from']));
  const until = new Date(String(mark?.['until']));
  return Number.isNaN(from.getTime()) || Number.isNaN(until.getTime()) ? undefined : { from, until };
}

/** Until when TaskRouter's events are all in the inbox; undefined before the first repair. */
export const repairedUntil = async (marks: Pick<Marks, 'mark'>): Promise<Date | undefined> =>
  (await completePeriod(marks))?.until;

/**
 * Notes that a period was compared in full. One that does not meet the noted one is not noted, since the gap between them
 * was not compared; `instead` replaces it all the same, where TaskRouter no longer has that gap.
 */
export async function noteComplete(
  marks: Marks,
  { from, until }: CompletePeriod,
  { instead = false } = {},
): Promise<void> {
  const before = await completePeriod(marks);
  const meets = before && from <= before.until && until >= before.from;
  if (before && !meets && !instead) return;
  const whole = meets
    ? { from: from < before.from ? from : before.from, until: until > before.until ? until : before.until }
    : { from, until };
  await marks.setMark(name, { from: whole.from.toISOString(), until: whole.until.toISOString() });
}

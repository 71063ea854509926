import { asRecordingSid } from '@flex-custody/core';
import type { KeepingCatalog } from '../catalog/keeping-catalog.ts';
import type { Expiry, RecordingKind, RecordingRow } from '../catalog/recording-row.ts';
import type { Json } from '../runs/runs.ts';
import { daysOf } from './decide.ts';
import type { Policy } from './policy.ts';

const dayMs = 24 * 60 * 60_000;
const pageRows = 100;

/** Some recordings of a run, and the mark behind which the next page begins. */
export interface Page {
  rows: readonly RecordingRow[];
  /** Kept in the run's state; absent where there are no rows. */
  mark?: Json;
}

/** For each kind of recording that is not kept for ever: the start before which it is due. */
export function expiriesOf(policy: Policy, kinds: readonly RecordingKind[], now: Date): Expiry[] {
  return kinds.flatMap((kind) => {
    const days = daysOf(policy, kind);
    return days === 'forever' ? [] : [{ ...kind, before: new Date(now.getTime() - days * dayMs) }];
  });
}

/** The due recordings, kind by kind, the oldest first. */
export async function* expiredPages(
  catalog: Pick<KeepingCatalog, 'expired'>,
  expiries: readonly Expiry[],
  from: Readonly<Json> | undefined,
): AsyncGenerator<Page> {
  for (let left = behind(expiries, placeIn(from)); left.length > 0; ) {
    const rows = await catalog.expired(left, pageRows);
    const last = rows.at(-1);
    if (!last) return;
    const place = placeOf(last);
    const { startedAt } = place;
    yield { rows, mark: { ...place, startedAt: startedAt.toISOString() } };
    if (rows.length < pageRows) return;
    left = behind(left, place);
  }
}

interface Place extends RecordingKind {
  startedAt: Date;
  recordingSid: RecordingRow['recordingSid'];
}

/** A row's kind as a policy's rules see it: an unproven direction counts as unknown. */
function placeOf({ queue, direction, unproven, startedAt, recordingSid }: RecordingRow): Place {
  return {
    ...(queue && { queue }),
    ...(direction && !unproven.includes('direction') && { direction }),
    startedAt,
    recordingSid,
  };
}

/** Undefined where there is none, or an earlier release wrote it. */
function placeIn(mark: Readonly<Json> | undefined): Place | undefined {
  const { queue, direction, startedAt, recordingSid } = mark ?? {};
  const sid = asRecordingSid(recordingSid);
  const at = new Date(String(startedAt));
  if (!sid || Number.isNaN(at.getTime())) return undefined;
  return { ...({ queue, direction } as RecordingKind), startedAt: at, recordingSid: sid };
}

/** What is left behind a place; all of it where the place's kind is no longer among them. */
function behind(all: readonly Expiry[], place: Place | undefined): readonly Expiry[] {
  const at = all.findIndex((one) => one.queue === place?.queue && one.direction === place?.direction);
  const [first, ...others] = all.slice(Math.max(0, at));
  if (!place || at < 0 || !first) return all;
  return [{ ...first, after: { startedAt: place.startedAt, recordingSid: place.recordingSid } }, ...others];
}

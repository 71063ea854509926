import { asRecordingSid } from '@flex-custody/core';
import type { KeepingCatalog } from '../catalog/keeping-catalog.ts';
import type { Expiry, RecordingKind, RecordingRow } from '../catalog/recording-row.ts';
import type { Json } from '../runs/runs.ts';
import { daysOf } from './decide.ts';
import type { Kept } from './may-destroy.ts';
import type { Policy } from './policy.ts';

const dayMs = 24 * 60 * 60_000;
const pageRows = 100;

/** A page of recordings, and the mark after which the next page begins. */
export interface Page {
  rows: readonly RecordingRow[];
  /** What is kept of the same part, by the SID or id that it is named by. */
  kept?: ReadonlyMap<string, Kept>;
  /** Stored in the run's state; absent if there are no rows. */
  mark?: Json;
}

/** For each kind of recording with a limited period: recordings that started before this time are due. */
export function expiriesOf(policy: Policy, kinds: readonly RecordingKind[], now: Date): Expiry[] {
  return kinds.flatMap((kind) => {
    const days = daysOf(policy, kind);
    return days === 'forever' ? [] : [{ ...kind, before: new Date(now.getTime() - days * dayMs) }];
  });
}

/** The due recordings, kind by kind, oldest first. */
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

/** Undefined if there is none, or if an earlier release wrote it. */
function placeIn(mark: Readonly<Json> | undefined): Place | undefined {
  const { queue, direction, startedAt, recordingSid } = mark ?? {};
  const sid = asRecordingSid(recordingSid);
  const at = new Date(String(startedAt));
  if (!sid || Number.isNaN(at.getTime())) return undefined;
  return { ...({ queue, direction } as RecordingKind), startedAt: at, recordingSid: sid };
}

/** What is left after a place; everything if the place's kind no longer exists. */
function behind(all: readonly Expiry[], place: Place | undefined): readonly Expiry[] {
  const at = all.findIndex((one) => one.queue === place?.queue && one.direction === place?.direction);
  const [first, ...others] = all.slice(Math.max(0, at));
  if (!place || at < 0 || !first) return all;
  return [{ ...first, after: { startedAt: place.startedAt, recordingSid: place.recordingSid } }, ...others];
}

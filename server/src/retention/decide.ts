import type { RecordingRow } from '../catalog/recording-row.ts';
import { type CallerDigest, digestsOf, isBy } from './caller.ts';
import type { Days, Hold, KeepRule, Policy } from './policy.ts';
import { queueKey } from './queue-names.ts';

const dayMs = 24 * 60 * 60_000;

type Facts = Pick<
  RecordingRow,
  | 'recordingSid'
  | 'taskSid'
  | 'hints'
  | 'caller'
  | 'startedAt'
  | 'queue'
  | 'direction'
  | 'state'
  | 'unproven'
  | 'hintedCallers'
>;

/** Whether a condition holds, or is unknown. */
type Fits = 'yes' | 'no' | 'unknown';

/**
 * The holds that cover a recording; nothing of it may be removed while there is one. A hold also covers a recording whose
 * task or caller is unknown, because a destroyed recording cannot be held any more.
 * @param digest of callers; undefined: no secret is set, and no caller can be identified
 */
export function holdsOn(policy: Policy, row: Facts, digest: CallerDigest | undefined): string[] {
  return policy.holds.filter((hold) => isUnder(hold, row, digest)).map(({ id }) => id);
}

function isUnder(hold: Hold, row: Facts, digest: CallerDigest | undefined): boolean {
  if (hold.recordings.has(row.recordingSid)) return true;
  if (hold.range && (row.unproven.includes('start') || isWithin(hold.range, row.startedAt.getTime())))
    return true;
  if (hold.tasks.size > 0) {
    // A browser's hint cannot remove a recording from a hold, but it can add the hold.
    if (row.taskSid === undefined || row.unproven.includes('owner')) return true;
    if (hold.tasks.has(row.taskSid) || (row.hints.taskSid && hold.tasks.has(row.hints.taskSid))) return true;
  }
  if (hold.callers.length === 0) return false;
  if (digest === undefined || row.caller === undefined || row.unproven.includes('caller')) return true;
  // A digest by another secret could be of any number, also of a held one.
  if (![row.caller, ...row.hintedCallers].every((one) => isBy(digest, one))) return true;
  const held = heldBy(hold, digest);
  // A number in task attributes can add a hold to a recording, and never remove it.
  return held.has(row.caller) || row.hintedCallers.some((hinted) => held.has(hinted));
}

const isWithin = ({ from, to }: NonNullable<Hold['range']>, at: number): boolean => at >= from && at < to;

/** Digests of a hold's callers, computed once: a run needs them for every recording. */
const made = new WeakMap<Hold, { digest: CallerDigest; held: ReadonlySet<string> }>();

function heldBy(hold: Hold, digest: CallerDigest): ReadonlySet<string> {
  const known = made.get(hold);
  if (known?.digest === digest) return known.held;
  const held = new Set(
    hold.callers.flatMap(({ number, written }) => [...digestsOf(digest, number), digest(written)]),
  );
  made.set(hold, { digest, held });
  return held;
}

/**
 * How long a recording is kept: by the first rule that fits, or, if queue or direction is unknown, the longest period of
 * the rules that may fit.
 */
export function daysOf(
  { keep }: Policy,
  row: Pick<Facts, 'queue' | 'direction'> & Partial<Pick<Facts, 'unproven'>>,
): Days {
  const facts: Pick<Facts, 'queue' | 'direction'> = {
    ...(row.queue !== undefined && { queue: queueKey(row.queue) }),
    ...(row.direction && !row.unproven?.includes('direction') && { direction: row.direction }),
  };
  let longest: Days | undefined;
  for (const rule of keep.rules) {
    const fits = fit(rule, facts);
    if (fits === 'no') continue;
    longest = longer(longest, rule.days);
    if (fits === 'yes') return longest;
  }
  return longer(longest, keep.otherwise);
}

function fit(rule: KeepRule, { queue, direction }: Pick<Facts, 'queue' | 'direction'>): Fits {
  const each = [within(rule.queueKeys, queue), within(rule.directions, direction)];
  if (each.includes('no')) return 'no';
  return each.includes('unknown') ? 'unknown' : 'yes';
}

function within<T>(wanted: readonly T[] | undefined, value: T | undefined): Fits {
  if (wanted === undefined) return 'yes';
  if (value === undefined) return 'unknown';
  return wanted.includes(value) ? 'yes' : 'no';
}

function longer(a: Days | undefined, b: Days): Days {
  if (a === undefined) return b;
  return a === 'forever' || b === 'forever' ? 'forever' : Math.max(a, b);
}

/** When the recording's period ends; undefined: never. */
export function keptUntil(policy: Policy, row: Facts): Date | undefined {
  const days = daysOf(policy, row);
  return days === 'forever' ? undefined : new Date(row.startedAt.getTime() + days * dayMs);
}

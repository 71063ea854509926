import { asRecordingSid, CustodyError } from '@flex-custody/core';
import type { AlarmCode } from '../../../alarms/alarm-table.ts';
import { withGatheredAlarms } from '../../../alarms/gather-alarms.ts';
import type { Run } from '../../../runs/runs.ts';
import type { IngestDeps } from '../../deps.ts';
import { bucketPass } from './bucket-pass.ts';
import { createTally, type Tally } from './tally.ts';
import { twilioPass, type Window } from './twilio-pass.ts';

/** Alarms that a pass over the whole bucket raises, with the name of each count. */
const ofBucket: readonly [AlarmCode, string][] = [
  ['object_lost', 'lost'],
  ['object_unreadable', 'unreadable'],
];
const mostAlarms = 1_000;

export interface ReconcileOptions {
  /** ISO 8601. */
  since: string;
  until?: string;
  dryRun?: boolean;
  settledMs?: number;
  /** Compares only Twilio's list, not the bucket. */
  withoutBucket?: boolean;
}

/**
 * Runs the command `reconcile`: compares Twilio's list with the catalog, then the catalog with the bucket. A continued
 * run repeats the page at which it stopped, which changes nothing.
 * @throws CustodyError `request_invalid` (400) if `until` is not later than `since`; otherwise as Twilio, store and
 * catalog do
 */
export async function reconcile(deps: IngestDeps, run: Run): Promise<void> {
  const options = run.options as unknown as ReconcileOptions;
  const tally = createTally(run);
  const isWhole = !options.withoutBucket && !options.dryRun;
  let answered: AlarmCode[] = [];
  await withGatheredAlarms(
    deps,
    async (all) => {
      const asOf = await compareBoth(all, run, options, tally);
      if (isWhole) answered = await answeredBy(deps, tally, asOf);
    },
    () => answered,
  );
}

/**
 * Resolves the alarms whose fault a pass over the whole bucket did not find.
 * @param asOf when the inventory was begun that replaced the listing: later losses are not in it
 */
async function answeredBy(
  { alarms }: IngestDeps,
  tally: Tally,
  asOf: Date | undefined,
): Promise<AlarmCode[]> {
  const none = notFound(tally);
  if (!asOf) return none;
  const newest = await alarms.list({ open: true, limit: mostAlarms });
  const since = newest.filter(({ lastAt }) => lastAt >= asOf);
  if (since.length === mostAlarms) return [];
  return none.filter((code) => !since.some((one) => one.code === code && !one.recordingSid));
}

/** @returns when the inventory was begun, if the keys come from one */
async function compareBoth(
  deps: IngestDeps,
  run: Run,
  options: ReconcileOptions,
  tally: Tally,
): Promise<Date | undefined> {
  const dryRun = options.dryRun === true;
  const { state = {}, signal } = run;
  const window: Window = {
    since: new Date(options.since),
    ...(options.until !== undefined && { until: new Date(options.until) }),
  };
  if (window.until && window.until <= window.since)
    throw new CustodyError('request_invalid', 'the end of the time range must be later than its beginning');
  const save = (next: Record<string, unknown>) =>
    run.save(next, { ...tally.counts, done: (tally.counts['seen'] ?? 0) + (tally.counts['compared'] ?? 0) });
  if (state['listed'] !== true) {
    const before = typeof state['before'] === 'string' ? new Date(state['before']) : undefined;
    const how = { dryRun, settledMs: options.settledMs ?? 0, before, signal };
    await twilioPass(deps, window, tally, how, (oldest) => save({ before: oldest }));
    await save({ listed: true });
  }
  if (options.withoutBucket) return undefined;
  const after = asRecordingSid(state['after']);
  const asOf = await bucketPass(deps, tally, { dryRun, after, signal }, (sid) =>
    save({ listed: true, after: sid }),
  );
  await save({ listed: true, compared: true });
  return asOf;
}

/**
 * The scheduled run: compares the catalog with the bucket only.
 * @throws CustodyError as Twilio, store and catalog do
 */
export async function compareBucket(deps: IngestDeps, run: Run): Promise<void> {
  const tally = createTally(run);
  const { state, signal } = run;
  const save = (next: Record<string, unknown>) =>
    run.save(next, { ...tally.counts, done: tally.counts['compared'] ?? 0 });
  let answered: AlarmCode[] = [];
  await withGatheredAlarms(
    deps,
    async (all) => {
      const after = asRecordingSid(state?.['after']);
      const asOf = await bucketPass(all, tally, { dryRun: false, after, signal }, (sid) =>
        save({ after: sid }),
      );
      await save({ compared: true });
      answered = await answeredBy(deps, tally, asOf);
    },
    () => answered,
  );
}

/** Alarms whose fault was found neither by this process nor before the run was interrupted. */
const notFound = ({ counts }: Tally): AlarmCode[] =>
  ofBucket.flatMap(([code, counted]) => ((counts[counted] ?? 0) > 0 ? [] : code));

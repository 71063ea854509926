import { asRecordingSid, CustodyError } from '@flex-custody/core';
import type { AlarmCode } from '../../catalog/alarm-table.ts';
import { withGatheredAlarms } from '../../catalog/gather-alarms.ts';
import type { Run } from '../../runs/runs.ts';
import type { IngestParts } from '../parts.ts';
import { bucketPass } from './bucket-pass.ts';
import { createTally } from './tally.ts';
import { twilioPass, type Window } from './twilio-pass.ts';

/** Alarms that a look at the whole bucket raises for all that it finds. */
const ofBucket: readonly AlarmCode[] = ['object_lost', 'object_unreadable'];
const mostAlarms = 1_000;

export interface ReconcileOptions {
  /** ISO 8601. */
  since: string;
  until?: string;
  dryRun?: boolean;
  settledMs?: number;
  /** Only what Twilio lists: the bucket is compared another time. */
  withoutBucket?: boolean;
}

/**
 * Twilio's list, the catalog and the bucket, held against each other. Does again what it did where it stopped in the
 * midst of a page: taking in twice is once.
 */
export async function reconcile(parts: IngestParts, run: Run): Promise<void> {
  const options = run.options as unknown as ReconcileOptions;
  const isWhole = !options.withoutBucket && !options.dryRun;
  const asked: AlarmCode[] = [];
  await withGatheredAlarms(
    parts,
    async (all) => {
      const asOf = await compare(all, run, options);
      if (isWhole) asked.push(...(await answeredBy(parts, asOf)));
    },
    asked,
  );
}

/**
 * Alarms of many recordings that a look at the whole bucket may close where it finds none of them.
 * @param asOf when the inventory was begun that took the bucket's place: it does not know what was lost since
 */
async function answeredBy({ alarms }: IngestParts, asOf: Date | undefined): Promise<AlarmCode[]> {
  if (!asOf) return [...ofBucket];
  const newest = await alarms.list({ open: true, limit: mostAlarms });
  const since = newest.filter(({ lastAt }) => lastAt >= asOf);
  if (since.length === mostAlarms) return [];
  return ofBucket.filter((code) => !since.some((one) => one.code === code && !one.recordingSid));
}

/** @returns when the inventory was begun, where the bucket's keys were taken from one */
async function compare(parts: IngestParts, run: Run, options: ReconcileOptions): Promise<Date | undefined> {
  const tally = createTally(run);
  const dryRun = options.dryRun === true;
  const { state = {}, signal } = run;
  const window: Window = {
    since: new Date(options.since),
    ...(options.until !== undefined && { until: new Date(options.until) }),
    settledMs: options.settledMs ?? 0,
  };
  if (window.until && window.until <= window.since)
    throw new CustodyError(
      'request_invalid',
      'the end of the time to look at must be later than its beginning',
      {
        status: 400,
      },
    );
  const save = (next: Record<string, unknown>) =>
    run.save(next, { ...tally.counts, done: (tally.counts['seen'] ?? 0) + (tally.counts['compared'] ?? 0) });
  if (state['listed'] !== true) {
    const page = typeof state['page'] === 'string' ? state['page'] : undefined;
    await twilioPass(parts, window, tally, { dryRun, page, signal }, (next) =>
      save(next === undefined ? { listed: true } : { page: next }),
    );
  }
  if (options.withoutBucket) return undefined;
  const after = asRecordingSid(state['after']);
  const asOf = await bucketPass(parts, tally, { dryRun, after, signal }, (sid) =>
    save({ listed: true, after: sid }),
  );
  await save({ listed: true, compared: true });
  return asOf;
}

import { createAudit, operator } from '../../../server/src/access/audit.ts';
import type { Stale } from '../../../server/src/catalog/recording-row.ts';
import type { Db } from '../../../server/src/db/db.ts';
import { bucketPass } from '../../../server/src/ingest/upkeep/reconcile/bucket-pass.ts';
import { createTally } from '../../../server/src/ingest/upkeep/reconcile/tally.ts';
import { twilioPass } from '../../../server/src/ingest/upkeep/reconcile/twilio-pass.ts';
import { jobTable, partsOf } from '../../../server/src/queue/job-table.ts';
import { retainNow } from '../../../server/src/retention/index.ts';
import type { HostDeps } from '../../../server/src/start/host-deps.ts';
import { fillJobs, shortQueue } from '../../support/fill-catalog.ts';
import { median } from './figures.ts';
import { filledSid, filledTwilio } from './growth-world.ts';

export interface Measured {
  name: string;
  unit: 'ms' | 'µs a row';
  value: number;
  /** What it must not exceed at the largest size, in `unit`; absent where it is only reported. */
  most?: number;
  /** What it must not exceed, as a multiple of the smallest size's. */
  mostRatio?: number;
}

const statementRounds = 11;
const commandRounds = 5;
/** Of periodic work. */
const mostPeriodicMs = 5;
const mostRetentionMs = 1_000;
/** The pass over Twilio's list pauses between pages and asks one recording at a time: more rows would tell no more. */
const twilioRows = 10_000;

async function timed(work: () => Promise<unknown>, rounds: number): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const began = performance.now();
    await work();
    times.push(performance.now() - began);
  }
  return median(times);
}

/** What hosts ask of the database at every play, at every minute and at an operator's word. */
export async function measureStatements(db: Db, deps: HostDeps, rows: number): Promise<Measured[]> {
  const { alarms, catalog, queue, uploads } = deps;
  const audit = createAudit(db);
  const olderThan = new Date(Date.now() - 120_000);
  const middle = `RE8${'0'.repeat(31)}` as ReturnType<typeof filledSid>;
  const expiries = (await catalog.kindsKept()).map((kind) => ({
    ...kind,
    before: new Date(Date.now() - (kind.queue === shortQueue ? 30 : 3_650) * 86_400_000),
  }));
  const stale: Record<string, Stale> = {
    registered: { which: 'state', state: 'registered', olderThan },
    copying: { which: 'state', state: 'copying', olderThan },
    sealed: { which: 'state', state: 'sealed', olderThan },
    undescribed: { which: 'undescribed', olderThan },
    'link pending': { which: 'pending-link', olderThan },
    unproven: { which: 'unproven', olderThan },
    'failed, to be tried again': {
      which: 'state',
      state: 'failed',
      failures: ['twilio_unavailable', 'store_unavailable'],
      olderThan,
    },
  };
  const asked: [name: string, work: () => Promise<unknown>][] = [
    ['find a recording', () => catalog.find(filledSid(rows >> 1))],
    [
      'audit insert',
      () =>
        audit.record({
          viewer: operator,
          action: 'play',
          subject: { kind: 'recording', sid: filledSid(7) },
          allowed: true,
          reason: 'operator',
        }),
    ],
    ['list, the newest 50', () => catalog.list({ limit: 50 })],
    ['list, 50 failed', () => catalog.list({ state: 'failed', limit: 50 })],
    ['count behind a page of failed', () => catalog.countBehind({ state: 'failed' })],
    ['erase: what is selected', () => catalog.selected({ recordings: [filledSid(5_000)] }, undefined, 100)],
    ['inOrder, 500 in the middle', () => catalog.inOrder(middle, 500)],
  ];
  const periodic: [name: string, work: () => Promise<unknown>][] = [
    ['counts()', () => catalog.counts()],
    ['alarms by code', () => alarms.counts()],
    ...Object.entries(stale).map(
      ([name, of]) => [`janitor: ${name}`, () => catalog.stale(of)] as [string, () => Promise<unknown>],
    ),
    ['janitor: settled uploads', () => uploads.removeSettled()],
    ['sourcesDue, nothing due', () => catalog.sourcesDue(72, 200)],
    ['sources set aside, whose time has passed', () => catalog.lookAgain('source')],
    ['recordings set aside, whose time has passed', () => catalog.lookAgain('recording')],
    ['unfinishedErasures', () => catalog.unfinishedErasures(100)],
    ['stuckErasures', () => catalog.stuckErasures(100)],
    ['kinds that are kept', () => catalog.kindsKept()],
    ['expired, nothing due', () => catalog.expired(expiries, 100)],
  ];
  const measured: Measured[] = [];
  const measure = async (name: string, work: () => Promise<unknown>, more: Partial<Measured> = {}) => {
    // Once before: the first one plans.
    await work();
    measured.push({ name, unit: 'ms', value: await timed(work, statementRounds), ...more });
  };
  for (const [name, work] of asked) await measure(name, work);
  for (const [name, work] of periodic) await measure(name, work, { most: mostPeriodicMs });
  await queue.counts();
  await fillJobs(db, 'pgboss', { waiting: 100_000, due: 100 });
  await db.query('ANALYZE');
  const part = (await partsOf(db, 'pgboss')).get('copy') ?? '';
  const table = jobTable(db, part, 'copy');
  await measure('take a job, 100,000 not yet due beside', async () => {
    const taken = await table.take(1);
    await table.complete(taken.map(({ id }) => id));
  });
  await db.query(`DELETE FROM pgboss.job WHERE name IN ('copy', 'link', 'verify', 'describe')`);
  return measured;
}

/** Of what a schedule does by the hour and by the day. */
export async function measurePasses(
  deps: HostDeps,
  rows: number,
  log: (line: string) => void,
): Promise<Measured[]> {
  const { signal } = new AbortController();
  const today = new Date().toISOString().slice(0, 10);
  // The hold is what keeps the few that are overdue.
  await deps.policies.apply(
    `version: 1\nkeep:\n  default: 3650\n  rules:\n    - queue: ${shortQueue}\n      days: 30\nholds:\n  - id: bench\n    from: 2000-01-01\n    until: ${today}\n`,
    'bench',
  );
  // The first run after a change of the policy looks at all that was set aside.
  await retainNow(deps, signal);
  const retention = await timed(() => retainNow(deps, signal), commandRounds);
  const tally = createTally();
  const options = { dryRun: true, after: undefined, signal };
  const bucketMs = await timed(() => bucketPass(deps, tally, options, async () => undefined), 1);
  log(`bucket pass: ${Math.round(bucketMs / 1_000)} s, ${JSON.stringify(tally.counts)}`);
  const listed = Math.min(rows, twilioRows);
  const twilio = filledTwilio(deps.config.accountSid, listed);
  const looked = createTally();
  const twilioMs = await timed(
    () =>
      twilioPass(
        { ...deps, twilio },
        { since: new Date(0) },
        looked,
        { ...options, settledMs: 0, before: undefined },
        async () => undefined,
      ),
    1,
  );
  log(`pass over Twilio's list: ${Math.round(twilioMs / 1_000)} s, ${JSON.stringify(looked.counts)}`);
  const compared = tally.counts['compared'] ?? 0;
  if ((tally.counts['lost'] ?? 0) > 0 || compared < rows * 0.9)
    throw new Error(`the bucket pass found another bucket than the fill's: ${JSON.stringify(tally.counts)}`);
  if (looked.counts['known'] !== listed)
    throw new Error(`the pass over Twilio's list knew others: ${JSON.stringify(looked.counts)}`);
  return [
    { name: 'hourly retention, nothing due', unit: 'ms', value: retention, most: mostRetentionMs },
    { name: 'bucket pass, dry', unit: 'µs a row', value: (bucketMs * 1_000) / rows, mostRatio: 2 },
    { name: "pass over Twilio's list", unit: 'µs a row', value: (twilioMs * 1_000) / listed, mostRatio: 2 },
  ];
}

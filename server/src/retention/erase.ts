import { randomUUID } from 'node:crypto';
import {
  type AccountSid,
  asRecordingSid,
  CustodyError,
  type ErrorCode,
  type RecordingSid,
} from '@flex-custody/core';
import { withGatheredAlarms } from '../alarms/gather-alarms.ts';
import type { Certificates } from '../catalog/certificates.ts';
import type { RecordingRow, Selection } from '../catalog/recording-row.ts';
import type { Config } from '../config.ts';
import type { Json, Run } from '../runs/runs.ts';
import type { SigningIdentity } from '../signing/identity.ts';
import { brake } from './brake.ts';
import { certify, type Gone, proveCertifiable } from './certify.ts';
import { forgetTwilioTime, readClock } from './clock.ts';
import { holdsOn, keptUntil } from './decide.ts';
import { continueErasure, type EraseOneDeps, eraseOne, type Scene, type Why } from './erase-one.ts';
import { eraseSessions } from './erase-sessions.ts';
import { expiredPages, expiriesOf, type Page } from './expired.ts';
import { lookAgainOnChange } from './look-again.ts';
import { noPolicy } from './policy.ts';
import { proveRemovable } from './prove-removable.ts';

export { certificateKey } from './certify.ts';

export interface KeepingDeps extends EraseOneDeps {
  config: { accountSid: AccountSid } & Partial<Pick<Config, 'acceptUnversioned' | 'policyFile'>>;
  certificates: Certificates;
  signing: Pick<SigningIdentity, 'sign'>;
  /** Removes the jobs that name any of these SIDs. */
  forgetJobs?: (sids: readonly string[]) => Promise<void>;
}

export interface EraseOptions {
  recordings?: readonly RecordingSid[];
  tasks?: Selection['tasks'];
  /** Digests. */
  callers?: readonly string[];
  /** The operator's text for the certificate. */
  reference?: string;
  dryRun?: boolean;
}

const pageRows = 100;
/** Recordings erased at the same time: each takes about ten requests, one after the other. */
const atOnce = 8;
/** A run without progress for five minutes counts as dead. */
const keepEveryMs = 60_000;
/** So many recordings are listed by SID for the operator; more are only counted. */
const mostNamed = 50;

/**
 * Erases the recordings that an operator has selected.
 * @throws CustodyError `recording_unknown` or `task_unrecorded` before anything is erased, `policy_not_applied`,
 * `policy_invalid`, `clock_differs`
 */
export async function eraseSelected(deps: KeepingDeps, run: Run): Promise<void> {
  const { recordings, tasks, callers, reference, dryRun } = run.options as EraseOptions;
  const of: Selection = {
    ...(recordings && { recordings }),
    ...(tasks && { tasks }),
    ...(callers && { callers }),
  };
  // Before the host's first start on this database the file is not applied, so its holds would have no effect.
  if (deps.config.policyFile !== undefined && (await deps.policies.inForce()).digest === noPolicy.digest) {
    throw new CustodyError(
      'policy_not_applied',
      'CUSTODY_POLICY_FILE names a policy, but no policy is in force, so nothing was erased: start the host once, or use `flex-custody policy apply`',
    );
  }
  // A continued run has checked them when it began.
  if (run.state === undefined) await knowAll(deps, of);
  await erase(deps, run, {
    pages: (mark) => selectedPages(deps, of, mark),
    about: ({ hints, taskSid, unproven }) =>
      hints.taskSid && tasks?.includes(hints.taskSid) && (taskSid === undefined || unproven.includes('owner'))
        ? ' (only a hint names its task)'
        : '',
    isDue: () => true,
    why: () => ({ reason: 'erasure', ...(reference !== undefined && { reference }) }),
    dryRun: dryRun === true,
    afterAll: (scene) =>
      eraseSessions(deps, { ...(tasks && { tasks }), ...(callers && { callers }) }, scene, run.signal),
  });
}

/** A mistyped SID must not look like an erased recording. */
async function knowAll({ catalog }: KeepingDeps, { recordings = [], tasks = [] }: Selection): Promise<void> {
  const found = await Promise.all(recordings.map((sid) => catalog.find(sid)));
  const unknown = recordings.filter((_, index) => found[index] === undefined);
  if (unknown.length > 0) throw unknownTo('recording_unknown', unknown);
  const unknownTasks = await catalog.unknownTasks(tasks);
  if (unknownTasks.length > 0) throw unknownTo('task_unrecorded', unknownTasks);
}

function unknownTo(code: ErrorCode, sids: readonly string[]): CustodyError {
  return new CustodyError(code, `the catalog does not know ${sids.join(', ')}, so nothing was erased`);
}

/** A due recording that stays is set aside for so long, unless another policy comes into force or an operator asks for all. */
const asideSeconds = 24 * 60 * 60;

/**
 * Erases the recordings whose period in the policy is over. It counts them first, and stops if they are far more than
 * usual. It does not read recordings that a run of the last day found held, locked or unproven.
 * @throws CustodyError `policy_missing`, `policy_invalid`, `retention_braked`, `clock_differs`
 */
export async function eraseExpired(deps: KeepingDeps, run: Run): Promise<void> {
  const { alarms, callerDigest, catalog } = deps;
  const { dryRun = false, yes = false, all = false } = run.options as Record<string, boolean>;
  const policy = await deps.policies.inForce();
  const { now, differs } = await readClock(deps);
  if (differs) {
    await alarms.raise('clock_differs', undefined, differs);
    throw new CustodyError('clock_differs', differs);
  }
  await alarms.resolve(['clock_differs']);
  await lookAgainOnChange(deps, 'recording', policy, all);
  const expiries = expiriesOf(policy, await catalog.kindsKept(), now);
  const isDue = (row: RecordingRow) =>
    (keptUntil(policy, row)?.getTime() ?? Number.POSITIVE_INFINITY) <= now.getTime();
  const isToGo = (row: RecordingRow) =>
    isDue(row) && row.unproven.length === 0 && holdsOn(policy, row, callerDigest).length === 0;
  const pages = (mark: Readonly<Json> | undefined) => expiredPages(catalog, expiries, mark);
  const erased = await erase(deps, run, {
    pages,
    isDue,
    why: () => ({
      reason: 'retention',
      ...(!dryRun && { stays: (row) => catalog.setAside(row.recordingSid, 'recording', asideSeconds) }),
    }),
    dryRun,
    async beforeAll(mark) {
      if (policy.digest === noPolicy.digest)
        throw new CustodyError('policy_missing', 'no policy is in force: all recordings are kept');
      if (dryRun || yes) return;
      let due = 0;
      for await (const { rows } of pages(mark)) due += rows.filter(isToGo).length;
      const braked = await brake(catalog, due, {
        mean: await catalog.usuallyRetained(),
        command: 'flex-custody retention --yes',
      });
      if (braked === undefined) return alarms.resolve(['retention_braked']);
      await alarms.raise('retention_braked', undefined, braked);
      throw new CustodyError('retention_braked', braked);
    },
  });
  if (erased > 0) await catalog.noteRetained(erased);
}

/** What a run erases, and why. */
export interface ErasingPlan {
  /** The pages after a mark. */
  pages(mark: Readonly<Json> | undefined): AsyncIterable<Page>;
  /** See {@link Scene}. */
  about?(row: RecordingRow): string;
  isDue(row: RecordingRow): boolean;
  why(row: RecordingRow): Why;
  dryRun: boolean;
  /** Called at the end, when the recordings are erased. */
  afterAll?(scene: Scene): Promise<void>;
  /** Called after begun erasures are ended, and before a new one begins. */
  beforeAll?(mark: Readonly<Json> | undefined): Promise<void>;
}

/** No erasure of it has begun. */
const isOpen = (row: RecordingRow) => row.state !== 'erased' && row.intent === undefined;

/** The selected recordings, by SID. */
async function* selectedPages(
  { catalog }: KeepingDeps,
  of: Selection,
  mark: Readonly<Json> | undefined,
): AsyncGenerator<Page> {
  for (let after = asRecordingSid(mark?.['after']); ; ) {
    const rows = await catalog.selected(of, after, pageRows);
    after = rows.at(-1)?.recordingSid;
    if (after) yield { rows, mark: { after } };
    if (rows.length < pageRows) return;
  }
}

/**
 * Erases recordings in batches, with a certificate for each batch: all versions in the bucket, the original at Twilio,
 * and all of the catalog's row except the SID. A recording that may not be erased stays complete. First it ends the
 * erasures that other runs have begun.
 * @returns how many it erased, without those that other runs had begun
 */
export async function erase(deps: KeepingDeps, run: Run, plan: ErasingPlan): Promise<number> {
  let erased = 0;
  await withGatheredAlarms(deps, async (all) => {
    erased = await eraseAll(all, run, plan);
  });
  return erased;
}

async function eraseAll(deps: KeepingDeps, run: Run, plan: ErasingPlan): Promise<number> {
  const { catalog } = deps;
  forgetTwilioTime(deps);
  const id = randomUUID();
  const counts: Record<string, number> = { ...run.counts };
  const notes: Record<string, string> = { ...(run.state?.['notes'] as Record<string, string> | undefined) };
  let proven: Promise<void> | undefined;
  const scene: Scene = {
    run: id,
    dryRun: plan.dryRun,
    count(name) {
      counts[name] = (counts[name] ?? 0) + 1;
    },
    name(sid, what) {
      if (Object.keys(notes).length < mostNamed) notes[sid] = what;
    },
    about: (row) => plan.about?.(row) ?? '',
    certifiable: () => {
      proven ??= proveCertifiable(deps, id)
        .then(() => proveRemovable(deps.store))
        .then(() => undefined);
      return proven;
    },
  };
  const batch = async (
    rows: readonly RecordingRow[],
    one: (row: RecordingRow) => Promise<Gone | undefined>,
  ): Promise<number> => {
    const gone: Gone[] = [];
    let keptAt = performance.now();
    try {
      for (let at = 0; at < rows.length; at += atOnce) {
        run.signal.throwIfAborted();
        const ends = await Promise.allSettled(rows.slice(at, at + atOnce).map(one));
        // Erased recordings are certified even if another recording's failure ends the run.
        for (const end of ends) if (end.status === 'fulfilled' && end.value) gone.push(end.value);
        const failed = ends.find((end) => end.status === 'rejected');
        if (failed) throw failed.reason;
        // While this run makes progress, no other run takes over recordings that wait for their certificate.
        if (performance.now() - keptAt > keepEveryMs) {
          await catalog.keepErasures(id);
          keptAt = performance.now();
        }
      }
    } finally {
      const certified = gone.length > 0 ? await certify(deps, id, gone) : new Set();
      for (const _ of certified) scene.count('erased');
    }
    return gone.length;
  };

  const seen = new Set<RecordingSid>();
  let erased = 0;
  try {
    if (!plan.dryRun) {
      for (let last: RecordingSid | undefined; ; ) {
        const rows = await catalog.unfinishedErasures(pageRows, last);
        await batch(rows, async (row) => {
          const went = await continueErasure(deps, row, scene);
          if (went === 'as-before') return undefined;
          seen.add(row.recordingSid);
          return went;
        });
        last = rows.at(-1)?.recordingSid;
        if (rows.length < pageRows) break;
      }
    }
    let mark = run.state;
    await plan.beforeAll?.(mark);
    for await (const page of plan.pages(mark)) {
      const meant = page.rows.filter((row) => !seen.has(row.recordingSid) && plan.isDue(row));
      const due = meant.filter(isOpen);
      for (const { intent, recordingSid } of meant.filter((row) => !isOpen(row))) {
        scene.count('being_erased');
        scene.name(recordingSid, `being erased since ${intent?.begunAt.toISOString() ?? 'before'}`);
      }
      for (const [which, { why, detail }] of page.kept ?? []) {
        scene.count(why);
        scene.name(which, detail);
      }
      for (const _ of due) scene.count('done');
      erased += await batch(due, (row) => eraseOne(deps, row, plan.why(row), scene));
      mark = page.mark;
      await run.save({ ...mark, notes }, counts);
    }
    await plan.afterAll?.(scene);
    await run.save({ ...mark, notes }, counts);
    if (erased > 0 || counts['sessions_erased']) await catalog.reclaim();
    return erased;
  } finally {
    // If this fails, other runs can take over after five minutes.
    await leave(deps, id).catch(() => undefined);
  }
}

/** Gives up the run's hold on its erasures; one that has not ended for a day raises an alarm. */
async function leave({ alarms, catalog }: KeepingDeps, id: string): Promise<void> {
  await catalog.leaveErasures(id);
  for (const sid of await catalog.stuckErasures(pageRows))
    await alarms.raise('erasure_stuck', sid, 'its erasure began more than a day ago and cannot be ended');
}

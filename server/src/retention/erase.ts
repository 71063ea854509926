import { randomUUID } from 'node:crypto';
import {
  type AccountSid,
  asRecordingSid,
  CustodyError,
  type ErrorCode,
  type RecordingSid,
  type TaskSid,
} from '@flex-custody/core';
import { withGatheredAlarms } from '../alarms/gather-alarms.ts';
import type { Certificates } from '../catalog/certificates.ts';
import type { RecordingRow, Selection } from '../catalog/recording-row.ts';
import type { Config } from '../config.ts';
import type { Json, Run } from '../runs/runs.ts';
import type { SigningIdentity } from '../signing/identity.ts';
import { brake } from './brake.ts';
import { certify, type Gone, proveCertifiable } from './certify.ts';
import { readClock } from './clock.ts';
import { holdsOn, keptUntil } from './decide.ts';
import { type EraseOneDeps, eraseOne, goOn, type Scene } from './erase-one.ts';
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
  /** What the operator wants to read in the certificate. */
  reference?: string;
  dryRun?: boolean;
}

const pageRows = 100;
/** Each takes some ten requests, one after the other. */
const atOnce = 8;
/** A run that does not move for five minutes is taken for dead. */
const keepEveryMs = 60_000;
/** Listed by name for whoever asked; more are only counted. */
const mostNamed = 50;

/**
 * What an operator asked for by name.
 * @throws CustodyError `recording_unknown` or `task_unrecorded` before anything is erased, `policy_not_applied`, `policy_invalid`,
 * `clock_differs`
 */
export async function eraseSelected(deps: KeepingDeps, run: Run): Promise<void> {
  const { recordings, tasks, callers, reference, dryRun } = run.options as EraseOptions;
  const of: Selection = {
    ...(recordings && { recordings }),
    ...(tasks && { tasks }),
    ...(callers && { callers }),
  };
  // Before its first start on this database nobody has applied the file: its holds would not hold.
  if (deps.config.policyFile !== undefined && (await deps.policies.inForce()).digest === noPolicy.digest) {
    throw new CustodyError(
      'policy_not_applied',
      'CUSTODY_POLICY_FILE names a policy, and none is in force: start the host once, or use `flex-custody policy apply`; nothing was erased',
    );
  }
  // What goes on knew them when it began.
  if (run.state === undefined) await knowAll(deps, of);
  await erase(deps, run, {
    pages: (mark) => selectedPages(deps, of, mark),
    tasks: tasks ?? [],
    isDue: () => true,
    reason: 'erasure',
    dryRun: dryRun === true,
    ...(reference !== undefined && { reference }),
  });
}

/** A slip in a SID must not pass for something that was erased. */
async function knowAll({ catalog }: KeepingDeps, { recordings = [], tasks = [] }: Selection): Promise<void> {
  const found = await Promise.all(recordings.map((sid) => catalog.find(sid)));
  const unknown = recordings.filter((_, index) => found[index] === undefined);
  if (unknown.length > 0) throw unknownTo('recording_unknown', unknown);
  const unknownTasks = await catalog.unknownTasks(tasks);
  if (unknownTasks.length > 0) throw unknownTo('task_unrecorded', unknownTasks);
}

function unknownTo(code: ErrorCode, sids: readonly string[]): CustodyError {
  return new CustodyError(code, `the catalog does not know ${sids.join(', ')}; nothing was erased`);
}

/** A due recording that stays is set aside for so long, unless another policy comes into force or an operator asks. */
const asideSeconds = 24 * 60 * 60;

/**
 * Erases what the policy keeps no longer. It counts first, and stops where that is far more than usual. It does not read
 * what the last day's runs found to be held, locked or unproven.
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
    reason: 'retention',
    dryRun,
    ...(!dryRun && { stays: (row) => catalog.setAside(row.recordingSid, 'recording', asideSeconds) }),
    async beforeAll(mark) {
      if (policy.digest === noPolicy.digest)
        throw new CustodyError('policy_missing', 'no policy is in force: all recordings are kept');
      if (dryRun || yes) return;
      let due = 0;
      for await (const { rows } of pages(mark)) due += rows.filter(isToGo).length;
      await brake(deps, due);
    },
  });
  if (erased > 0) await catalog.noteRetained(erased);
}

interface Plan {
  /** The pages behind a mark. */
  pages(mark: Readonly<Json> | undefined): AsyncIterable<Page>;
  /** The tasks that the operator named. */
  tasks?: readonly TaskSid[];
  isDue(row: RecordingRow): boolean;
  reason: 'erasure' | 'retention';
  reference?: string;
  dryRun: boolean;
  /** Called for each recording that may not be erased. */
  stays?(row: RecordingRow): Promise<void>;
  /** When what was begun is ended, and before anything else is begun. */
  beforeAll?(mark: Readonly<Json> | undefined): Promise<void>;
}

/** At which no erasure is at work. */
const isOpen = (row: RecordingRow) => row.state !== 'erased' && row.intent === undefined;

/** By SID. */
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
 * Erases recordings, some at a time, with a certificate for each some: from the bucket all versions, Twilio's copy, and
 * from the catalog all but the SID. What may not go stays whole. What another run has begun is ended first.
 * @returns how many of those that it began itself
 */
async function erase(deps: KeepingDeps, run: Run, plan: Plan): Promise<number> {
  let erased = 0;
  await withGatheredAlarms(deps, async (all) => {
    erased = await eraseAll(all, run, plan);
  });
  return erased;
}

async function eraseAll(deps: KeepingDeps, run: Run, plan: Plan): Promise<number> {
  const { catalog } = deps;
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
    about: ({ hints, taskSid, unproven }) =>
      hints.taskSid &&
      plan.tasks?.includes(hints.taskSid) &&
      (taskSid === undefined || unproven.includes('owner'))
        ? ' (only a hint names its task)'
        : '',
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
        // What was erased is certified, also where another recording's failure ends the run.
        for (const end of ends) if (end.status === 'fulfilled' && end.value) gone.push(end.value);
        const failed = ends.find((end) => end.status === 'rejected');
        if (failed) throw failed.reason;
        // No other run takes over what waits for its certificate while this run moves.
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
          const went = await goOn(deps, row, scene);
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
      for (const _ of due) scene.count('done');
      erased += await batch(due, (row) => eraseOne(deps, row, plan, scene));
      mark = page.mark;
      await run.save({ ...mark, notes }, counts);
    }
    await run.save({ ...mark, notes }, counts);
    if (erased > 0) await catalog.reclaim();
    return erased;
  } finally {
    // Where this fails they are free after some minutes.
    await leave(deps, id).catch(() => undefined);
  }
}

/** The run is at nothing any more; what it left unended for a day is an alarm. */
async function leave({ alarms, catalog }: KeepingDeps, id: string): Promise<void> {
  await catalog.leaveErasures(id);
  for (const sid of await catalog.stuckErasures(pageRows))
    await alarms.raise('erasure_stuck', sid, 'its erasure began more than a day ago and cannot be ended');
}

import type { KeepingCatalog, SelectedSession } from '../catalog/keeping-catalog.ts';
import type { RecordingRow, Selection } from '../catalog/recording-row.ts';
import type { CallerDigest } from './caller.ts';
import { holdsOn } from './decide.ts';
import type { Scene } from './erase-one.ts';
import type { Policies } from './policies.ts';
import type { Policy } from './policy.ts';

export interface EraseSessionsDeps {
  catalog: Pick<KeepingCatalog, 'sessionsOf' | 'isRecorded' | 'eraseSession'>;
  policies: Pick<Policies, 'inForce'>;
  callerDigest?: CallerDigest;
  forgetJobs?: (sids: readonly string[]) => Promise<void>;
  log: { info(fields: object, message: string): void };
}

const pageRows = 100;
/** A call that began so recently may last, and be recorded, ms; one that is open for longer has lost its end. */
const lastsMs = 24 * 3_600_000;

/**
 * Erases the selected sessions of which no recording is left: those of short calls whose audio was deleted, and those that never had a
 * recording. Holds count as for a recording. No certificate is written, since certificates name recordings.
 */
export async function eraseSessions(
  deps: EraseSessionsDeps,
  of: Pick<Selection, 'tasks' | 'callers'>,
  scene: Pick<Scene, 'count' | 'name' | 'dryRun'>,
  signal: AbortSignal,
): Promise<void> {
  const { catalog, callerDigest, forgetJobs, log } = deps;
  if (!of.tasks?.length && !of.callers?.length) return;
  for (let after = 0; ; ) {
    const page = await catalog.sessionsOf(of, after, pageRows);
    const policy = await deps.policies.inForce();
    for (const session of page) {
      signal.throwIfAborted();
      after = session.number;
      if (await catalog.isRecorded(session.keys)) continue;
      const holds = holdsOnSession(policy, session, callerDigest);
      if (holds.length > 0) {
        scene.count('held');
        scene.name(session.id, `its session is held by ${holds.join(', ')}`);
      } else if (session.isOpen && Date.now() - session.openedAt.getTime() < lastsMs) {
        scene.count('sessions_open');
        scene.name(session.id, 'its session lasts: erase it when it has ended');
      } else if (scene.dryRun) {
        scene.count('sessions_to_be_erased');
        scene.name(session.id, 'its session would be erased: it has no recording');
      } else {
        await forgetJobs?.(session.keys);
        if (!(await catalog.eraseSession(session.number))) continue;
        scene.count('sessions_erased');
        log.info(
          { event: 'session.erased', tasks: session.tasks.length },
          'a session without a recording was erased',
        );
      }
    }
    if (page.length < pageRows) return;
  }
}

/** The holds that would cover a recording of any task of the session. */
function holdsOnSession(
  policy: Policy,
  { tasks, callers, openedAt }: SelectedSession,
  digest: CallerDigest | undefined,
): string[] {
  const [caller, ...others] = callers;
  const base = {
    recordingSid: '' as RecordingRow['recordingSid'],
    ...{ startedAt: openedAt, state: 'absent' as const, hints: {}, unproven: [], hintedCallers: others },
    ...(caller !== undefined && { caller }),
  };
  const rows = tasks.length > 0 ? tasks.map((taskSid) => ({ ...base, taskSid })) : [base];
  return [...new Set(rows.flatMap((row) => holdsOn(policy, row, digest)))];
}

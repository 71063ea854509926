import type { CopyReport, IngestAnswer, RecordingCallback, RecordingSid } from '@flex-custody/core';
import type { RecordingRow } from '../catalog/recording-row.ts';
import type { RunJob } from '../queue/job.ts';
import { type CheckedWork, checkedWork } from '../runs/options.ts';
import type { IngestDeps } from './deps.ts';
import { receive } from './intake/register.ts';
import { report } from './intake/report.ts';
import { createLinker } from './link/linker.ts';
import { runIngest } from './run-jobs.ts';
import type { AcceptingDeps } from './upkeep/reconcile/accept-unsigned.ts';
import { type ImportDeps, importPlain } from './upkeep/reconcile/import.ts';
import { reconcile } from './upkeep/reconcile/index.ts';
import { rebuild } from './upkeep/reconcile/rebuild.ts';
import { rotateKeys } from './upkeep/rotate/index.ts';
import { signSidecars } from './upkeep/sign-job.ts';

export type { IngestDeps as IngestParts, IngestObserver, Log } from './deps.ts';
export { type ImportDeps as ImportParts, readFrom } from './upkeep/reconcile/import.ts';
export { newestInventory } from './upkeep/reconcile/inventory/index.ts';
export { takeInPlace } from './upkeep/reconcile/take-in-place.ts';

export interface Ingest {
  /** See {@link receive}. */
  receive(callback: RecordingCallback): Promise<IngestAnswer>;
  /** See {@link report}. */
  report(sid: RecordingSid, said: CopyReport): Promise<{ state: RecordingRow['state'] }>;
  /** See {@link runIngest}. */
  jobs(options?: { verifiesApart?: boolean }): readonly RunJob[];
}

export function createIngest(deps: IngestDeps): Ingest {
  const linker = createLinker(deps);
  return {
    receive: (callback) => receive(deps, linker, callback),
    report: (sid, said) => report(deps, sid, said),
    jobs: (options) => runIngest(deps, linker, options),
  };
}

/** Long work of this room, by its name on the command line. */
export function ingestWorks(deps: ImportDeps & AcceptingDeps): Readonly<Record<string, CheckedWork>> {
  return {
    reconcile: checkedWork('reconcile', (run) => reconcile(deps, run)),
    rebuild: checkedWork('rebuild', (run) => rebuild(deps, run)),
    'rotate-keys': checkedWork('rotate-keys', (run) => rotateKeys(deps, run)),
    'sign-sidecars': checkedWork('sign-sidecars', (run) => signSidecars(deps, run)),
    import: checkedWork('import', (run) => importPlain(deps, run)),
  };
}

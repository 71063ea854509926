import { type CheckedWork, checkedWork } from '../runs/options.ts';
import { type StreamSetupDeps, setUpStream } from './event-streams/setup.ts';
import type { Recovery } from './recovery/recovery.ts';
import { type RepairDeps, repair } from './repair/repair.ts';
import { deleteShortCalls, type ShortCallDeps } from './short-calls/delete-short-calls.ts';

/** Long work of this room, by its name on the command line. */
export const recorderWorks = (
  deps: StreamSetupDeps & RepairDeps & ShortCallDeps & { recovery: Recovery },
): Readonly<Record<string, CheckedWork>> => ({
  'recorder-setup': checkedWork('recorder-setup', (run) => setUpStream(deps, run)),
  recover: checkedWork('recover', (run) => deps.recovery.recover(run)),
  repair: checkedWork('repair', (run) => repair(deps, run)),
  'short-calls': checkedWork('short-calls', (run) => deleteShortCalls(deps, run)),
});

import { type CheckedWork, checkedWork } from '../runs/options.ts';
import { type StreamSetupDeps, setUpStream } from './event-streams/setup.ts';
import type { Recovery } from './recovery/recovery.ts';
import { type RepairDeps, repair } from './repair/repair.ts';

/** Long work of this room, by its name on the command line. */
export const recorderWorks = (
  deps: StreamSetupDeps & RepairDeps & { recovery: Recovery },
): Readonly<Record<string, CheckedWork>> => ({
  'recorder-setup': checkedWork('recorder-setup', (run) => setUpStream(deps, run)),
  recover: checkedWork('recover', (run) => deps.recovery.recover(run)),
  repair: checkedWork('repair', (run) => repair(deps, run)),
});

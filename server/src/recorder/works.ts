import { type CheckedWork, checkedWork } from '../runs/options.ts';
import { type StreamSetupDeps, setUpStream } from './event-streams/setup.ts';
import { type RepairDeps, repair } from './repair/repair.ts';

/** Long work of this room, by its name on the command line. @param inbox undefined: gaps cannot be repaired here */
export function recorderWorks(
  deps: StreamSetupDeps & Omit<RepairDeps, 'inbox'> & { inbox?: RepairDeps['inbox'] },
): Readonly<Record<string, CheckedWork>> {
  const { inbox } = deps;
  return {
    'recorder-setup': checkedWork('recorder-setup', (run) => setUpStream(deps, run)),
    ...(inbox && { repair: checkedWork('repair', (run) => repair({ ...deps, inbox }, run)) }),
  };
}

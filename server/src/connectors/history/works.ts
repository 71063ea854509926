import { type CheckedWork, checkedWork } from '../../runs/options.ts';
import { type HistoryDeps, syncHistory } from './sync.ts';

/** Long work of connectors, by its name on the command line. */
export const connectorWorks = (deps: HistoryDeps): Readonly<Record<string, CheckedWork>> => ({
  'connector-sync': checkedWork('connector-sync', (run) => syncHistory(deps, run)),
});

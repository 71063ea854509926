import { setTimeout as sleep } from 'node:timers/promises';
import type { Consumer } from '../../room.ts';
import type { DataSources } from './data-source.ts';

export interface WatchDeps {
  dataSource: Pick<DataSources, 'current' | 'people'>;
  log: { info(fields: object, message: string): void };
  /** Ms between two looks; 30,000 by default. */
  everyMs?: number;
}

/** Reads settings and employees from time to time, so that their alarms are raised and resolved while nothing else reads them. */
export const watchDataSource = ({ dataSource, log, everyMs = 30_000 }: WatchDeps): Consumer => ({
  name: 'data-source',
  async run(signal) {
    let seen: number | undefined;
    while (!signal.aborted) {
      const version = (await dataSource.current())?.version;
      await dataSource.people();
      if (version !== seen)
        log.info({ event: 'data-source.version', version }, 'the settings of the data source');
      seen = version;
      await sleep(everyMs, undefined, { signal }).catch(() => undefined);
    }
  },
});

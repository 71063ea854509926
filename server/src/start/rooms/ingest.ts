import { ingestRoutes } from '../../http/routes/ingest.ts';
import { createIngest, ingestWorks } from '../../ingest/index.ts';
import { settingAlarm } from '../../ingest/setting-alarm.ts';
import type { Recorder } from '../../recorder/index.ts';
import type { Room } from '../../room.ts';
import { createProgressLog } from '../progress.ts';
import type { Shared } from './shared.ts';

export function ingestRoom(shared: Shared, recorder: Recorder): Room {
  const { catalog, config, log, metrics, segmentLinks } = shared;
  const ingest = createIngest({
    ...shared,
    whoseCall: recorder.whoseCall,
    observer: {
      copyProgress: createProgressLog(log),
      copied: (_sid, bytes, ms, by) => metrics.copied(bytes, ms, by),
      verified: (_sid, bytes, ms) => metrics.verified(bytes, ms),
    },
    ...(config.segmentLinkDays > 0 && {
      segmentLink: async (row) => (await segmentLinks.segmentLinkFor(row)) ?? '',
    }),
  });
  return {
    routes: [(scope) => ingestRoutes(scope, { ingest, secrets: config.functionSecrets })],
    jobs: ingest.jobs(),
    alarms: settingAlarm,
    metrics: { recordings: () => catalog.counts() },
    works: ingestWorks(shared),
    close: () => shared.inventory?.store.close(),
  };
}

import { dataSourceRoute } from '../../http/routes/data-source.ts';
import { reportRoutes } from '../../http/routes/reports.ts';
import { ingestJobs } from '../../ingest/jobs.ts';
import { pausing } from '../../recorder/data-source/pausing.ts';
import { watchDataSource } from '../../recorder/data-source/watch.ts';
import { createRecorder, type Recorder } from '../../recorder/index.ts';
import type { Room } from '../../room.ts';
import type { Shared } from './shared.ts';

const pausingOf = ({ config, dataSource }: Shared) =>
  pausing(config.pause, async () => (await dataSource.current())?.settings);

export function openRecorder(shared: Shared): Recorder {
  const { config, queue } = shared;
  const { accountSid, mediaSecret: secret, voiceConsent, watchCalls } = config;
  return createRecorder({
    ...shared,
    ...{ accountSid, secret, settings: pausingOf(shared), voiceConsent, watchCalls },
    describe: (recordingSid) => queue.send(ingestJobs.describe, { recordingSid }),
  });
}

export function recorderRoom(shared: Shared, recorder: Recorder): Room {
  const { audit, config, dataSource, flexTokens, limits, log } = shared;
  const { accountSid, flexOrigins: origins, functionSecrets: secrets } = config;
  const pause = pausingOf(shared);
  return {
    routes: [
      (scope) => reportRoutes(scope, { recorder, flexTokens, limits, secrets, pause, origins }),
      (scope) => dataSourceRoute(scope, { accountSid, audit, dataSource, flexTokens, limits, origins }),
    ],
    jobs: recorder.jobs(),
    consumers: [watchDataSource({ dataSource, log })],
  };
}

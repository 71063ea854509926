import { reportRoutes } from '../../http/routes/reports.ts';
import { ingestJobs } from '../../ingest/jobs.ts';
import { createRecorder, type Recorder } from '../../recorder/index.ts';
import type { Room } from '../../room.ts';
import type { Shared } from './shared.ts';

export function openRecorder(shared: Shared): Recorder {
  const { config, queue } = shared;
  const { accountSid, mediaSecret: secret, pause: settings, voiceConsent, watchCalls } = config;
  return createRecorder({
    ...shared,
    ...{ accountSid, secret, settings, voiceConsent, watchCalls },
    describe: (recordingSid) => queue.send(ingestJobs.describe, { recordingSid }),
  });
}

export function recorderRoom({ config, flexTokens, limits }: Shared, recorder: Recorder): Room {
  const { flexOrigins: origins, functionSecrets: secrets, pause } = config;
  return {
    routes: [(scope) => reportRoutes(scope, { recorder, flexTokens, limits, secrets, pause, origins })],
    jobs: recorder.jobs(),
  };
}

import { errorCode } from '@flex-custody/core';
import { reportRoutes } from '../../http/routes/reports.ts';
import { ingestJobs } from '../../ingest/jobs.ts';
import { createRecorder, type Recorder } from '../../recorder/index.ts';
import { followLimits } from '../../recorder/rate-limits.ts';
import { runRepair } from '../../recorder/repair/run-jobs.ts';
import { recorderWorks } from '../../recorder/works.ts';
import type { Room } from '../../room.ts';
import type { Shared } from './shared.ts';

/** Between two looks at the rate limits that TaskRouter reported. */
const limitsMs = 60_000;

export function openRecorder(shared: Shared): Recorder {
  const { config, queue } = shared;
  const { accountSid, mediaSecret: secret, pause: settings, voiceConsent, watchCalls } = config;
  return createRecorder({
    ...shared,
    ...{ accountSid, secret, settings, voiceConsent, watchCalls },
    describe: (recordingSid) => queue.send(ingestJobs.describe, { recordingSid }),
  });
}

export function recorderRoom(shared: Shared, recorder: Recorder): Room {
  const { alarms, config, flexTokens, inbox, limits } = shared;
  const { catalog, log, twilio } = shared;
  let following: NodeJS.Timeout | undefined;
  const follow = () =>
    followLimits(catalog, twilio.limits).catch((error: unknown) =>
      log.warn({ code: errorCode(error) }, 'the reported rate limits could not be read'),
    );
  const repairing = inbox && { ...shared, inbox, repairMinutes: config.repairMinutes };
  const { flexOrigins: origins, functionSecrets: secrets, pause } = config;
  return {
    routes: [(scope) => reportRoutes(scope, { recorder, flexTokens, limits, secrets, pause, origins })],
    jobs: [...recorder.jobs(), ...runRepair(alarms, repairing)],
    works: recorderWorks(shared),
    async begin() {
      await follow();
      following = setInterval(() => void follow(), limitsMs).unref();
    },
    close: () => clearInterval(following),
  };
}

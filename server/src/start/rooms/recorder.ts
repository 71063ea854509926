import { errorCode } from '@flex-custody/core';
import { hasFollowed } from '../../events/event-status.ts';
import { dataSourceRoute } from '../../http/routes/data-source.ts';
import { reportRoutes } from '../../http/routes/reports.ts';
import { ingestJobs } from '../../ingest/jobs.ts';
import { announceAccepted } from '../../recorder/acceptance/announce.ts';
import { runCompleteness } from '../../recorder/completeness/run-jobs.ts';
import { beatNode } from '../../recorder/data-source/nodes.ts';
import { pausing } from '../../recorder/data-source/pausing.ts';
import { watchDataSource } from '../../recorder/data-source/watch.ts';
import { createRecorder, type Recorder } from '../../recorder/index.ts';
import { followLimits } from '../../recorder/rate-limits.ts';
import { runRecovery } from '../../recorder/recovery/run-jobs.ts';
import { runRepair } from '../../recorder/repair/run-jobs.ts';
import { createSessions, type Sessions } from '../../recorder/sessions/kept/sessions.ts';
import { runShortCalls } from '../../recorder/short-calls/run-jobs.ts';
import { recorderWorks } from '../../recorder/works.ts';
import { callerOf } from '../../retention/caller.ts';
import type { Room } from '../../room.ts';
import type { Shared } from './shared.ts';

/** Between two looks at the rate limits that TaskRouter reported. */
const limitsMs = 60_000;

const pausingOf = ({ config, dataSource }: Shared) =>
  pausing(config.pause, async () => (await dataSource.current())?.settings);

export interface OpenRecorder {
  recorder: Recorder;
  sessions: Sessions;
}

export function openRecorder(shared: Shared): OpenRecorder {
  const { config, queue } = shared;
  const { accountSid, mediaSecret: secret, voiceConsent, watchCalls } = config;
  const sessions = createSessions({
    ...{ ...shared, watchCalls },
    ...(shared.callerDigest && {
      callerOf: (address: string) => callerOf(shared.callerDigest, address.replace(/^whatsapp:/i, '')),
    }),
    ...(config.linkAtAcceptance && { onChange: announceAccepted(shared) }),
  });
  const recorder = createRecorder({
    ...shared,
    sessions,
    publicUrl: config.publicUrl,
    ...{ accountSid, secret, settings: pausingOf(shared), voiceConsent, watchCalls },
    describe: (recordingSid) => queue.send(ingestJobs.describe, { recordingSid }),
  });
  return { recorder, sessions };
}

export function recorderRoom(shared: Shared, { recorder, sessions }: OpenRecorder): Room {
  const { audit, catalog, config, dataSource, db, flexTokens, limits, log, twilio } = shared;
  const { accountSid, flexOrigins: origins, functionSecrets: secrets } = config;
  const pause = pausingOf(shared);
  let following: NodeJS.Timeout | undefined;
  const follow = () =>
    followLimits(catalog, twilio.limits).catch((error: unknown) =>
      log.warn({ code: errorCode(error) }, 'the reported rate limits could not be read'),
    );
  return {
    routes: [
      (scope) => reportRoutes(scope, { recorder, flexTokens, limits, secrets, pause, origins }),
      (scope) => dataSourceRoute(scope, { accountSid, audit, dataSource, flexTokens, limits, origins }),
    ],
    jobs: [
      ...recorder.jobs(),
      ...runRepair({ ...shared, repairMinutes: config.repairMinutes, isFollowed: () => hasFollowed(db) }),
      ...runRecovery({ ...shared, isOn: config.reconcile.everyMinutes > 0 }),
      ...runCompleteness({
        ...{ ...shared, accountSid },
        missingMinutes: config.missingMinutes,
        isRepaired: config.repairMinutes > 0,
      }),
      ...runShortCalls(shared),
    ],
    works: recorderWorks(shared),
    consumers: [beatNode(db, config.node), watchDataSource({ dataSource, log }), sessions.consumer],
    async begin() {
      await follow();
      following = setInterval(() => void follow(), limitsMs).unref();
    },
    close: () => clearInterval(following),
  };
}

import { randomBytes } from 'node:crypto';
import { createLiveCalls } from '../../catalog/live-calls.ts';
import { readCounters } from '../../events/event-status.ts';
import { followAgentEvents } from '../../events/kinesis/agent-events.ts';
import { runEventJobs } from '../../events/run-jobs.ts';
import { eventRoutes } from '../../http/routes/events.ts';
import { currentStream } from '../../recorder/data-source/stream.ts';
import type { Room } from '../../room.ts';
import type { Shared } from './shared.ts';

export function eventsRoom({
  alarms,
  config,
  dataSource,
  db,
  inbox,
  limits,
  log,
  metrics,
  secrets,
}: Shared): Room {
  const { accountSid, authToken, publicUrl, secondaryAuthToken } = config;
  const accounts = [accountSid];
  const liveCalls = createLiveCalls(db, accountSid);
  const authTokens = [authToken, secondaryAuthToken].filter((token) => token !== undefined);
  const following = {
    ...{ ...config.stream, alarms, db, inbox, log },
    // Two processes of one node have two names.
    owner: `${config.node}-${randomBytes(4).toString('hex')}`,
    settings: () => currentStream({ dataSource, secrets, region: config.store.region, node: config.node }),
    liveSince: async () => (await liveCalls.open()).map(({ beganAt }) => beganAt),
  };
  return {
    routes: [(scope) => eventRoutes(scope, { alarms, authTokens, inbox, limits, metrics, publicUrl })],
    jobs: runEventJobs({ alarms, accounts, db, log }),
    metrics: { events: () => readCounters(db) },
    consumers: [{ name: 'agent-events', run: (signal) => followAgentEvents(following, signal) }],
  };
}

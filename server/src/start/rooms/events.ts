import { createInbox } from '../../events/create-inbox.ts';
import { readCounters } from '../../events/event-status.ts';
import { runEventJobs } from '../../events/run-jobs.ts';
import { eventRoutes } from '../../http/routes/events.ts';
import type { Room } from '../../room.ts';
import type { Shared } from './shared.ts';

export function eventsRoom({ alarms, config, db, limits, log, metrics }: Shared): Room {
  const { accountSid, authToken, publicUrl, secondaryAuthToken } = config;
  const accounts = [accountSid];
  const inbox = createInbox({ db, accounts, log });
  const authTokens = [authToken, secondaryAuthToken].filter((token) => token !== undefined);
  return {
    routes: [(scope) => eventRoutes(scope, { alarms, authTokens, inbox, limits, metrics, publicUrl })],
    jobs: runEventJobs({ alarms, accounts, db, log }),
    metrics: { events: () => readCounters(db) },
  };
}

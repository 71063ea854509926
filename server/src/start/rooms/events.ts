import { createLiveCalls } from '../../catalog/live-calls.ts';
import type { Inbox } from '../../events/inbox.ts';
import { followAgentEvents } from '../../events/kinesis/agent-events.ts';
import type { CurrentStream } from '../../events/kinesis/stream-settings.ts';
import type { Room } from '../../room.ts';
import type { Shared } from './shared.ts';

export interface EventsParts {
  inbox: Inbox;
  /** Undefined while no stream is configured. */
  stream(): Promise<CurrentStream | undefined>;
}

/** @param parts without them no stream is followed */
export function eventsRoom({ alarms, config, db, log }: Shared, parts?: EventsParts): Room {
  if (!parts) return {};
  const liveCalls = createLiveCalls(db, config.accountSid);
  const deps = {
    ...{ ...config.stream, alarms, db, inbox: parts.inbox, log, settings: parts.stream },
    liveSince: async () => (await liveCalls.open()).map(({ beganAt }) => beganAt),
  };
  return {
    consumers: [{ name: 'agent-events', run: (signal) => followAgentEvents(deps, signal) }],
  };
}

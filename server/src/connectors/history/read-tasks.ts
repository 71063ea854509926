import type { AccountSid, WorkspaceSid } from '@flex-custody/core';
import type { TaskRouterEvent, TwilioTaskEvents } from '@flex-custody/twilio';
import type { Inbox, InboxLookup } from '../../events/inbox.ts';
import { asCloudEvent } from '../../recorder/repair/cloud-event.ts';
import { pagesOf } from '../../recorder/repair/repair.ts';
import type { Channel } from '../interaction.ts';
import { channelsOfTask } from './channel.ts';
import type { HistoryOptions } from './options.ts';

export interface ReadTasksDeps {
  twilio: TwilioTaskEvents;
  inbox: Pick<Inbox, 'take'> & InboxLookup;
  config: { accountSid: AccountSid; workspaceSid: WorkspaceSid };
  log: { warn(fields: object, message: string): void };
  /** Ms before another try of a page. */
  pauseMs?: number;
}

export interface TaskCounts {
  task_events: number;
  task_events_missing: number;
}

/** Tasks of which it is remembered whether they are wanted. */
const mostKnown = 50_000;

/**
 * Reads slices of TaskRouter's history into the inbox. Events of no task, such as those of agents, are of every channel.
 * @returns reads one slice, both ends of which are included, and counts what was new in it
 */
export function taskReader(
  deps: ReadTasksDeps,
  { channels, isDry }: Pick<HistoryOptions, 'channels' | 'isDry'>,
) {
  const isWanted = wantedTasks(channels);
  /** Both ends of a slice are included: an event may be in two. */
  let before: ReadonlySet<string> = new Set();
  return async (slice: { since: Date; until: Date }, signal: AbortSignal): Promise<TaskCounts> => {
    const counts: TaskCounts = { task_events: 0, task_events_missing: 0 };
    const seen = new Set<string>();
    for await (const page of pagesOf(deps, slice, signal)) {
      for (const { sid } of page.events) seen.add(sid);
      const events = page.events
        .filter((event) => !before.has(event.sid) && isWanted(event))
        .map((event) => asCloudEvent(event, deps.config));
      if (events.length === 0) continue;
      counts.task_events += events.length;
      counts.task_events_missing += isDry
        ? (await deps.inbox.missing(events)).length
        : (await deps.inbox.take(events, { source: 'repair' })).stored;
    }
    before = seen;
    return counts;
  };
}

/** What one event says of its task's channel holds for the task's other events, of which some say nothing. */
function wantedTasks(channels: readonly Channel[] | undefined): (event: TaskRouterEvent) => boolean {
  if (!channels) return () => true;
  const known = new Map<string, boolean>();
  return ({ data }) => {
    const task = data['task_sid'];
    if (typeof task !== 'string' || task === '') return true;
    const decided = known.get(task);
    if (decided !== undefined) return decided;
    const possible = channelsOfTask(data);
    const isWanted = possible.length === 0 || possible.some((one) => channels.includes(one));
    if (possible.length !== 1) return isWanted;
    known.set(task, isWanted);
    const [oldest] = known.keys();
    if (known.size > mostKnown && oldest !== undefined) known.delete(oldest);
    return isWanted;
  };
}

import type { AccountSid, TaskSid, WorkspaceSid } from '@flex-custody/core';
import { CustodyError } from '@flex-custody/core';
import type { TaskRouterEvent, TwilioTaskEvents } from '@flex-custody/twilio';
import type { Db } from '../../db/db.ts';
import type { Inbox } from '../../events/inbox.ts';
import type { Queue } from '../../queue/queue.ts';
import { asCloudEvent } from '../../recorder/repair/cloud-event.ts';
import { mostDays } from '../../recorder/repair/repair.ts';
import { setNote } from '../notes.ts';
import { type CompletedTask, historyJobs } from './jobs.ts';

/** Who says that a task was completed: the plugin in an agent's browser, or a webhook that Twilio signed. */
export type CompletedBy = 'listener' | 'webhook';

export interface CompletionDeps {
  /** Such as `brevo`. */
  connector: string;
  db: Pick<Db, 'query'>;
  queue: Pick<Queue, 'send'>;
  /** Epoch ms. */
  now?: () => number;
}

/** TaskRouter lists an event some seconds after it happened. */
const soonMs = 15_000;
const againMs = 5 * 60_000;
/** Of one sender a note is written once in so many ms. */
const noteMs = 60_000;
const mostPages = 100;

/**
 * Takes the SID of a completed task, and has its events read soon.
 * @throws CustodyError `database_unavailable`
 */
export function createCompletions({ connector, db, queue, now = Date.now }: CompletionDeps) {
  const notedAt = new Map<CompletedBy, number>();
  return async (taskSid: TaskSid, by: CompletedBy): Promise<void> => {
    await queue.send(historyJobs.taskComplete, { taskSid }, { startAfterMs: soonMs });
    const at = now();
    if (at - (notedAt.get(by) ?? Number.NEGATIVE_INFINITY) < noteMs) return;
    await setNote(db, connector, by);
    notedAt.set(by, at);
  };
}

export interface ReadTaskDeps {
  twilio: TwilioTaskEvents;
  inbox: Pick<Inbox, 'take'>;
  queue: Pick<Queue, 'send'>;
  config: { accountSid: AccountSid; workspaceSid: WorkspaceSid };
  /** Epoch ms. */
  now?: () => number;
}

/**
 * Takes in what the inbox lacks of a task's events; of a task that TaskRouter does not know there are none.
 * @throws CustodyError as `TwilioApi` and `Inbox` do
 */
export async function readTask(
  { twilio, inbox, queue, config, now = Date.now }: ReadTaskDeps,
  { taskSid, again }: CompletedTask,
  signal: AbortSignal,
): Promise<void> {
  const at = now();
  const period = { since: new Date(at - mostDays * 24 * 60 * 60_000), until: new Date(at), taskSid };
  let isOver = false;
  let isKnown = false;
  let next: string | undefined;
  for (let pages = 0; pages === 0 || next !== undefined; pages += 1) {
    if (pages >= mostPages)
      throw new CustodyError('twilio_answer', "the pages of a task's events have no end");
    const page = await twilio.taskEventsPage(period, next, signal);
    next = page.next;
    const own = page.events.filter((event) => concerns(event, taskSid));
    isKnown ||= own.length > 0;
    isOver ||= own.some(({ type }) => ends.has(type));
    const events = own.map((event) => asCloudEvent(event, config));
    if (events.length > 0) await inbox.take(events, { source: 'repair' });
  }
  if (isKnown && !isOver && !again)
    await queue.send(
      historyJobs.taskComplete,
      { taskSid, again: true },
      { startAfterMs: againMs, once: 'again' },
    );
}

const ends: ReadonlySet<string> = new Set(
  ['completed', 'canceled', 'deleted', 'system-deleted'].map((name) => `task.${name}`),
);

/** An event of another task, should the filter be ignored, is not taken for this one's. */
const concerns = ({ data, resourceSid }: TaskRouterEvent, taskSid: TaskSid): boolean =>
  resourceSid === taskSid || data['task_sid'] === taskSid;

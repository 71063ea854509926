import { setTimeout as sleep } from 'node:timers/promises';
import { type AccountSid, CustodyError, errorCode, type WorkspaceSid } from '@flex-custody/core';
import type { TaskEventPage, TwilioTaskEvents } from '@flex-custody/twilio';
import type { Marks } from '../../catalog/marks.ts';
import type { Inbox, InboxLookup } from '../../events/inbox.ts';
import { type ClockDeps, readClock } from '../../retention/clock.ts';
import type { Run } from '../../runs/runs.ts';
import { asCloudEvent } from './cloud-event.ts';
import { noteComplete } from './complete.ts';

export interface RepairDeps {
  twilio: TwilioTaskEvents & ClockDeps['twilio'];
  catalog: Marks & ClockDeps['catalog'];
  inbox: Pick<Inbox, 'take'> & InboxLookup;
  config: { accountSid: AccountSid; workspaceSid: WorkspaceSid };
  log: { warn(fields: object, message: string): void };
  /** Epoch ms; by default the earliest of the host's, the database's and Twilio's clock. */
  now?: () => Promise<number>;
  /** Ms before another try of a page; 1,000 by default, and twice as long each time. */
  pauseMs?: number;
}

/** What pages of TaskRouter's history are read with. */
export interface PageDeps extends Pick<RepairDeps, 'log' | 'pauseMs'> {
  twilio: TwilioTaskEvents;
}

/** TaskRouter redacts attributes after this time. */
export const mostDays = 30;
/** What happened so lately may not be in TaskRouter's list yet. */
export const settleMs = 60_000;
/** Compared at a time; a run continues after the last slice that it has finished. */
const sliceMs = 60 * 60_000;
const tries = 6;

/**
 * Compares TaskRouter's events of a period with the inbox, and takes in those that are missing. Options: `since`, `until`
 * (ISO 8601), `dryRun`. The inbox knows an event that it has by its SID, else by type, resource and time.
 * @throws CustodyError as `TwilioApi` and `Inbox` do, after several tries
 */
export async function repair(deps: RepairDeps, run: Run, { instead = false } = {}): Promise<void> {
  const now = await nowOf(deps);
  const asked = timeOf(run.options['since']);
  const oldest = now - mostDays * 24 * 60 * 60_000;
  const since = Math.max(asked, oldest);
  // A run that continues has the end that it began with.
  const end = run.state?.['until'] ?? run.options['until'];
  const until = Math.min(end === undefined ? Number.POSITIVE_INFINITY : timeOf(end), now - settleMs);
  const isDry = run.options['dryRun'] === true;
  const counts = { done: 0, events: 0, missing: 0, known: 0, set_aside: 0, ...run.counts };
  const total = Math.max(0, Math.ceil((until - since) / sliceMs));
  const notes =
    asked < oldest
      ? {
          since: `TaskRouter keeps events for ${mostDays} days: compared from ${new Date(since).toISOString()}`,
        }
      : undefined;
  let at = run.state?.['at'] === undefined ? since : Math.max(since, timeOf(run.state['at']));
  const from = run.state?.['from'] === undefined ? since : timeOf(run.state['from']);
  /** Both ends of a period are included: an event may be in two. */
  let before: ReadonlySet<string> = new Set();
  while (at < until) {
    run.signal.throwIfAborted();
    const to = Math.min(at + sliceMs, until);
    const seen = new Set<string>();
    for await (const page of pagesOf(deps, { since: new Date(at), until: new Date(to) }, run.signal)) {
      for (const { sid } of page.events) seen.add(sid);
      const events = page.events
        .filter(({ sid }) => !before.has(sid))
        .map((event) => asCloudEvent(event, deps.config));
      counts.events += events.length;
      if (events.length === 0) continue;
      if (isDry) {
        const missing = (await deps.inbox.missing(events)).length;
        counts.missing += missing;
        counts.known += events.length - missing;
      } else {
        const taken = await deps.inbox.take(events, { source: 'repair' });
        counts.missing += taken.stored;
        counts.known += taken.duplicate;
        counts.set_aside += taken.setAside;
      }
    }
    at = to;
    before = seen;
    counts.done += 1;
    const state = { at: iso(at), from: iso(from), until: iso(until), ...(notes && { notes }) };
    await run.save(state, { ...counts }, total);
    if (!isDry) await noteComplete(deps.catalog, { from: new Date(from), until: new Date(at) }, { instead });
  }
}

/** A clock that is ahead must not make a time past that TaskRouter has no events of yet. @returns epoch ms */
export const nowOf = (deps: Pick<RepairDeps, 'catalog' | 'twilio' | 'now'>): Promise<number> =>
  deps.now?.() ?? readClock(deps).then(({ earliest }) => earliest.getTime());

const iso = (ms: number): string => new Date(ms).toISOString();

function timeOf(value: unknown): number {
  const ms = Date.parse(String(value));
  if (Number.isNaN(ms)) throw new CustodyError('request_invalid', 'a time of the repair cannot be read');
  return ms;
}

/** All pages of a period, each with several tries. */
export async function* pagesOf(
  deps: PageDeps,
  period: { since: Date; until: Date },
  signal: AbortSignal,
): AsyncGenerator<TaskEventPage> {
  const seen = new Set<string>();
  let next: string | undefined;
  do {
    const page = await pageOf(deps, period, next, signal);
    yield page;
    next = page.next;
    if (next === undefined) return;
    if (seen.has(next))
      throw new CustodyError('twilio_answer', "the pages of TaskRouter's events have no end");
    seen.add(next);
  } while (true);
}

async function pageOf(
  { twilio, log, pauseMs = 1_000 }: PageDeps,
  period: { since: Date; until: Date },
  url: string | undefined,
  signal: AbortSignal,
): Promise<TaskEventPage> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await twilio.taskEventsPage(period, url, signal);
    } catch (error) {
      if (errorCode(error) !== 'twilio_unavailable' || attempt >= tries) throw error;
      log.warn({ attempt, code: errorCode(error) }, "a page of TaskRouter's events is asked for again");
      await sleep(pauseMs * 2 ** (attempt - 1), undefined, { signal });
    }
  }
}

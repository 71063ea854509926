import type { Db } from '../../db/db.ts';
import { mostDays, nowOf, type RepairDeps } from '../../recorder/repair/repair.ts';
import type { Run } from '../../runs/runs.ts';
import { readCheckpoint, writeCheckpoint } from './checkpoints.ts';
import { type HistoryOptions, type HistoryResource, historyOptions } from './options.ts';
import { beginningOf, type Place, placeAsState, placeOfState, sliceMs, slicesOf } from './place.ts';
import { conversationReader, type ReadConversationsDeps } from './read-conversations.ts';
import { type ReadTasksDeps, taskReader } from './read-tasks.ts';
import { type AskedContacts, askForContacts, countContacts, wantHistory } from './wanted-history.ts';

export interface HistoryDeps extends ReadTasksDeps, ReadConversationsDeps {
  db: Pick<Db, 'query'>;
  twilio: ReadTasksDeps['twilio'] & ReadConversationsDeps['twilio'] & RepairDeps['twilio'];
  catalog: RepairDeps['catalog'];
  config: ReadTasksDeps['config'];
  /** Epoch ms; by default the earliest of the host's, the database's and Twilio's clock. */
  now?: () => Promise<number>;
}

type Places = Partial<Record<HistoryResource, Place>>;

/** Open conversations that a later import asks for one by one. */
const mostOpen = 1_000;
const dayMs = 24 * 60 * 60_000;

/**
 * Reads what Twilio has of the past into the inbox, and has the contacts of that time looked at: what they bring is computed
 * and sent as all others are. Options: see {@link HistoryOptions}.
 * @throws CustodyError as `TwilioApi` and `Inbox` do, after several tries; `request_invalid`
 */
export async function syncHistory(deps: HistoryDeps, run: Run): Promise<void> {
  const options = historyOptions(run.options);
  const now = await nowOf(deps);
  const progress = await progressOf(deps, options, run, now);
  const { places } = progress;
  const since = Math.min(...Object.values(places).map((place) => place.wanted));
  if (!options.isDry) {
    await wantHistory(deps.db, options.connector, {
      since,
      ...(options.channels && { channels: options.channels }),
    });
  }
  await readTasks(deps, options, progress, run.signal);
  await readConversations(deps, options, progress, run.signal);
  await askForAll(deps, options, progress, { since, until: now }, run.signal);
}

interface Progress {
  places: Places;
  /** Of the slices that were read: adds to the counts, and saves the places. */
  save(counts: Readonly<Record<string, number>>, contacts?: AskedContacts['after']): Promise<void>;
  contacts: AskedContacts['after'];
}

/** A run that continues has the periods that it began with. */
async function progressOf(
  { db }: HistoryDeps,
  options: HistoryOptions,
  run: Run,
  now: number,
): Promise<Progress> {
  const places: Places = {};
  const saved = (run.state?.['places'] ?? {}) as Record<string, Record<string, unknown>>;
  const notes: Record<string, string> = { ...(run.state?.['notes'] as Record<string, string> | undefined) };
  const oldest = now - mostDays * dayMs;
  for (const resource of options.resources) {
    const known = saved[resource];
    if (known) {
      places[resource] = placeOfState(known);
      continue;
    }
    const checkpoint = await readCheckpoint(db, resource, options);
    const bounds = { now, oldest: resource === 'tasks' ? oldest : 0 };
    places[resource] = beginningOf(resource, options, checkpoint, bounds);
    const asked = options.type === 'full' ? options.since : undefined;
    if (resource === 'tasks' && asked !== undefined && asked < oldest)
      notes['tasks'] =
        `TaskRouter keeps attributes for ${mostDays} days: read from ${new Date(oldest).toISOString()}`;
  }
  const total = options.resources.reduce(
    (sum, one) => sum + (places[one] ? slicesOf(one, places[one]) : 0),
    1,
  );
  const counts: Record<string, number> = { done: 0, ...run.counts };
  const progress: Progress = {
    places,
    contacts: run.state?.['contacts'] as AskedContacts['after'],
    async save(more, contacts) {
      for (const [name, count] of Object.entries(more)) counts[name] = (counts[name] ?? 0) + count;
      const all = Object.entries(places).map(([one, place]) => [one, placeAsState(place)]);
      const state = {
        places: Object.fromEntries(all),
        ...(contacts && { contacts }),
        ...(Object.keys(notes).length > 0 && { notes }),
      };
      await run.save(state, { ...counts }, total);
    },
  };
  return progress;
}

async function readTasks(
  deps: HistoryDeps,
  options: HistoryOptions,
  { places, save }: Progress,
  signal: AbortSignal,
): Promise<void> {
  const read = taskReader(deps, options);
  for (let place = places.tasks; place && place.at < place.until; place = places.tasks) {
    signal.throwIfAborted();
    const to = Math.min(place.at + sliceMs.tasks, place.until);
    const counts = await read({ since: new Date(place.at), until: new Date(to) }, signal);
    places.tasks = { ...place, at: to };
    await save({ done: 1, ...counts });
    await note(deps, options, 'tasks', places.tasks);
  }
}

async function readConversations(
  deps: HistoryDeps,
  options: HistoryOptions,
  { places, save }: Progress,
  signal: AbortSignal,
): Promise<void> {
  const reader = conversationReader(deps, options);
  const begun = places.conversations;
  if (begun && begun.at === begun.from && begun.open.length > 0) {
    const { counts, open } = await reader.again(begun.open, signal);
    places.conversations = { ...begun, open };
    await save({ ...counts });
  }
  for (let place = places.conversations; place && place.at < place.until; place = places.conversations) {
    signal.throwIfAborted();
    const to = Math.min(place.at + sliceMs.conversations, place.until);
    const { counts, open } = await reader.slice({ since: new Date(place.at), until: new Date(to) }, signal);
    const all = [...new Set([...place.open, ...open])].slice(-mostOpen);
    places.conversations = { ...place, at: to, open: all };
    await save({ done: 1, ...counts });
    await note(deps, options, 'conversations', places.conversations);
  }
}

/** An import that breaks off for good is continued by an incremental one. */
async function note(
  { db }: HistoryDeps,
  options: HistoryOptions,
  resource: HistoryResource,
  { at, open, isKept }: Place,
): Promise<void> {
  if (isKept && !options.isDry) await writeCheckpoint(db, resource, options, { until: at, open });
}

/** The contacts that were there before: those of events that have just come are looked at once they are computed. */
async function askForAll(
  { db }: HistoryDeps,
  { isDry }: HistoryOptions,
  { contacts, save }: Progress,
  period: { since: number; until: number },
  signal: AbortSignal,
): Promise<void> {
  if (isDry) return save({ done: 1, contacts: await countContacts(db, period) });
  let after = contacts;
  do {
    signal.throwIfAborted();
    const found = await askForContacts(db, period, after);
    after = found.after;
    await save({ contacts: found.asked }, after);
  } while (after);
  await save({ done: 1 });
}

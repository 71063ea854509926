import { systemCode } from '../config/system-code.ts';
import type { Db } from '../db/db.ts';
import type { EventSource } from './agent-event.ts';
import type { Inbox, InboxLookup, TakenIn } from './inbox.ts';
import { type Aside, asideOf, type ParsedEvent, parseEvent } from './parse-event.ts';
import { missingEvents, type Slice, type Written, withoutErased, writeSlice } from './write-events.ts';

export interface InboxDeps {
  db: Pick<Db, 'query' | 'transaction'>;
  /** Whose events are taken in. */
  accounts: readonly string[];
  log: { warn(fields: object, message: string): void };
  now?: () => Date;
  /** Of one transaction, ms. Event Streams waits 5 s for an answer. */
  limitMs?: number;
}

/** Of one transaction, so that it stays short. */
const mostEvents = 500;
const mostCharacters = 4 * 1024 * 1024;

/** The only writer of agents' events. Batches that are longer than one transaction takes are several transactions. */
export function createInbox({
  db,
  accounts,
  log,
  now = () => new Date(),
  limitMs = 4_000,
}: InboxDeps): Inbox & InboxLookup {
  const writeAll = (slice: Slice, source: EventSource, shard: string) =>
    db.transaction((inner) => writeSlice(inner, slice, source, shard), limitMs);
  /** One event that the database refuses must not keep the others of its batch out for ever. */
  const write = async (slice: Slice, source: EventSource, shard: string): Promise<Written> => {
    try {
      return await writeAll(slice, source, shard);
    } catch (error) {
      if (!isOfValues(error) || slice.events.length === 0) throw error;
    }
    const { asides, read, events } = slice;
    const whole: Written = { taken: none(), differing: 0 };
    for (const part of [
      ...(asides.length > 0 ? [{ asides, events: [], read: read - events.length }] : []),
      ...events.map((event) => ({ asides: [], events: [event], read: 1 })),
    ]) {
      const { taken, differing } = await writeAll(part, source, shard).catch((error: unknown) => {
        const [event] = part.events;
        if (!isOfValues(error) || !event) throw error;
        const aside = asideOf('not_storable', event.type, event.data);
        return writeAll({ asides: [aside], events: [], read: 1 }, source, shard);
      });
      add(whole.taken, taken);
      whole.differing += differing;
    }
    return whole;
  };
  return {
    async take(records, { source, shard = '' }) {
      const sum = none();
      const options = { accounts, source, receivedAt: now() };
      let slice = newSlice();
      const flush = async () => {
        if (slice.read === 0) return;
        const { taken, differing } = await write(slice, source, shard);
        slice = newSlice();
        add(sum, taken);
        if (differing > 0)
          log.warn(
            { event: 'events.differ', source, shard, count: differing },
            'events came again with other content: the first of each is kept',
          );
      };
      for (const record of records) {
        const parsed = parseEvent(record, options);
        slice.read += 1;
        if ('event' in parsed) slice.events.push(parsed.event);
        else slice.asides.push(parsed.aside);
        slice.characters += 'event' in parsed ? parsed.event.data.length : (parsed.aside.raw?.length ?? 0);
        if (slice.read >= mostEvents || slice.characters >= mostCharacters) await flush();
      }
      await flush();
      return sum;
    },
    async missing(records) {
      const options = { accounts, source: 'repair' as const, receivedAt: now() };
      const recordOf = new Map<ParsedEvent, unknown>();
      for (const record of records) {
        const parsed = parseEvent(record, options);
        if ('event' in parsed) recordOf.set(parsed.event, record);
      }
      const { events } = await withoutErased(db, [...recordOf.keys()]);
      return (await missingEvents(db, events)).map((event) => recordOf.get(event));
    },
  };
}

const none = (): TakenIn => ({ read: 0, stored: 0, duplicate: 0, setAside: 0 });

function add(sum: TakenIn, more: TakenIn): void {
  for (const name of ['read', 'stored', 'duplicate', 'setAside'] as const) sum[name] += more[name];
}

/** SQLSTATE of values that the database cannot store, or that exceed one of its limits. */
const isOfValues = (error: unknown): boolean => /^(22|54)/.test(systemCode(error));

const newSlice = () => ({
  events: [] as ParsedEvent[],
  asides: [] as Aside[],
  read: 0,
  characters: 0,
});

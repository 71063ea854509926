import { CustodyError } from '@flex-custody/core';
import { settleMs } from '../../recorder/repair/repair.ts';
import type { Checkpoint } from './checkpoints.ts';
import type { HistoryOptions, HistoryResource } from './options.ts';

/** How far a run has read a resource. Times are epoch ms; a run saves them as ISO 8601. */
export interface Place {
  /** Where the run began. */
  from: number;
  /** Where it ends. */
  until: number;
  /** Everything before it was read. */
  at: number;
  /** Conversations that were open when they were read. */
  open: readonly string[];
  /** Contacts that opened since then are to be looked at. */
  wanted: number;
  /** Whether the place is kept as the checkpoint: it is not where a gap would be left before it. */
  isKept: boolean;
}

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;

/** A run continues after the last slice that it has finished. */
export const sliceMs = { tasks: 60 * minuteMs, conversations: dayMs } satisfies Record<
  HistoryResource,
  number
>;

/**
 * How far before its checkpoint an incremental import begins: TaskRouter lists an event late, and a conversation that was
 * read while it lasted is closed afterwards.
 */
const windowMs = { tasks: 10 * minuteMs, conversations: 7 * dayMs } satisfies Record<HistoryResource, number>;
/** Of an incremental import without a checkpoint. */
const firstMs = dayMs;

/** @param now epoch ms @param oldest before it there is nothing to be read */
export function beginningOf(
  resource: HistoryResource,
  { type, since }: Pick<HistoryOptions, 'type' | 'since'>,
  checkpoint: Checkpoint | undefined,
  { now, oldest }: { now: number; oldest: number },
): Place {
  const until = now - settleMs;
  const continued = type === 'incremental' && checkpoint;
  const asked = continued ? checkpoint.until - windowMs[resource] : (since ?? now - firstMs);
  const from = Math.min(Math.max(asked, oldest), until);
  return {
    ...{ from, until, at: from, open: checkpoint?.open ?? [] },
    wanted: continued ? Math.min(checkpoint.until, until) : from,
    isKept: type === 'incremental' || !checkpoint || from <= checkpoint.until,
  };
}

export const slicesOf = (resource: HistoryResource, { from, until }: Pick<Place, 'from' | 'until'>): number =>
  Math.max(0, Math.ceil((until - from) / sliceMs[resource]));

export const placeAsState = ({ from, until, at, open, wanted, isKept }: Place): Record<string, unknown> => ({
  ...{ from: iso(from), until: iso(until), at: iso(at), wanted: iso(wanted), isKept },
  ...(open.length > 0 && { open }),
});

/** @throws CustodyError `request_invalid` */
export function placeOfState(state: Readonly<Record<string, unknown>>): Place {
  const open = Array.isArray(state['open']) ? state['open'] : [];
  return {
    from: timeOf(state['from']),
    until: timeOf(state['until']),
    at: timeOf(state['at']),
    open: open.filter((one): one is string => typeof one === 'string'),
    wanted: timeOf(state['wanted']),
    isKept: state['isKept'] === true,
  };
}

const iso = (ms: number): string => new Date(ms).toISOString();

function timeOf(value: unknown): number {
  const ms = Date.parse(String(value));
  if (Number.isNaN(ms)) throw new CustodyError('request_invalid', 'a time of the import cannot be read');
  return ms;
}

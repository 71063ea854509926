import type { AgentEvent, EventSource } from './agent-event.ts';

/** What became of the events of one batch; the numbers add up: read = stored + duplicate + set aside. */
export interface TakenIn {
  read: number;
  stored: number;
  duplicate: number;
  setAside: number;
}

/** A place in the inbox's order; an opaque text that a consumer keeps beside its own results. */
export type InboxPosition = string;

/** The writers' side. */
export interface Inbox {
  /**
   * Stores each event once, durably before it resolves; a broken event is set aside with the reason, and refuses nothing.
   * @param events each a CloudEvent as it came: an object, or the text of one
   * @throws CustodyError `database_unavailable`; then nothing of the batch may be counted as read
   */
  take(events: readonly unknown[], from: { source: EventSource; shard?: string }): Promise<TakenIn>;
}

/** For gap repair's comparisons, which change nothing. */
export interface InboxLookup {
  /** Those of the events that {@link Inbox.take} would store. @throws CustodyError `database_unavailable` */
  missing(events: readonly unknown[]): Promise<readonly unknown[]>;
}

/** The readers' side. */
export interface InboxReader {
  /** The next events after `position`, undefined for the beginning; none is ever inserted before a position that was returned. */
  after(
    position: InboxPosition | undefined,
    limit: number,
  ): Promise<{ events: readonly AgentEvent[]; position: InboxPosition | undefined }>;
}

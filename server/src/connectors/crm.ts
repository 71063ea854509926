import type { Totals } from './brevo/mapping.ts';
import type { TryOutcome } from './effect-state.ts';
import type { DueCustomer, DueEffect, RemoteNames } from './outbox-table.ts';

/** What a try to bring a contact up to date came to. */
export interface ContactTry {
  outcome: TryOutcome;
  /** Of the contact as it was wanted. */
  sentHash?: string;
  remoteId?: string;
  remoteNames?: RemoteNames;
}

/** An event that is ready to be sent. */
export interface ReadyEvent<E> {
  name: string;
  at: Date;
  event: E;
}

/** What delivery needs of another system. */
export interface Crm<E> {
  sendContact(customer: DueCustomer, totals: Totals | undefined, signal: AbortSignal): Promise<ContactTry>;
  /** Undefined where no rule sends an event. `remote`: as the last try of the contact left it. */
  eventOf(
    effect: DueEffect,
    customer: DueCustomer,
    remote: Pick<ContactTry, 'remoteId' | 'remoteNames'>,
  ): ReadyEvent<E> | undefined;
  sendEvent(event: E, signal: AbortSignal): Promise<TryOutcome>;
  /** Of one batch, by its index; as many as {@link batches} allows. */
  sendEvents(events: readonly E[], signal: AbortSignal): Promise<readonly TryOutcome[]>;
  /** Events in the parts that one request may have. */
  batches<R extends { ready: ReadyEvent<E> }>(events: readonly R[]): R[][];
  /** Whether the account may be used again. */
  probe(signal: AbortSignal): Promise<boolean>;
  /** Looks up effects that may have been taken. */
  settle(signal: AbortSignal): Promise<void>;
}

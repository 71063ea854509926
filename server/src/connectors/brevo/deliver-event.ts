import type { ContactTry, ReadyEvent } from '../crm.ts';
import type { TryOutcome } from '../effect-state.ts';
import type { DueCustomer, DueEffect } from '../outbox-table.ts';
import type { Brevo, BrevoEvent } from './brevo-api.ts';
import { strongestOf, without } from './collisions.ts';
import type { Mapping, Totals } from './mapping.ts';
import { type BrevoPause, caught, tryOf } from './outcomes.ts';
import { droppedBefore, wantedContact } from './wanted-contact.ts';

export interface EventDeps {
  brevo: Pick<Brevo, 'sendEvent' | 'sendEvents'>;
  mapping: Pick<Mapping, 'contact' | 'event'>;
  onPause(pause: BrevoPause): Promise<void>;
}

/** Identifiers do not depend on what the rows add up to. */
const noTotals: Totals = { conversations: 0, lastConversationAt: 0, preferredChannel: 'other' };

/**
 * The event of an effect, for the contact's number at Brevo, else for its strongest identifier that is its own. Undefined where no
 * rule sends one, or nothing identifies the customer.
 */
export function eventOf(
  { mapping }: Pick<EventDeps, 'mapping'>,
  { interaction, trigger }: DueEffect,
  { interactions }: DueCustomer,
  { remoteId, remoteNames }: Pick<ContactTry, 'remoteId' | 'remoteNames'>,
): ReadyEvent<BrevoEvent> | undefined {
  const made = interaction && mapping.event(interaction, trigger);
  if (!made) return undefined;
  if (remoteId) {
    const event = { ...made, identifiers: { contactId: Number(remoteId) } };
    return { name: event.name, at: event.at, event };
  }
  const contact = wantedContact(mapping, interactions, noTotals);
  const own = without(contact, droppedBefore(contact.identifiers, remoteNames?.dropped)).identifiers;
  const strongest = strongestOf(own);
  if (!strongest) return undefined;
  const event = { ...made, identifiers: { [strongest]: own[strongest] } };
  return { name: event.name, at: event.at, event };
}

export async function deliverEvent(
  { brevo, onPause }: EventDeps,
  event: BrevoEvent,
  signal: AbortSignal,
): Promise<TryOutcome> {
  return tryOf(await caught(brevo.sendEvent(event, signal), signal), onPause);
}

/**
 * One request for all; a batch that Brevo refuses as a whole is sent one by one, so that one event's fault is not that of all.
 * @returns in the order of `events`
 */
export async function deliverEvents(
  deps: EventDeps,
  events: readonly BrevoEvent[],
  signal: AbortSignal,
): Promise<TryOutcome[]> {
  const [only] = events;
  if (only && events.length === 1) return [await deliverEvent(deps, only, signal)];
  const outcome = await caught(deps.brevo.sendEvents(events, signal), signal);
  if (outcome.kind === 'refused') {
    const each: TryOutcome[] = [];
    // A signal that aborts meanwhile leaves the rest for later.
    for (const event of events)
      each.push(signal.aborted ? { kind: 'later' } : await deliverEvent(deps, event, signal));
    return each;
  }
  const whole = await tryOf(outcome, deps.onPause);
  const refused = new Map(
    outcome.kind === 'done' ? outcome.value.refused.map((one) => [one.index, one] as const) : [],
  );
  return events.map((_, index) => {
    const fault = refused.get(index);
    return fault ? { kind: 'refused', code: fault.code, message: fault.message, status: 207 } : whole;
  });
}

const mostOfBatch = 200;
/** Of 512 KB: the rest is for identifiers and the request's own text. */
const mostBytes = 400_000;

/** Events in parts that one batch may have. */
export function batchesOf<R extends { ready: ReadyEvent<BrevoEvent> }>(all: readonly R[]): R[][] {
  const batches: R[][] = [];
  let current: R[] = [];
  let bytes = 0;
  for (const one of all) {
    const size = Buffer.byteLength(JSON.stringify(one.ready.event)) + 200;
    if (current.length > 0 && (current.length === mostOfBatch || bytes + size > mostBytes)) {
      batches.push(current);
      current = [];
      bytes = 0;
    }
    current.push(one);
    bytes += size;
  }
  if (current.length > 0) batches.push(current);
  return batches;
}

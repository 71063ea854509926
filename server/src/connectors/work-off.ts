import type { Totals } from './brevo/mapping.ts';
import type { ContactTry, Crm, ReadyEvent } from './crm.ts';
import { type AfterTry, afterTry, type TryOutcome } from './effect-state.ts';
import type { CustomerResult, DueCustomer, DueEffect } from './outbox-table.ts';
import { claimMs, tryMs } from './outbox-table.ts';
import type { Slots } from './slots.ts';
import type { Tries } from './tries.ts';

export interface WorkDeps<E> {
  crm: Crm<E>;
  tries: Tries;
  slots: Slots;
  /** Sends an event of the past with others. */
  sendWithOthers(sending: Sending<E>): Promise<Sent | undefined>;
  /** Aborts what is under way. */
  signal: AbortSignal;
  /** True while the process ends: nothing more is begun. */
  isEnding(): boolean;
  chance?: () => number;
}

/** An effect and its event. */
export interface Sending<E> {
  effect: DueEffect;
  ready: ReadyEvent<E>;
  remoteId?: string;
}

export interface Sent {
  after: AfterTry;
  isPaused: boolean;
}

/** While no event may be sent its effects wait for so long, ms. */
export const closedMs = 2_000;
/** A claim that has lasted so long takes up no more effects. */
const longestMs = claimMs / 2;
/** A request ends well before its try does: its result has to be written. */
const requestMs = tryMs * 0.75;

export const requestSignal = (signal: AbortSignal): AbortSignal =>
  AbortSignal.any([signal, AbortSignal.timeout(requestMs)]);

/**
 * Sends a customer's contact, where it has changed, then its effects in their order; writes what became of them, and ends the claim.
 * @returns whether all requests of the account have to pause
 */
export async function workOff<E>(
  deps: WorkDeps<E>,
  customer: DueCustomer,
  totals: Totals | undefined,
): Promise<boolean> {
  const until = performance.now() + longestMs;
  const chance = deps.chance ?? Math.random;
  const contact = await contactOf(deps, customer, totals);
  const after = afterTry(contact.outcome, customer.attempts, chance());
  if (after.state !== 'sent') {
    await deps.tries.end(customer.effects.map((effect) => withContact(effect, after)));
    await deps.tries.endClaim(resultOf(customer, contact, after));
    return contact.outcome.kind === 'paused';
  }
  let stopped: Stopped | undefined;
  const left = new Set(customer.effects);
  const history = customer.effects.filter(({ isHistory }) => isHistory);
  const steps: (readonly DueEffect[])[] = [
    ...(history.length > 0 ? [history] : []),
    ...customer.effects.filter(({ isHistory }) => !isHistory).map((effect) => [effect]),
  ];
  for (const step of steps) {
    if (stopped) break;
    if (deps.isEnding() || performance.now() > until) stopped = { dueInMs: 0, isPaused: false };
    else {
      const found = await Promise.all(step.map((effect) => sendEffect(deps, customer, contact, effect)));
      for (const effect of step) left.delete(effect);
      stopped = found.find((one) => one);
    }
  }
  await deps.tries.end(
    [...left].map(({ id, attempts }) => ({ id, state: 'waiting', attempts, dueInMs: stopped?.dueInMs ?? 0 })),
  );
  await deps.tries.endClaim(resultOf(customer, contact, after));
  return stopped?.isPaused ?? false;
}

/** Why the effects behind one wait as well. */
interface Stopped {
  dueInMs: number;
  isPaused: boolean;
}

/** The contact is sent once for each version; what was refused of a version is not asked for again. */
async function contactOf<E>(
  { crm, signal }: WorkDeps<E>,
  customer: DueCustomer,
  totals: Totals | undefined,
): Promise<ContactTry> {
  const { error, remoteId, remoteNames, sentHash, sentVersion, version } = customer;
  const known = {
    ...(sentHash && { sentHash }),
    ...(remoteId && { remoteId }),
    ...(remoteNames && { remoteNames }),
  };
  if (error?.version === version && error.state !== 'waiting')
    return {
      ...known,
      outcome:
        error.state === 'dropped'
          ? { kind: 'dropped', why: error.code }
          : { kind: 'refused', code: error.code, message: error.message ?? '' },
    };
  if (version <= sentVersion) return { ...known, outcome: { kind: 'done' } };
  const sent = await crm.sendContact(customer, totals, requestSignal(signal));
  // A contact may be sent twice without harm.
  const outcome: TryOutcome = sent.outcome.kind === 'unknown' ? { kind: 'later' } : sent.outcome;
  return { ...known, ...sent, outcome };
}

/** Effects share what became of their contact. */
const withContact = ({ id, attempts }: DueEffect, after: AfterTry) => ({ ...after, id, attempts });

function resultOf(customer: DueCustomer, contact: ContactTry, after: AfterTry): CustomerResult {
  const { id, claim, sentVersion, version } = customer;
  const { outcome: _, ...remote } = contact;
  const isSent = after.state === 'sent';
  const state = after.state === 'uncertain' ? 'waiting' : after.state;
  return {
    ...{ id, claim, state, dueInMs: after.dueInMs, ...remote },
    attempts: isSent ? 0 : after.attempts,
    sentVersion: isSent ? version : sentVersion,
    ...(after.error && { error: { ...after.error, version, state } }),
  };
}

async function sendEffect<E>(
  deps: WorkDeps<E>,
  customer: DueCustomer,
  contact: ContactTry,
  effect: DueEffect,
): Promise<Stopped | undefined> {
  const ready = effect.interaction && deps.crm.eventOf(effect, customer, contact);
  if (!ready) {
    const why = effect.interaction ? 'no_rule' : 'erased';
    await deps.tries.end([{ id: effect.id, ...afterTry({ kind: 'dropped', why }, effect.attempts, 0) }]);
    return undefined;
  }
  const { remoteId } = contact;
  const sending = { effect, ready, ...(remoteId && { remoteId }) };
  const sent = await (effect.isHistory ? deps.sendWithOthers(sending) : sendAlone(deps, sending));
  // Undefined: another process, or a change of the interaction, has taken it.
  if (sent?.after.state !== 'waiting') return undefined;
  return { dueInMs: sent.after.dueInMs, isPaused: sent.isPaused };
}

async function sendAlone<E>(
  { chance = Math.random, crm, isEnding, signal, slots, tries }: WorkDeps<E>,
  { effect, ready, remoteId }: Sending<E>,
): Promise<Sent | undefined> {
  const release = await slots.take();
  if (!release || isEnding()) {
    release?.();
    const after: AfterTry = { state: 'waiting', attempts: effect.attempts, dueInMs: release ? 0 : closedMs };
    await tries.end([{ id: effect.id, ...after }]);
    return { after, isPaused: false };
  }
  try {
    const begun = await tries.begin([beginOf({ effect, ready, ...(remoteId && { remoteId }) })]);
    if (!begun.has(effect.id)) return undefined;
    const outcome = await crm.sendEvent(ready.event, requestSignal(signal));
    const after = afterTry(outcome, effect.attempts, chance());
    await tries.end([{ id: effect.id, ...after }], begun);
    return { after, isPaused: outcome.kind === 'paused' };
  } finally {
    release();
  }
}

export const beginOf = <E>({ effect: { id, custodyId }, ready: { name, at }, remoteId }: Sending<E>) => ({
  ...{ id, custodyId, eventName: name, eventAt: at },
  ...(remoteId && { remoteId }),
});

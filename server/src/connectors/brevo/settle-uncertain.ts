import type { Db } from '../../db/db.ts';
import { afterLook, nextLookMs, pauseAfter } from '../effect-state.ts';
import { claimLooks, endLooks, type LookResult, type UncertainEffect } from '../uncertain-table.ts';
import type { Brevo, BrevoFound } from './brevo-api.ts';
import { type BrevoPause, caught } from './outcomes.ts';

export interface SettleDeps {
  db: Pick<Db, 'query'>;
  connector: string;
  brevo: Pick<Brevo, 'events'>;
  resendAfterMs: number;
  onPause(pause: BrevoPause): Promise<void>;
  chance?: () => number;
}

/** Brevo may keep whole seconds. */
const roundingMs = 1_000;
/** A look that Brevo could not answer is one of these, by its pause. */
const failedLook = 6;

/** Looks up events that may have been taken, by their name and period: one request may settle many. */
export async function settleUncertain(deps: SettleDeps, signal: AbortSignal): Promise<void> {
  const claimed = await claimLooks(deps.db, deps.connector);
  for (const group of groupsOf(claimed)) {
    const results = await look(deps, group, signal);
    await endLooks(deps.db, results);
  }
}

/** Those of one request: by name, the live ones apart from those of the past, whose period is a long one. */
export function groupsOf(effects: readonly UncertainEffect[]): UncertainEffect[][] {
  const groups = new Map<string, UncertainEffect[]>();
  for (const effect of effects.toSorted((a, b) => +a.eventAt - +b.eventAt)) {
    const key = `${effect.isHistory} ${effect.eventName}`;
    groups.set(key, [...(groups.get(key) ?? []), effect]);
  }
  return [...groups.values()];
}

/** Two parts of a group whose period has too many events for one answer, with the longest time between them. */
export function partsOf(group: readonly UncertainEffect[]): UncertainEffect[][] {
  const gaps = group.slice(1).map(({ eventAt }, index) => +eventAt - +(group[index]?.eventAt ?? eventAt));
  const widest = Math.max(...gaps);
  const at = widest === 0 ? Math.floor(group.length / 2) : gaps.indexOf(widest) + 1;
  return [group.slice(0, at), group.slice(at)];
}

async function look(
  deps: SettleDeps,
  group: readonly UncertainEffect[],
  signal: AbortSignal,
): Promise<LookResult[]> {
  const { brevo, chance = Math.random, onPause, resendAfterMs } = deps;
  const times = group.map(({ eventAt }) => +eventAt);
  const [one] = group;
  if (!one) return [];
  const outcome = await caught(
    brevo.events(
      {
        name: one.eventName,
        from: new Date(Math.min(...times) - roundingMs),
        to: new Date(Math.max(...times) + roundingMs),
        // More than 10,000 events of a name in one second: only the contact narrows them.
        ...(group.length === 1 && one.remoteId && { contactId: Number(one.remoteId) }),
      },
      signal,
    ),
    signal,
  );
  if (outcome.kind === 'pause') await onPause(outcome);
  const again = (effect: UncertainEffect): LookResult => ({
    ...{ id: effect.id, state: 'uncertain', looks: effect.looks },
    dueInMs: pauseAfter(failedLook, chance(), outcome.kind === 'later' ? outcome.afterMs : 0),
  });
  if (outcome.kind !== 'done') return group.map(again);
  const { events, isWhole } = outcome.value;
  const results = group.map((effect): LookResult | undefined => {
    if (events.some((event) => isOf(event, effect))) return { ...again(effect), state: 'sent', dueInMs: 0 };
    if (!isWhole) return undefined;
    const looks = effect.looks + 1;
    const state = afterLook({ isFound: false }, looks, effect.sinceMs, resendAfterMs);
    const until = nextLookMs(looks, resendAfterMs) - effect.sinceMs;
    return { id: effect.id, looks, state, dueInMs: state === 'uncertain' ? Math.max(0, until) : 0 };
  });
  const unclear = group.filter((_, index) => results[index] === undefined);
  const clear = results.flatMap((result) => result ?? []);
  if (unclear.length > 0 && group.length > 1) {
    const parts = unclear.length > 1 ? partsOf(unclear) : [unclear];
    for (const part of parts) clear.push(...(await look(deps, part, signal)));
  } else clear.push(...unclear.map(again));
  return clear;
}

/** Two triggers of an interaction may share a name: their times differ. */
const isOf = ({ at, name, properties }: BrevoFound, { custodyId, eventAt, eventName }: UncertainEffect) =>
  properties['custody_id'] === custodyId && name === eventName && Math.abs(+at - +eventAt) <= roundingMs;

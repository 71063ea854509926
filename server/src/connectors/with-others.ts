import { coalesce } from '../db/coalesce.ts';
import type { Crm } from './crm.ts';
import { afterTry } from './effect-state.ts';
import type { Tries } from './tries.ts';
import { beginOf, closedMs, requestSignal, type Sending, type Sent } from './work-off.ts';

export interface WithOthersDeps<E> {
  crm: Pick<Crm<E>, 'batches' | 'sendEvents'>;
  tries: Tries;
  signal: AbortSignal;
  chance?: () => number;
}

/** Sends events of the past in batches: those that come while one batch is under way are the next. */
export function sendingWithOthers<E>(
  deps: WithOthersDeps<E>,
): (sending: Sending<E>) => Promise<Sent | undefined> {
  const send = coalesce(async (all: Sending<E>[]) => {
    const found = new Map<number, Sent>();
    for (const batch of deps.crm.batches(all))
      for (const [id, sent] of await sendBatch(deps, batch)) found.set(id, sent);
    return found;
  });
  return async (sending) => (await send(sending)).get(sending.effect.id);
}

async function sendBatch<E>(
  { chance = Math.random, crm, signal, tries }: WithOthersDeps<E>,
  all: readonly Sending<E>[],
): Promise<(readonly [number, Sent])[]> {
  const { begun, room } = await tries.beginBatch(all.map(beginOf));
  const left = all
    .slice(room)
    .map(
      ({ effect: { id, attempts } }) =>
        [id, { after: { state: 'waiting', attempts, dueInMs: closedMs }, isPaused: false }] as const,
    );
  await tries.end(left.map(([id, { after }]) => ({ id, ...after })));
  const batch = all.filter(({ effect }) => begun.has(effect.id));
  if (batch.length === 0) return left;
  const outcomes = await crm.sendEvents(
    batch.map(({ ready }) => ready.event),
    requestSignal(signal),
  );
  const sent = batch.map(({ effect: { id, attempts } }, index) => {
    const outcome = outcomes[index] ?? { kind: 'unknown' };
    return [
      id,
      { after: afterTry(outcome, attempts, chance()), isPaused: outcome.kind === 'paused' },
    ] as const;
  });
  await tries.end(
    sent.map(([id, { after }]) => ({ id, ...after })),
    begun,
  );
  return [...sent, ...left];
}

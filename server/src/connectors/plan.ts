import type { Interaction, Trigger } from './interaction.ts';

/** An effect's row. */
export interface KnownEffect {
  id: number;
  custodyId: string;
  trigger: Trigger;
  customer?: number;
  /** See `effectStates` of the delivery: `waiting`, `sending`, `uncertain`, `sent`, `dropped`, `failed`. */
  state: string;
  /** Epoch ms. */
  happenedAt: number;
  isHistory: boolean;
}

/** An effect as it ought to be; epoch ms. */
export interface WantedEffect {
  custodyId: string;
  trigger: Trigger;
  customer: number;
  happenedAt: number;
  isHistory: boolean;
}

export interface EffectPlan {
  added: WantedEffect[];
  /** They wait for later events once more. */
  moved: (WantedEffect & { id: number; isRevived: boolean })[];
  /** Ids. */
  dropped: number[];
}

/** What has happened to an interaction, by trigger; epoch ms. */
export function happenedTo(interaction: Interaction): Map<Trigger, number> {
  const { outcome, closedAt, tasks } = interaction;
  const hasTask = tasks.length > 0;
  const isOver = hasTask && outcome !== 'open';
  const times: readonly (readonly [Trigger, number | undefined])[] = [
    ['task.created', hasTask ? interaction.openedAt : undefined],
    ['task.accepted', interaction.acceptedAt],
    ['task.transferred', interaction.transferredAt],
    ['task.completed', isOver && outcome === 'resolved' ? closedAt : undefined],
    ['task.canceled', isOver && outcome !== 'resolved' ? closedAt : undefined],
    ['conversation.ended', interaction.conversationEndedAt],
    ['survey.completed', interaction.surveyedAt],
  ];
  return new Map(times.flatMap(([trigger, at]) => (at === undefined ? [] : [[trigger, at]])));
}

/** Effects whose request is made, or was refused for good: nothing takes them back. */
const isTaken = ({ state }: KnownEffect): boolean => state !== 'waiting' && state !== 'dropped';

/**
 * What has to change so that one interaction has the wanted effects.
 * @param known of the interaction, and of all that became one with it
 */
export function planEffects(
  custodyId: string,
  wanted: readonly WantedEffect[],
  known: readonly KnownEffect[],
): EffectPlan {
  const taken = new Set(known.filter(isTaken).map(({ trigger }) => trigger));
  const open = known.filter((effect) => !isTaken(effect));
  const own = new Map(
    open.filter((effect) => effect.custodyId === custodyId).map((effect) => [effect.trigger, effect]),
  );
  const plan: EffectPlan = { added: [], moved: [], dropped: [] };
  const kept = new Set<number>();
  for (const effect of wanted) {
    if (taken.has(effect.trigger)) continue;
    const row = own.get(effect.trigger);
    if (!row) plan.added.push(effect);
    else {
      kept.add(row.id);
      plan.moved.push({ ...effect, id: row.id, isRevived: row.state === 'dropped' });
    }
  }
  plan.dropped = open.filter(({ id, state }) => state === 'waiting' && !kept.has(id)).map(({ id }) => id);
  return plan;
}

import type { Preview } from '../explain.ts';
import type { Interaction } from '../interaction.ts';
import type { Mapping, Totals } from './mapping.ts';

/** What the mapping makes of an interaction, for `connector explain`. @param values shows the customer's values too */
export function previewOf(
  mapping: Mapping,
  interaction: Interaction,
  totals: Totals,
  values: boolean,
): Preview {
  const found = mapping.customer(interaction);
  const contact = 'why' in found ? undefined : mapping.contact(interaction, totals);
  const shown = <T extends string | number | boolean>(of: Readonly<Record<string, T | undefined>>) =>
    Object.fromEntries(
      Object.entries(of).flatMap(([name, value]) =>
        value === undefined ? [] : [[name, values ? value : hidden(value)]],
      ),
    );
  return {
    ...('why' in found && { why: found.why }),
    identifiers: shown({ ...contact?.identifiers }) as Record<string, string>,
    attributes: shown({ ...contact?.attributes }),
    lists: contact?.listIds ?? [],
    rules: mapping.explain(interaction, totals),
    eventOf: (trigger) => ('why' in found ? undefined : mapping.event(interaction, trigger)),
  };
}

/** That there is a value, and of what kind. */
const hidden = (value: string | number | boolean): string =>
  typeof value === 'string' ? `(text of ${value.length})` : `(${typeof value})`;

/** Of a customer of whom this is the first interaction. */
export const firstTotals = (one: Interaction): Totals => ({
  conversations: 1,
  ...(one.waitSeconds !== undefined && { averageWaitSeconds: one.waitSeconds }),
  averageTalkSeconds: one.talkSeconds,
  lastConversationAt: one.closedAt ?? one.openedAt,
  ...(one.csatScore !== undefined && { lastCsatScore: one.csatScore }),
  preferredChannel: one.channel,
});

import type { Interaction } from '../interaction.ts';
import type { BrevoIdentifiers } from './brevo-api.ts';
import type { BrevoConfig } from './config/brevo-config.ts';
import { attributesOf, type FieldOutcome, outcomesOf } from './contact-fields.ts';
import { decide } from './events.ts';
import { explain } from './explain-mapping.ts';
import { keyOf } from './identifiers.ts';
import { leftOut } from './left-out.ts';
import { listsOf } from './lists.ts';
import type { Mapping, Totals } from './mapping.ts';
import { propertiesOf } from './properties.ts';

export function createMapping(config: BrevoConfig): Mapping {
  const fieldsOf = (interaction: Interaction, totals: Totals, before?: Readonly<Record<string, unknown>>) =>
    outcomesOf(config, interaction, totals, before);
  return {
    customer(interaction) {
      const out = leftOut(config, interaction);
      if (out) return { why: out.why };
      const identifiers = identifiersIn(fieldsOf(interaction, noTotals));
      const key = keyOf(identifiers);
      return key === undefined ? { why: 'nothing identifies its customer' } : { key, identifiers };
    },
    contact(interaction, totals, before) {
      const fields = fieldsOf(interaction, totals, before);
      const written = fields.flatMap((one) => ('attribute' in one ? [[one.attribute, one.value]] : []));
      return {
        identifiers: identifiersIn(fields),
        attributes: Object.fromEntries(written),
        listIds: listsOf(config, interaction, totals).flatMap((list) => ('id' in list ? [list.id] : [])),
      };
    },
    event(interaction, trigger) {
      if (leftOut(config, interaction)) return undefined;
      const decision = decide(config, interaction, trigger);
      if (!('at' in decision)) return undefined;
      return {
        name: decision.rule.name,
        at: new Date(decision.at),
        properties: propertiesOf(interaction, config.sync.csat),
      };
    },
    needsBefore: config.sync.customers && config.field_mapping.some(({ overwrite }) => overwrite === 'never'),
    attributes: attributesOf(config),
    explain: (interaction, totals) => explain(config, interaction, totals),
  };
}

/** No total is an identifier. */
const noTotals: Totals = { conversations: 0, lastConversationAt: 0, preferredChannel: '' };

const identifiersIn = (fields: readonly FieldOutcome[]): BrevoIdentifiers =>
  Object.fromEntries(fields.flatMap((one) => ('identifier' in one ? [[one.identifier, one.value]] : [])));

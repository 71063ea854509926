import { type Interaction, triggers } from '../interaction.ts';
import type { BrevoConfig } from './config/brevo-config.ts';
import { outcomesOf } from './contact-fields.ts';
import { decide } from './events.ts';
import { leftOut } from './left-out.ts';
import { listsOf } from './lists.ts';
import type { Reason, Totals } from './mapping.ts';

/** Each rule with its source, its target, and why it sends what or nothing. No value is in it. */
export function explain(config: BrevoConfig, interaction: Interaction, totals: Totals): Reason[] {
  const out = leftOut(config, interaction);
  const consent = config.consent === 'all' ? 'all' : `attributes.${config.consent.attribute}`;
  return [
    out
      ? {
          rule: out.rule,
          target: '',
          source: sources[out.rule] ?? consent,
          why: `nothing is sent: ${out.why}`,
        }
      : { rule: 'consent', target: '', source: consent, why: 'it may be sent' },
    ...outcomesOf(config, interaction, totals, undefined).map((one) => ({
      rule: one.rule.rule,
      target: targetIn(one),
      source: one.rule.source.name,
      why: `${one.rule.source.name} ${one.why}`,
    })),
    ...listsOf(config, interaction, totals).map((list) => ({
      rule: list.rule,
      target: 'id' in list ? `list ${list.id}` : '',
      source: list.rule === 'lists.csat_respondents' ? 'csat' : '',
      why: 'id' in list ? 'the contact is added' : `the contact is not added: ${list.why}`,
    })),
    ...triggers.map((trigger) => {
      const decision = decide(config, interaction, trigger);
      return {
        rule: decision.rule?.rule ?? `event_mapping.${trigger}`,
        target: decision.rule?.name ?? '',
        source: trigger,
        why: 'at' in decision ? (out ? `not sent: ${out.why}` : 'it is sent') : `not sent: ${decision.why}`,
      };
    }),
  ];
}

const sources: Partial<Record<string, string>> = {
  channels: 'channel',
  flex_flow_sid: 'attributes.flexFlowSid',
};

const names = { email: 'email', extId: 'ext_id', phone: 'SMS', whatsapp: 'WHATSAPP' } as const;

function targetIn(one: ReturnType<typeof outcomesOf>[number]): string {
  if ('identifier' in one) return names[one.identifier];
  return 'attribute' in one ? one.attribute : one.target;
}

import type { Interaction, Trigger } from '../interaction.ts';
import type { BrevoConfig } from './config/brevo-config.ts';
import { attributeAt } from './field-values.ts';
import { booleanOf } from './transform.ts';

/** Why a setting leaves an interaction out; a whole sentence without an address. */
export interface LeftOut {
  rule: 'channels' | 'flex_flow_sid' | 'consent';
  why: string;
}

/** Undefined where the interaction may be sent. */
export function leftOut(config: BrevoConfig, interaction: Interaction): LeftOut | undefined {
  const { channel, direction, flexFlowSid } = interaction;
  if (!config.channels.some((one) => one === channel))
    return { rule: 'channels', why: `the channel ${channel} is not in channels` };
  if (direction === 'internal') return { rule: 'channels', why: 'it is a call between agents' };
  if (config.flex_flow_sid !== undefined && flexFlowSid !== undefined && flexFlowSid !== config.flex_flow_sid)
    return { rule: 'flex_flow_sid', why: 'its task is of another Flex Flow than flex_flow_sid' };
  if (consents(config, interaction)) return undefined;
  return { rule: 'consent', why: 'its task attribute of consent is not true' };
}

function consents({ consent }: BrevoConfig, { customer }: Interaction): boolean {
  return (
    consent === 'all' || booleanOf(attributeAt(customer.attributes, consent.attribute.split('.'))) === true
  );
}

/** Which of `sync` switches the events of a trigger. */
export const switchOf = (trigger: Trigger): 'tasks' | 'conversations' | 'csat' =>
  trigger === 'survey.completed' ? 'csat' : trigger === 'conversation.ended' ? 'conversations' : 'tasks';

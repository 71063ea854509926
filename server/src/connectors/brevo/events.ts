import type { Interaction, Trigger } from '../interaction.ts';
import type { BrevoConfig } from './config/brevo-config.ts';
import type { Condition, EventRule } from './config/event-mapping.ts';
import { switchOf } from './left-out.ts';

const happenedAt: Readonly<Record<Trigger, (interaction: Interaction) => number | undefined>> = {
  'task.created': ({ openedAt }) => openedAt,
  'task.accepted': ({ acceptedAt }) => acceptedAt,
  'task.transferred': ({ transferredAt }) => transferredAt,
  'task.completed': ({ closedAt }) => closedAt,
  'task.canceled': ({ closedAt }) => closedAt,
  'conversation.ended': ({ conversationEndedAt }) => conversationEndedAt,
  'survey.completed': ({ surveyedAt }) => surveyedAt,
};

const holds = ({ on, values, not }: Condition, interaction: Interaction): boolean => {
  const is = (interaction[on] ?? '').trim().toLowerCase();
  return values.some((value) => value.trim().toLowerCase() === is) !== not;
};

export type Decision = { rule: EventRule; at: number } | { rule?: EventRule; why: string };

/** Which rule sends an event of a trigger, and when it happened in epoch ms; or why none does. */
export function decide(config: BrevoConfig, interaction: Interaction, trigger: Trigger): Decision {
  const rules = config.event_mapping.filter((rule) => rule.trigger === trigger);
  const [first] = rules;
  if (!first) return { why: 'no rule of event_mapping sends an event' };
  if (!config.sync[switchOf(trigger)]) return { rule: first, why: `sync.${switchOf(trigger)} is false` };
  const at = happenedAt[trigger](interaction);
  if (at === undefined) return { rule: first, why: 'it has not happened' };
  const rule = rules.find(({ when }) => when.every((condition) => holds(condition, interaction)));
  if (rule) return { rule, at };
  const failed = first.when.find((condition) => !holds(condition, interaction));
  // A reason is a text of the Flex project, and may say anything.
  const is = failed === undefined || failed.on === 'reason' ? '' : `: it is ${interaction[failed.on]}`;
  return { rule: first, why: `when.${failed?.on} does not hold${is}` };
}

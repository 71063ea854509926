import type { Interaction } from '../interaction.ts';
import type { BrevoConfig } from './config/brevo-config.ts';
import type { Totals } from './mapping.ts';

export type ListOutcome = { rule: string; id: number } | { rule: string; why: string };

/** What becomes of each list of the file. */
export function listsOf(
  { lists, sync }: BrevoConfig,
  interaction: Interaction,
  totals: Totals,
): ListOutcome[] {
  const outcomes: ListOutcome[] = [];
  const { support_contacts: support, csat_respondents: respondents } = lists;
  if (support !== undefined)
    outcomes.push({
      rule: 'lists.support_contacts',
      ...(sync.customers ? { id: support } : { why: 'sync.customers is false' }),
    });
  if (respondents !== undefined) {
    const answered = interaction.csatScore !== undefined || totals.lastCsatScore !== undefined;
    const why = !sync.csat ? 'sync.csat is false' : answered ? undefined : 'the customer answered no survey';
    outcomes.push({ rule: 'lists.csat_respondents', ...(why === undefined ? { id: respondents } : { why }) });
  }
  return outcomes;
}

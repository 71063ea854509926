import { wasDiverted } from '../recorder/sessions/closing.ts';
import type { Contact, Interaction as Segment } from '../recorder/sessions/contact.ts';
import { latest } from '../recorder/sessions/order.ts';
import type { Task } from '../recorder/sessions/task.ts';
import type { Outcome } from './interaction.ts';

/**
 * What became of a contact. Its end decides: a customer who was served, was queued again and then gave up is `abandoned`; a later task
 * by which the contact continues makes it otherwise.
 * @param tasks without surveys, in order of their creation
 * @param accepted without surveys
 */
export function outcomeOf({
  contact: { marks, connectedAt, direction },
  tasks,
  accepted,
  closedAt,
}: {
  contact: Pick<Contact, 'marks' | 'connectedAt' | 'direction'>;
  tasks: readonly Task[];
  accepted: readonly Segment[];
  closedAt: number | undefined;
}): Outcome {
  if (closedAt === undefined) return 'open';
  const servedUntil = latest(accepted.flatMap(({ endedAt }) => endedAt ?? []));
  const last = tasks.at(-1);
  const leftAt = last?.canceled?.at;
  const isLeft = leftAt !== undefined && (servedUntil === undefined || leftAt > servedUntil);
  if (isLeft && last && marks.includes('abandoned') && !wasDiverted(last)) return 'abandoned';
  if (marks.includes('unanswered') && connectedAt === undefined) return 'unanswered';
  if (accepted.length > 0 && !(isLeft && marks.includes('diverted') && direction === 'inbound'))
    return 'resolved';
  return marks.includes('diverted') ? 'diverted' : 'ended';
}

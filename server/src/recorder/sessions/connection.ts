import type { Contact, Interaction } from './contact.ts';
import type { CallFact, ConferenceFact } from './facts/fact.ts';
import { earliest, groupBy } from './order.ts';
import type { Reservation } from './reservation.ts';

/** Whether a leg is the customer's: named so by the task, else any that leads to no agent's Voice client. */
const isCustomers = (call: CallFact, customerCall: string | undefined, all: readonly CallFact[]): boolean =>
  customerCall !== undefined
    ? call.callSid === customerCall
    : !all.some(({ callSid, agentUri }) => agentUri && callSid === call.callSid);

/** When the customer of an outbound call answered, epoch ms: then the customer's leg joins the conference too. */
export function answerOf(
  calls: readonly CallFact[],
  conferences: readonly ConferenceFact[],
  customerCall: string | undefined,
): number | undefined {
  const answered = calls.find((call) => call.name === 'answered' && isCustomers(call, customerCall, calls));
  const joined = conferences.find(
    ({ name, callSid }) => name === 'participant-join' && callSid !== undefined && callSid === customerCall,
  );
  return (answered ?? joined)?.at;
}

const noAnswer = ['no-answer', 'busy', 'failed', 'canceled'];

/** Whether an outbound or internal call ended without an answer; of an outbound call only an event of voice says so. */
export function isUnanswered(
  direction: Contact['direction'],
  calls: readonly CallFact[],
  customerCall: string | undefined,
  answered: number | undefined,
  reservations: readonly Reservation[],
): boolean {
  if (direction === 'inbound' || answered !== undefined) return false;
  if (direction === 'internal') {
    const called = reservations.filter(({ acceptedAt }) => acceptedAt === undefined);
    const took = new Set(
      reservations.flatMap(({ acceptedAt, taskSid }) => (acceptedAt === undefined ? [] : [taskSid])),
    );
    return took.size < 2 && called.length > 0 && called.every(({ endedAt }) => endedAt !== undefined);
  }
  return calls.some((call) => noAnswer.includes(call.status ?? '') && isCustomers(call, customerCall, calls));
}

/** See `connectedAt` of {@link Contact}. */
export function connectionOf(
  direction: Contact['direction'],
  accepted: readonly Interaction[],
  answered: number | undefined,
): number | undefined {
  if (direction === 'outbound') return answered;
  const first = earliest(accepted.flatMap(({ acceptedAt }) => acceptedAt ?? []));
  if (direction === 'inbound') return first;
  const firsts = [...groupBy(accepted, ({ taskSid }) => taskSid).values()].flatMap(
    (own) => earliest(own.flatMap(({ acceptedAt }) => acceptedAt ?? [])) ?? [],
  );
  return firsts.sort((a, b) => a - b)[1];
}

import type { TaskSid } from '@flex-custody/core';
import type { Contact, ContactKind, Interaction } from './contact.ts';
import type { CallFact, ConferenceFact } from './facts/fact.ts';
import { earliest, groupBy } from './order.ts';
import type { Reservation } from './reservation.ts';
import type { Task } from './task.ts';

/** What became of the call that a task made: when it was answered (epoch ms), or that it was not; neither is known without events of voice. */
export type Answer = { at: number } | 'unanswered' | undefined;

export interface AnswersInput {
  direction: Contact['direction'];
  tasks: readonly Task[];
  reservations: readonly Reservation[];
  calls: readonly CallFact[];
  conferences: readonly ConferenceFact[];
  /** The customer's leg, for a contact with a single call. */
  customerCall: string | undefined;
}

const noAnswer = ['no-answer', 'busy', 'failed', 'canceled'];

/** The answer of each task that made a call: a callback that is tried again has several. Undefined names a call without a task. */
export type Answers = ReadonlyMap<TaskSid | undefined, Answer>;

export function answersOf(input: AnswersInput): Answers {
  const { direction, tasks, calls, conferences, customerCall: only } = input;
  if (tasks.length === 0 && direction === 'outbound')
    return new Map([[undefined, answerOf(calls, conferences, only)]]);
  const voice = tasks.filter(({ kind }) => kind === 'voice');
  if (direction === 'internal') {
    const answer = isUnansweredInternally(input.reservations) ? 'unanswered' : undefined;
    return new Map(voice.map(({ sid }) => [sid, answer]));
  }
  return new Map(
    voice
      .filter((task) => task.direction === 'outbound')
      .map(({ sid, customerCall }) => {
        if (voice.length === 1) return [sid, answerOf(calls, conferences, only)];
        const own = conferences.filter(({ keys }) => keys.includes(sid));
        const leg = customerCall ?? own.find(({ ofCustomer, callSid }) => ofCustomer && callSid)?.callSid;
        return [sid, leg === undefined ? undefined : answerOf(calls, own, leg)];
      }),
  );
}

/** Whether a leg is the customer's: named so by the task, else any that leads to no agent's Voice client. */
const isCustomers = (call: CallFact, customerCall: string | undefined, all: readonly CallFact[]): boolean =>
  customerCall !== undefined
    ? call.callSid === customerCall
    : !all.some(({ callSid, agentUri }) => agentUri && callSid === call.callSid);

/** When the customer of an outbound call answered: then the customer's leg joins the conference too. */
function answerOf(
  calls: readonly CallFact[],
  conferences: readonly ConferenceFact[],
  customerCall: string | undefined,
): Answer {
  const own = calls.filter((call) => isCustomers(call, customerCall, calls));
  const answered = own.find(({ name }) => name === 'answered');
  const joined = conferences.find(
    ({ name, callSid }) => name === 'participant-join' && callSid !== undefined && callSid === customerCall,
  );
  const at = (answered ?? joined)?.at;
  if (at !== undefined) return { at };
  return own.some(({ status }) => noAnswer.includes(status ?? '')) ? 'unanswered' : undefined;
}

function isUnansweredInternally(reservations: readonly Reservation[]): boolean {
  const called = reservations.filter(({ acceptedAt }) => acceptedAt === undefined);
  const took = new Set(
    reservations.flatMap(({ acceptedAt, taskSid }) => (acceptedAt === undefined ? [] : [taskSid])),
  );
  return took.size < 2 && called.length > 0 && called.every(({ endedAt }) => endedAt !== undefined);
}

/**
 * See `connectedAt` of {@link Contact}. Work about a call, such as a voicemail, connects no agent with the customer.
 * @param accepted interactions that an agent took
 */
export function connectionOf(
  kind: ContactKind,
  direction: Contact['direction'],
  accepted: readonly Interaction[],
  answers: Answers,
): number | undefined {
  const own: readonly Pick<Interaction, 'direction' | 'taskSid' | 'acceptedAt'>[] = answers.has(undefined)
    ? [{ direction }]
    : accepted.filter((one) => one.kind === kind);
  if (kind === 'voice' && direction === 'internal') {
    const firsts = [...groupBy(own, ({ taskSid }) => taskSid).values()].flatMap(
      (of) => earliest(of.flatMap(({ acceptedAt }) => acceptedAt ?? [])) ?? [],
    );
    return firsts.sort((a, b) => a - b)[1];
  }
  const times = own.map(({ direction: of, taskSid, acceptedAt }) => {
    // Of an acceptance that is missing nothing is known; the contact is marked.
    if (kind !== 'voice' || of !== 'outbound') return acceptedAt ?? Number.POSITIVE_INFINITY;
    const answer = answers.get(taskSid);
    return answer === 'unanswered' ? Number.POSITIVE_INFINITY : answer?.at;
  });
  // A call whose answer is unknown may be the first one that was connected.
  const known = times.filter((at) => at !== undefined);
  const first = known.length < times.length ? undefined : earliest(known);
  return first === Number.POSITIVE_INFINITY ? undefined : first;
}

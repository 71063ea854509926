import type { ContactKind, ContactMark, Interaction } from './contact.ts';
import { wasAccepted } from './contact.ts';
import type { CallFact, ConferenceFact, ConversationFact, SummaryFact } from './facts/fact.ts';
import { earliest, groupBy, latest } from './order.ts';
import type { Task } from './task.ts';

export interface EndInput {
  kind: ContactKind;
  tasks: readonly Task[];
  interactions: readonly Interaction[];
  conversations: readonly ConversationFact[];
  calls: readonly CallFact[];
  conferences: readonly ConferenceFact[];
  summaries: readonly SummaryFact[];
  /** What closes a contact by messages whose conversation is known. */
  textEnds: 'conversation' | 'task';
}

/**
 * When a contact was closed, in epoch ms; undefined while it is open. Where TaskRouter knows the contact, no event of
 * voice counts. Only reservations end what agents do; a task says no more than that no further agent comes.
 */
export function closedAtOf(input: EndInput): number | undefined {
  const { kind, interactions, textEnds } = input;
  const tasks = input.tasks.filter((task) => !task.survey);
  if (input.tasks.length === 0 && kind === 'voice') return voiceEnd(input);
  const accepted = interactions.filter(wasAccepted);
  if (accepted.some(({ endedAt }) => endedAt === undefined)) return undefined;
  const ended = accepted.flatMap(({ endedAt }) => endedAt ?? []);
  if (kind === 'text' && textEnds === 'conversation' && isKnownConversation(input)) {
    const closed = conversationEnd(input.conversations);
    return closed === undefined ? undefined : latest([closed, ...ended]);
  }
  if (tasks.some((task) => task.overAt === undefined && task.status !== 'wrapping')) return undefined;
  const left = tasks.flatMap((task) => (isSearching(task, accepted) ? (task.overAt ?? []) : []));
  return latest([...ended, ...left]) ?? latest(input.tasks.flatMap(({ overAt }) => overAt ?? []));
}

const isKnownConversation = ({ tasks, conversations }: EndInput): boolean =>
  conversations.length > 0 || tasks.some(({ hasConversation }) => hasConversation);

/** When the last of all conversations was closed, epoch ms, if no other state followed in any of them. */
export function conversationEnd(facts: readonly ConversationFact[]): number | undefined {
  const ends = [...groupBy(facts, ({ keys }) => keys[0]).values()].map((own) => {
    const states = own.filter(({ state }) => state !== undefined);
    return states[states.findLastIndex(({ state }) => state !== 'closed') + 1]?.at;
  });
  const closed = ends.filter((at) => at !== undefined);
  return closed.length < ends.length ? undefined : latest(closed);
}

/** Whether a task was over while it waited for an agent: none had accepted it, or it was queued again. */
function isSearching(task: Task, accepted: readonly Interaction[]): boolean {
  const last = latest(
    accepted.flatMap(({ taskSid, acceptedAt, offeredAt }) =>
      taskSid === task.sid ? (acceptedAt ?? offeredAt) : [],
    ),
  );
  if (last === undefined) return true;
  const transferFailed = task.failedTransfers.some((at) => at > last);
  return !transferFailed && task.canceled !== undefined && task.entered.some((at) => at > last);
}

/** Whether the contact lasted on after a task of it was canceled, so that no customer left: with another agent, or as a conversation. */
function lastsAfter({ sid, kind, canceled }: Task, { conversations, interactions }: EndInput): boolean {
  if (!canceled) return false;
  const isWithAgent = interactions.some(
    ({ taskSid, acceptedAt, endedAt }) =>
      taskSid !== sid &&
      acceptedAt !== undefined &&
      acceptedAt <= canceled.at &&
      (endedAt === undefined || endedAt > canceled.at),
  );
  if (isWithAgent) return true;
  if (kind !== 'text' || conversations.length === 0) return false;
  const closed = conversationEnd(conversations);
  // Closing a conversation cancels its tasks, or the other way round.
  return closed === undefined || closed > canceled.at + 60_000;
}

/** Whether a task was canceled since an invited agent declined: the customer still writes with another one. */
function isDeclinedInvite(task: Task, input: EndInput): boolean {
  return (
    lastsAfter(task, input) &&
    (task.toWorker ||
      /invit|declin|reject/i.test(task.canceled?.reason ?? '') ||
      input.interactions.some(({ taskSid, endReason }) => taskSid === task.sid && endReason === 'rejected'))
  );
}

/** Of calls without a task: when the last one was completed. */
function voiceEnd({ calls, conferences, summaries }: EndInput): number | undefined {
  const legs = new Set(calls.flatMap(({ callSid }) => callSid ?? []));
  const done = new Set(
    calls.flatMap(({ name, callSid }) => (name === 'completed' && callSid ? [callSid] : [])),
  );
  if ([...legs].some((leg) => !done.has(leg)))
    return latest(summaries.flatMap(({ endedAt }) => endedAt ?? []));
  return voiceEnds({ calls, conferences, summaries });
}

/** The last end of any leg or conference, by voice events, epoch ms. */
export const voiceEnds = ({
  calls,
  conferences,
  summaries,
}: Pick<EndInput, 'calls' | 'conferences' | 'summaries'>): number | undefined =>
  latest([
    ...calls.flatMap(({ name, at, agentUri }) => (name === 'completed' && !agentUri ? [at] : [])),
    ...conferences.flatMap(({ name, at }) => (name === 'conference-end' ? [at] : [])),
    ...summaries.flatMap(({ endedAt }) => endedAt ?? []),
  ]);

/** See {@link ContactMark}. */
export function marksOf(input: EndInput & { unanswered: boolean }): ContactMark[] {
  const { tasks, interactions } = input;
  const accepted = interactions.filter(wasAccepted);
  const canceledInQueue = tasks.filter(
    (task) =>
      task.canceled &&
      task.direction === 'inbound' &&
      !task.survey &&
      !lastsAfter(task, input) &&
      task.kind !== 'work' &&
      isSearching(task, accepted),
  );
  const contradicts =
    accepted.some(({ acceptedAt }) => acceptedAt === undefined) ||
    tasks.some((task) =>
      task.overAt !== undefined
        ? interactions.some(({ taskSid, endedAt }) => taskSid === task.sid && endedAt === undefined)
        : false,
    );
  const marks: readonly [ContactMark, boolean][] = [
    ['abandoned', canceledInQueue.some((task) => !wasDiverted(task))],
    ['diverted', canceledInQueue.some(wasDiverted)],
    ['unanswered', input.unanswered],
    ['survey', tasks.some(({ survey }) => survey)],
    ['declined-invite', tasks.some((task) => !task.survey && isDeclinedInvite(task, input))],
    ['incomplete', contradicts],
  ];
  return marks.flatMap(([mark, holds]) => (holds ? [mark] : []));
}

/** The reasons that TaskRouter and workflows give where the customer did not leave. */
const diversion = /redirect|voicemail|callback|call back|timeout|timed out|ttl|workflow/i;

/** Whether a canceled task left its queue for something else than the customer's wish. */
export const wasDiverted = ({ abandoned, canceled }: Task): boolean =>
  abandoned === undefined ? canceled?.deleted === true || diversion.test(canceled?.reason ?? '') : !abandoned;

/** Seconds from its first queue until its task was canceled. */
export function canceledAfter(tasks: readonly Task[]): number | undefined {
  const task = tasks.find(({ canceled, survey }) => canceled && !survey);
  const from = task && (earliest(task.entered) ?? earliest(task.enteredBySecond) ?? task.createdAt);
  return task?.canceled && from !== undefined ? Math.max(0, task.canceled.at - from) / 1000 : undefined;
}

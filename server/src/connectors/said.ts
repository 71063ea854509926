import type { TaskSid } from '@flex-custody/core';
import type { AgentEvent } from '../events/agent-event.ts';
import { conversationEnd } from '../recorder/sessions/closing.ts';
import type { Contact } from '../recorder/sessions/contact.ts';
import { tasksIn } from '../recorder/sessions/contact-of.ts';
import type { TaskRouterFact } from '../recorder/sessions/facts/fact.ts';
import { factOf } from '../recorder/sessions/facts/fact-of.ts';
import { asText, fieldsIn } from '../recorder/sessions/facts/values.ts';
import { byTime, groupBy, lastOf } from '../recorder/sessions/order.ts';
import type { Task } from '../recorder/sessions/task.ts';
import type { SaidEvent, TaskAttributes } from './customer-address.ts';
import { attributeAt, mergedAttributes } from './merged-attributes.ts';

/** Which attribute has the customer's answer of a survey: a path such as `conversations.conversation_measure_3`. */
export interface CsatSetting {
  path: string;
  /** The best score: a number below 0 or above it is no answer. */
  scale?: number;
}

/** What a contact's events say beside what its session holds. Times are epoch ms. */
export interface Said {
  /** In order of time, each once. */
  events: readonly SaidEvent[];
  /** In order of their creation. */
  tasks: readonly Task[];
  /** Of all tasks, the newest of each name; those of a survey's task give way to those of the others. */
  attributes: Readonly<Record<string, unknown>>;
  /** The tasks that are no surveys, each with its own. */
  byTask: readonly TaskAttributes[];
  /** Why TaskRouter completed or canceled the last task that is no survey. */
  reason?: string;
  /** The queue that a task entered last. */
  queueName?: string;
  conversationEndedAt?: number;
  hasConversationEvents: boolean;
  wrapUpSeconds: number;
  csat?: { score: number; at: number };
  flexFlowSid?: string;
}

export function saidIn(events: Iterable<AgentEvent>, csat: CsatSetting | undefined): Said {
  const byId = new Map([...events].map((event) => [event.id, event]));
  const said = [...byId.values()]
    .flatMap((event): SaidEvent[] => {
      const fact = factOf(event);
      return fact ? [{ event, fact }] : [];
    })
    .sort((a, b) => byTime(a.fact, b.fact));
  const facts = said.map(({ fact }) => fact);
  const routed = facts.filter((fact): fact is TaskRouterFact => 'taskSid' in fact && 'traits' in fact);
  const conversations = facts.filter((fact) => fact.kind === 'conversation');
  const ofConferences = new Set(
    facts.filter((fact) => fact.kind === 'conference').flatMap(({ keys }) => keys),
  );
  const tasks = tasksIn(routed, ofConferences);
  const surveys = new Set(tasks.filter(({ survey }) => survey).map(({ sid }) => sid));
  const stated = attributesIn(said);
  const attributes = mergedAttributes([
    ...stated.filter(({ task }) => surveys.has(task)).map(({ attributes: own }) => own),
    ...stated.filter(({ task }) => !surveys.has(task)).map(({ attributes: own }) => own),
  ]);
  const byTask = tasks
    .filter(({ survey }) => !survey)
    .map((task) => ({
      task,
      attributes: mergedAttributes(
        stated.filter((one) => one.task === task.sid).map(({ attributes: own }) => own),
      ),
    }));
  const last = tasks.findLast(({ survey }) => !survey)?.sid;
  const reason = lastOf(
    routed.filter(
      ({ kind, name, taskSid }) => kind === 'task' && taskSid === last && /^(completed|canceled)$/.test(name),
    ),
    (fact) => fact.reason,
  );
  const queueName = lastOf(
    routed.filter(({ taskSid }) => taskSid && !surveys.has(taskSid)),
    ({ queue }) => queue?.name,
  );
  const answer = csat && answerIn(stated, csat);
  const conversationEndedAt = conversations.length > 0 ? conversationEnd(conversations) : undefined;
  const flow = asText(fieldsIn(attributes)('flexFlowSid'));
  return {
    events: said,
    tasks,
    attributes,
    byTask,
    ...(reason && { reason }),
    ...(queueName && { queueName }),
    ...(conversationEndedAt !== undefined && { conversationEndedAt }),
    hasConversationEvents: conversations.length > 0,
    wrapUpSeconds: wrapUpOf(routed),
    ...(answer && { csat: answer }),
    ...(flow && /^FO[0-9a-f]{32}$/.test(flow) && { flexFlowSid: flow }),
  };
}

interface Stated {
  at: number;
  task: TaskSid;
  attributes: unknown;
}

/** The attributes of tasks as each event has them, in order of time, and of a task's versions within one moment. */
function attributesIn(said: readonly SaidEvent[]): Stated[] {
  const found = said.flatMap(({ event, fact }) => {
    if (!('taskSid' in fact) || !('traits' in fact) || !fact.taskSid) return [];
    const attributes = fieldsIn(event.data['payload'] ?? event.data)('task_attributes');
    if (attributes === undefined) return [];
    return [{ at: fact.at, task: fact.taskSid, version: fact.taskVersion ?? 0, attributes }];
  });
  return found.sort((a, b) => a.at - b.at || (a.task === b.task ? a.version - b.version : 0));
}

/** The newest answer, and when the first one came. */
function answerIn(stated: readonly Stated[], { path, scale }: CsatSetting): Said['csat'] {
  const isScore = (score: number) => scale === undefined || (score >= 0 && score <= scale);
  const answers = stated.flatMap(({ at, attributes }) => {
    const text = asText(attributeAt(attributes, path));
    if (text === undefined || !/^-?\d+(\.\d+)?$/.test(text) || !isScore(Number(text))) return [];
    return [{ at, score: Number(text) }];
  });
  const [first] = answers;
  const newest = answers.at(-1);
  return first && newest && { at: first.at, score: newest.score };
}

/** Seconds between the beginning of each wrap-up and the end of its reservation. */
function wrapUpOf(routed: readonly TaskRouterFact[]): number {
  const own = routed.filter(({ kind, reservationSid }) => kind === 'reservation' && reservationSid);
  let ms = 0;
  for (const facts of groupBy(own, ({ reservationSid }) => reservationSid).values()) {
    const from = facts.find(({ name }) => name === 'wrapup')?.at;
    const to = facts.find(({ name }) => name === 'completed')?.at;
    if (from !== undefined && to !== undefined) ms += Math.max(0, to - from);
  }
  return ms / 1000;
}

/** Whether the contact is a call between agents, a call without a task, or nothing but a survey: no customer came for anything. */
export const isNoInteraction = ({ direction, kind }: Contact, { tasks }: Said): boolean =>
  direction === 'internal' || (tasks.length === 0 ? kind !== 'text' : tasks.every(({ survey }) => survey));

import type { CallSid } from '@flex-custody/core';
import { canceledAfter, closedAtOf, type EndInput, marksOf, voiceEnds } from './closing.ts';
import { answersOf, connectionOf } from './connection.ts';
import { type Contact, type ContactKind, wasAccepted } from './contact.ts';
import type { CallFact, Fact, TaskRouterFact } from './facts/fact.ts';
import { holdsOf, type Segment } from './holds.ts';
import { directionOf, type EmployeeOf, interactionsOf } from './interactions.ts';
import { byTime, compareText, earliest, groupBy, lastOf } from './order.ts';
import { withRecordings } from './recordings.ts';
import { type Reservation, readReservation } from './reservation.ts';
import { readTask, type Task } from './task.ts';

export interface ContactOptions {
  employeeOf?: EmployeeOf;
  /** BCP 47, for contacts by messages that name none. */
  textLanguage?: string;
  /** What closes a contact by messages: its conversation (which an agent can leave), or its tasks. `conversation` by default. */
  textEnds?: 'conversation' | 'task';
}

/** A call that lasts this long (ms) after the last agent has a tail. */
const tailMs = 5_000;

/** @param unordered all facts of one contact, each once, in any order */
export function contactOf(unordered: readonly Fact[], options: ContactOptions = {}): Contact {
  const facts = [...unordered].sort(byTime);
  const of = <K extends Fact['kind']>(...kinds: K[]) =>
    facts.filter((fact): fact is Extract<Fact, { kind: K }> => kinds.some((kind) => kind === fact.kind));
  const routed = of('task', 'reservation', 'queue', 'workflow');
  const conferences = of('conference');
  const tasks = tasksIn(routed, new Set(conferences.flatMap((fact) => fact.keys)));
  const reservations = reservationsIn(routed);
  const kind = kindOf(tasks, facts);
  const calls = of('call');
  const direction =
    tasks.length > 0 ? directionOf(tasks) : (calls.find((call) => call.direction)?.direction ?? 'inbound');
  const customerCall =
    tasks.find((task) => task.customerCall)?.customerCall ??
    conferences.find((fact) => fact.ofCustomer && fact.callSid)?.callSid;
  const segments = segmentsOf(reservations);
  const holds =
    kind === 'voice' ? holdsOf(of('conference', 'hold', 'participants'), customerCall, segments) : [];
  const answers = answersOf({ direction, tasks, reservations, calls, conferences, customerCall });
  const bare = interactionsOf({
    tasks,
    reservations,
    holds,
    pauses: of('pause'),
    enqueues: of('enqueue'),
    unanswered: new Set(
      [...answers].flatMap(([sid, answer]) => (sid && answer === 'unanswered' ? [sid] : [])),
    ),
    ...(options.employeeOf && { employeeOf: options.employeeOf }),
  });
  const { interactions, recordings } = withRecordings(
    bare,
    of('recording'),
    agentsOfLegs(calls, reservations),
  );
  const accepted = interactions.filter(wasAccepted);
  const connectedAt = connectionOf(kind, direction, accepted, answers);
  const input: EndInput & { unanswered: boolean } = {
    kind,
    tasks,
    interactions,
    conversations: of('conversation'),
    calls,
    conferences,
    summaries: of('summary'),
    textEnds: options.textEnds ?? 'conversation',
    unanswered: connectedAt === undefined && [...answers.values()].includes('unanswered'),
  };
  const closedAt = closedAtOf(input);
  const marks = marksOf(input);
  const first = accepted.find((one) => one.kind === kind);
  const before = first?.offeredAt ?? Number.POSITIVE_INFINITY;
  const wait =
    first?.wait ??
    canceledAfter(tasks.filter((task) => task.kind === kind && (task.canceled?.at ?? 0) <= before));
  const language =
    lastOf(tasks, (task) => task.language) ??
    lastOf(input.conversations, (fact) => fact.language) ??
    (kind === 'text' ? options.textLanguage : undefined);
  const keys = [...new Set(facts.flatMap((fact) => fact.keys))].sort(compareText);
  const tail = kind === 'voice' && accepted.length > 0 ? tailOf(closedAt, input) : undefined;
  return {
    id: tasks[0]?.sid ?? firstKey(keys),
    keys,
    kind,
    channel: tasks.find((task) => task.kind === kind)?.channel ?? (kind === 'voice' ? 'voice' : 'chat'),
    ...(language && { language }),
    direction,
    openedAt:
      earliest(tasks.length > 0 ? tasks.map((task) => task.createdAt) : facts.map((fact) => fact.at)) ?? 0,
    ...(connectedAt !== undefined && { connectedAt }),
    ...(closedAt !== undefined && { closedAt }),
    ...(wait !== undefined && { wait }),
    interactions,
    holds,
    recordings,
    ...(tail && { tail }),
    inactive: accepted.length === 0,
    marks,
  };
}

/** In order of their creation. @param ofConferences the names of conferences */
export function tasksIn(facts: readonly TaskRouterFact[], ofConferences: ReadonlySet<string>): Task[] {
  return [...groupBy(facts, (fact) => fact.taskSid)]
    .flatMap(([sid, own]) => (sid ? [readTask(sid, own, ofConferences.has(sid))] : []))
    .sort((a, b) => a.createdAt - b.createdAt || compareText(a.sid, b.sid));
}

function reservationsIn(facts: readonly TaskRouterFact[]): Reservation[] {
  const own = facts.filter((fact) => fact.kind === 'reservation');
  return [...groupBy(own, (fact) => fact.reservationSid)]
    .flatMap(([sid, events]) => (sid ? [readReservation(sid, events)] : []))
    .sort((a, b) => a.offeredAt - b.offeredAt || compareText(a.sid, b.sid));
}

function kindOf(tasks: readonly Task[], facts: readonly Fact[]): ContactKind {
  const kinds = tasks.filter(({ survey }) => !survey).map((task) => task.kind);
  if (tasks.length === 0) return facts.some((fact) => fact.kind === 'conversation') ? 'text' : 'voice';
  return (['voice', 'text'] as const).find((kind) => kinds.includes(kind)) ?? 'work';
}

const segmentsOf = (reservations: readonly Reservation[]): Segment[] =>
  reservations
    .flatMap(({ sid, acceptedAt, endedAt }): Segment[] =>
      acceptedAt === undefined ? [] : [{ sid, acceptedAt, ...(endedAt !== undefined && { endedAt }) }],
    )
    .sort((a, b) => a.acceptedAt - b.acceptedAt || compareText(a.sid, b.sid));

/** The workers of legs that lead to an agent's Voice client. */
function agentsOfLegs(
  calls: readonly CallFact[],
  reservations: readonly Reservation[],
): Map<CallSid, string> {
  const workers = new Map(
    reservations.flatMap(({ workerUri, workerSid }) =>
      workerUri && workerSid ? [[workerUri, workerSid]] : [],
    ),
  );
  return new Map(
    calls.flatMap(({ callSid, agentUri }): [CallSid, string][] => {
      const worker = agentUri && workers.get(agentUri);
      return callSid && worker ? [[callSid, worker]] : [];
    }),
  );
}

function tailOf(closedAt: number | undefined, input: EndInput): Contact['tail'] {
  const to = voiceEnds(input);
  if (closedAt === undefined || to === undefined || to - closedAt <= tailMs) return undefined;
  return { from: closedAt, to, recording: { expected: false, reason: 'after-last-agent' } };
}

const ranks = ['CH', 'CA', 'CF', 'KD'];

/** The name of a contact without a task. */
function firstKey(keys: readonly string[]): string {
  return ranks.flatMap((rank) => keys.find((key) => key.startsWith(rank)) ?? [])[0] ?? keys[0] ?? '';
}

import type { ReservationSid, TaskSid } from '@flex-custody/core';
import type { ContactKind, Direction } from './contact.ts';
import type { TaskRouterFact } from './facts/fact.ts';
import { byVersion, earliest, lastOf } from './order.ts';

/** A request to hand a task to another agent or queue. */
export interface TaskTransfer {
  at: number;
  mode?: 'WARM' | 'COLD';
  by?: ReservationSid;
}

/** One task, read from all facts that name it. Times are epoch ms. */
export interface Task {
  sid: TaskSid;
  createdAt: number;
  kind: ContactKind;
  channel: string;
  direction: Direction;
  survey: boolean;
  status?: string;
  /** When it was completed, canceled or deleted. */
  overAt?: number;
  /** `deleted`: a program deleted it, or TaskRouter did at the end of its life. */
  canceled?: { at: number; reason?: string; deleted?: true };
  /** What its attributes say of that. */
  abandoned?: boolean;
  toWorker: boolean;
  hasConversation: boolean;
  language?: string;
  customerCall?: string;
  /** When it entered a queue, in order of time. */
  entered: readonly number[];
  /** The same as other events tell it, in whole seconds. */
  enteredBySecond: readonly number[];
  transfers: readonly TaskTransfer[];
  /** When a transfer failed or was canceled. A failed attempt is neither: TaskRouter asks the next agent. */
  failedTransfers: readonly number[];
}

const textChannels =
  /^(chat|sms|mms|web|whatsapp|messag|messenger|email|facebook|instagram|line|rcs|apple|google|custom)/;
const over = ['completed', 'canceled'];
const deleted = ['deleted', 'system-deleted'];

/**
 * Attributes, which any agent can write, make a task a survey or work without a call only where it had no conference: they
 * must not hide that a recording is missing.
 * @param facts of one task, ordered by time
 * @param hadConference whether a conference has its name
 */
export function readTask(sid: TaskSid, facts: readonly TaskRouterFact[], hadConference: boolean): Task {
  const ordered = byVersion(facts, (fact) => fact.taskVersion);
  const trait = <K extends keyof TaskRouterFact['traits']>(name: K) =>
    lastOf(ordered, (fact) => fact.traits[name]);
  const some = (name: 'internal' | 'survey' | 'workItem' | 'hasConversation') =>
    facts.some((fact) => fact.traits[name]);
  const ofTask = (...names: string[]) =>
    ordered.filter((fact) => fact.kind === 'task' && names.includes(fact.name));
  const named = (...names: string[]) => ofTask(...names).map((fact) => fact.at);

  const uniqueName = lastOf(ordered, (fact) => fact.channel) ?? '';
  const channelType = trait('channelType');
  const status = lastOf(ordered, (fact) => fact.status);
  const isText = textChannels.test(uniqueName) || (uniqueName !== 'voice' && some('hasConversation'));
  const isVoice = uniqueName === 'voice' || (uniqueName === '' && trait('customerCall') !== undefined);
  const isWork = some('workItem') || (!isText && !isVoice);
  const kind = hadConference ? 'voice' : isWork ? 'work' : isVoice ? 'voice' : 'text';
  const ended = earliest(named('completed', 'canceled', ...deleted));
  const isOver = (status !== undefined && over.includes(status)) || named(...deleted).length > 0;
  const firstOver = earliest(facts.filter((fact) => over.includes(fact.status ?? '')).map((fact) => fact.at));
  const cancellation = ofTask('canceled')[0];
  const isDone = over.includes(status ?? '') || named(...over).length > 0;
  const deletedAt = isDone ? undefined : named(...deleted)[0];
  const canceledAt = cancellation?.at ?? (status === 'canceled' ? firstOver : deletedAt);
  const reason = cancellation?.reason ?? lastOf(ordered, (fact) => fact.reason);
  const overAt = isOver ? (ended ?? firstOver) : undefined;
  const language = trait('language');
  const abandoned = trait('abandoned');
  const customerCall = trait('customerCall');
  return {
    sid,
    createdAt:
      named('created')[0] ??
      earliest(facts.map((fact) => Math.min(fact.taskCreatedAt ?? fact.at, fact.at))) ??
      0,
    kind,
    channel: kind === 'text' ? (channelType ?? uniqueName) : uniqueName || kind,
    direction: some('internal') ? 'internal' : (trait('direction') ?? 'inbound'),
    survey:
      !hadConference && (some('survey') || uniqueName === 'survey' || /\bcsat\b|survey/i.test(reason ?? '')),
    ...(status && { status }),
    ...(overAt !== undefined && { overAt }),
    ...(canceledAt !== undefined && {
      canceled: {
        at: canceledAt,
        ...(reason && { reason }),
        ...(deletedAt !== undefined && { deleted: true }),
      },
    }),
    ...(abandoned !== undefined && { abandoned }),
    toWorker: facts.some((fact) => fact.toWorker),
    hasConversation: some('hasConversation'),
    ...(language && { language }),
    ...(customerCall && { customerCall }),
    entered: facts.filter((fact) => fact.kind === 'queue' && fact.name === 'entered').map((fact) => fact.at),
    enteredBySecond: [...new Set(facts.flatMap((fact) => fact.queueEnteredAt ?? []))].sort((a, b) => a - b),
    transfers: facts
      .filter((fact) => fact.kind === 'task' && fact.name === 'transfer-initiated')
      .map((fact) => ({ at: fact.at, ...fact.transfer })),
    failedTransfers: named('transfer-failed', 'transfer-canceled'),
  };
}

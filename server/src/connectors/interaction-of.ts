import { type Contact, type Interaction as Segment, wasAccepted } from '../recorder/sessions/contact.ts';
import { earliest, latest } from '../recorder/sessions/order.ts';
import { channelOfAddresses, customerAddress } from './customer-address.ts';
import type { Channel, Interaction } from './interaction.ts';
import { attributeAt } from './merged-attributes.ts';
import { outcomeOf } from './outcome-of.ts';
import { isNoInteraction, type Said } from './said.ts';
import { transferredAt } from './transferred-at.ts';

/**
 * A contact as a CRM sees it; a pure function.
 * @param said what all its events say
 * @param messages as Twilio counted them
 * @returns undefined where no customer came for anything: agents called each other, a call never became a task, or a survey belongs
 * to no contact
 */
export function interactionOf(
  contact: Contact,
  said: Said,
  { custodyId, messages }: { custodyId: string; messages?: number },
): Interaction | undefined {
  if (isNoInteraction(contact, said)) return undefined;
  const { direction, kind, openedAt, wait, interactions, recordings } = contact;
  const { attributes, csat, flexFlowSid, conversationEndedAt, reason } = said;
  const tasks = said.tasks.filter(({ survey }) => !survey);
  const surveys = new Set(said.tasks.filter(({ survey }) => survey).map(({ sid }) => sid));
  const segments = interactions.filter(({ taskSid }) => !taskSid || !surveys.has(taskSid));
  const accepted = segments.filter(wasAccepted);
  const channel = channelOf(contact, said);
  const closedAt = contact.closedAt ?? closedWithoutConversation(contact, said, accepted);
  const outcome = outcomeOf({ contact, tasks, accepted, closedAt });
  const address = customerAddress(kind, channel, said.events, said.byTask);
  const lastServed = lastOfAgents(accepted);
  const agent = lastServed?.employee?.id ?? lastServed?.workerSid;
  const queueName = (lastServed ?? segments.at(-1))?.queue?.name ?? said.queueName;
  const acceptedAt = earliest(accepted.flatMap((one) => one.acceptedAt ?? []));
  const handedOverAt = transferredAt(accepted, tasks);
  const phase = outcome === 'abandoned' ? abandonedPhase(attributes, segments, closedAt) : undefined;
  const conversationSid = conversationOf(contact);
  const { talkSeconds, holdSeconds } = lengthsOf(contact, accepted);
  return {
    ...{ custodyId, kind, channel, direction, outcome, openedAt },
    ...(acceptedAt !== undefined && { acceptedAt }),
    ...(handedOverAt !== undefined && { transferredAt: handedOverAt }),
    ...(closedAt !== undefined && { closedAt }),
    ...(kind === 'text' && conversationEndedAt !== undefined && { conversationEndedAt }),
    ...(csat && { surveyedAt: csat.at, csatScore: csat.score }),
    tasks: said.tasks.map(({ sid }) => sid),
    ...(conversationSid && { conversationSid }),
    ...(flexFlowSid && { flexFlowSid }),
    ...(queueName && { queueName }),
    ...(agent && { agent }),
    ...(wait !== undefined && { waitSeconds: wait }),
    ...{ talkSeconds, holdSeconds, wrapUpSeconds: said.wrapUpSeconds },
    ...(messages !== undefined && { messages }),
    ...(phase && { abandonedPhase: phase }),
    ...(reason && { reason }),
    recordings,
    customer: { ...(address && { address }), attributes },
  };
}

/** Who served the customer to the end; a colleague who was asked has left before. */
const lastOfAgents = (accepted: readonly Segment[]): Segment | undefined =>
  accepted.toSorted((a, b) => (a.endedAt ?? Number.MAX_VALUE) - (b.endedAt ?? Number.MAX_VALUE)).at(-1);

const webchats = ['web', 'webchat', 'chat'];

function channelOf({ kind, channel }: Contact, { attributes, events }: Said): Channel {
  if (kind === 'voice') return 'voice';
  if (kind === 'work') return /^(voice|callback|voicemail)$/.test(channel) ? 'voice' : 'other';
  if (channel === 'whatsapp' || channel === 'sms') return channel;
  if (!webchats.includes(channel)) return 'other';
  return channelOfAddresses(attributes, events) ?? 'webchat';
}

const conversationOf = ({ kind, keys }: Contact): string | undefined =>
  kind === 'text' ? keys.find((key) => key.startsWith('CH')) : undefined;

/** No event ever closes the channel of a legacy chat, which belongs to no interaction of Flex: the ends of its tasks count. */
function closedWithoutConversation(
  { kind, keys }: Contact,
  { tasks, hasConversationEvents }: Said,
  accepted: readonly Segment[],
): number | undefined {
  if (kind !== 'text' || hasConversationEvents || keys.some((key) => key.startsWith('KD'))) return undefined;
  const own = tasks.filter(({ survey }) => !survey);
  if (own.some(({ overAt }) => overAt === undefined)) return undefined;
  if (accepted.some(({ endedAt }) => endedAt === undefined)) return undefined;
  const left = accepted.length === 0 ? own.flatMap(({ overAt }) => overAt ?? []) : [];
  return latest([...accepted.flatMap(({ endedAt }) => endedAt ?? []), ...left]);
}

interface Span {
  from: number;
  to: number;
}

/** Of the segments and holds that have ended: overlaps count once, and a hold is no talk. */
function lengthsOf(
  { kind, direction, connectedAt, holds, closedAt, marks }: Contact,
  accepted: readonly Segment[],
): { talkSeconds: number; holdSeconds: number } {
  const isOutboundCall = kind === 'voice' && direction === 'outbound';
  // Without events of voice it is unknown when the customer answered.
  const since = isOutboundCall ? (connectedAt ?? 0) : 0;
  const served = marks.includes('unanswered')
    ? []
    : accepted.flatMap(({ kind: of, acceptedAt, endedAt }): Span[] =>
        of !== kind || acceptedAt === undefined || endedAt === undefined
          ? []
          : [{ from: Math.max(since, acceptedAt), to: endedAt }],
      );
  const held = holds.flatMap(({ startedAt, endedAt = closedAt }): Span[] =>
    endedAt === undefined ? [] : [{ from: startedAt, to: endedAt }],
  );
  const holdMs = lengthOf(held);
  const talkMs = lengthOf(served) - overlapOf(served, held);
  return { talkSeconds: talkMs / 1000, holdSeconds: holdMs / 1000 };
}

/** Ms that any of the spans covers. */
function lengthOf(spans: readonly Span[]): number {
  let covered = 0;
  let end = Number.NEGATIVE_INFINITY;
  for (const { from, to } of spans.toSorted((a, b) => a.from - b.from)) {
    covered += Math.max(0, to - Math.max(from, end));
    end = Math.max(end, to);
  }
  return covered;
}

/** Ms that spans of both lists cover. */
const overlapOf = (some: readonly Span[], others: readonly Span[]): number =>
  lengthOf(some) + lengthOf(others) - lengthOf([...some, ...others]);

/** As Flex Insights names it: what the attributes say, else whether an agent's browser rang. */
function abandonedPhase(
  attributes: Readonly<Record<string, unknown>>,
  segments: readonly Segment[],
  closedAt: number | undefined,
): string {
  const stated = attributeAt(attributes, 'conversations.abandoned_phase');
  if (typeof stated === 'string' && stated.trim() !== '') return stated.trim();
  const rang = segments.some(
    (one) =>
      !wasAccepted(one) &&
      (one.endReason === 'canceled' || one.endReason === undefined) &&
      Math.abs((one.endedAt ?? closedAt ?? 0) - (closedAt ?? 0)) < 2_000,
  );
  return rang ? 'Ringing' : 'Queue';
}

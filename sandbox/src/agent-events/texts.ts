import { addMessages, channelAddress, openConversation, type TextChannel } from '../conversations.ts';
import type { Exchange } from '../live/contract.ts';
import { Refused } from '../refused.ts';
import { newSid } from '../sids.ts';
import type { Task, World } from '../world.ts';
import { answerSurvey } from './surveys.ts';

export interface TextOptions {
  channel: TextChannel;
  /** E.164; of a web chat the visitor's identity. */
  address: string;
  name: string;
  email?: string;
  messages: number;
  waitSeconds: number;
  talkSeconds: number;
  /** The customer leaves before an agent answers. */
  abandoned: boolean;
  /** What a survey is answered with, after the conversation. */
  csat?: number;
  queue: string;
  /** Laid over the task's own. */
  attributes: Readonly<Record<string, unknown>>;
}

/** Between the end of the conversation and the answer. */
const surveySeconds = 20;
const channelTypes = { sms: 'sms', whatsapp: 'whatsapp', webchat: 'web' } as const;

/** Plays a text conversation that ends now, by the sandbox's clock. @returns its task, and its survey's */
export function tellText(
  { world, exchange }: { world: World; exchange: Exchange },
  options: TextOptions,
): { task: Task; survey?: Task } {
  const [worker] = world.workers.keys();
  if (worker === undefined) throw new Refused('a conversation needs a worker');
  const { csat, waitSeconds, talkSeconds, abandoned, messages } = options;
  const lasts = waitSeconds + (abandoned ? 0 : talkSeconds) + (csat === undefined ? 0 : surveySeconds);
  const begin = Date.now() - lasts * 1_000;
  const at = (seconds: number) => new Date(begin + seconds * 1_000);
  const { as } = world.clock;

  const conversation = openConversation(world, { ...options, at: at(0), attributes: {} });
  const attributes = attributesOf(conversation.sid, options);
  const { task, reservation } = as(at(0), () =>
    exchange.ring({ direction: 'inbound', channel: 'chat', worker, queue: options.queue, attributes }),
  );
  if (abandoned) {
    addMessages(conversation, { count: messages, from: at(0), to: at(waitSeconds) });
    as(at(waitSeconds), () => exchange.customerHangUp(task));
    return { task };
  }
  const ends = waitSeconds + talkSeconds;
  as(at(waitSeconds), () => exchange.accept(reservation, {}));
  addMessages(conversation, { count: messages, from: at(waitSeconds), to: at(ends) });
  as(at(ends), () => exchange.complete(reservation));
  if (csat === undefined) return { task };
  const survey = as(at(ends + surveySeconds), () => answerSurvey(world, { about: task, score: csat }));
  return { task, survey };
}

/** As Flex Conversations makes a task's attributes. */
function attributesOf(conversationSid: string, options: TextOptions): Record<string, unknown> {
  const { channel, address, name, email } = options;
  const from = channelAddress(channel, address);
  return {
    channelType: channelTypes[channel],
    direction: 'inbound',
    conversationSid,
    flexInteractionSid: newSid('KD'),
    flexInteractionChannelSid: newSid('UO'),
    flexChannelInviteSid: newSid('KG'),
    customerAddress: from,
    from,
    name,
    customerName: name,
    ...(email !== undefined && { email }),
    ...options.attributes,
  };
}

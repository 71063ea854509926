import type { FastifyInstance } from 'fastify';
import { bodyOf, choice, flag, number, read, text } from '../controls-body.ts';
import {
  addMessages,
  closeConversation,
  joinConversation,
  openConversation,
  type TextChannel,
  textChannels,
} from '../conversations.ts';
import { customerNumber } from '../live/attributes.ts';
import type { Exchange } from '../live/contract.ts';
import { everyone } from '../live/parameters.ts';
import { Refused } from '../refused.ts';
import type { World } from '../world.ts';
import { answerSurvey } from './surveys.ts';
import { tellText } from './texts.ts';

/** Of whom a channel's texts are, where nothing else is asked for; SMS are of the person who calls. */
const usual: Readonly<Record<TextChannel, { address: string; name: string; email?: string }>> = {
  sms: { address: customerNumber, name: 'Dana Diaz' },
  whatsapp: { address: '+4915550100143', name: 'Erik Ek', email: 'erik.ek@customer.example' },
  webchat: { address: 'visitor-7f3a', name: 'Fatou Faye', email: 'fatou.faye@customer.example' },
};

/** `/sandbox/texts`, `/sandbox/surveys` and `/sandbox/conversations`: customers who write, and who answer surveys. */
export function textControls(
  app: FastifyInstance,
  { world, exchange }: { world: World; exchange: Exchange },
): void {
  app.post('/sandbox/texts', async (request) => {
    const body = bodyOf(request.body);
    const channel = choice(body, 'channel', 'webchat', textChannels);
    const email = text(body, 'email') ?? (body['address'] === undefined ? usual[channel].email : undefined);
    const { task, survey } = tellText(
      { world, exchange },
      {
        channel,
        address: text(body, 'address') ?? usual[channel].address,
        name: text(body, 'name') ?? usual[channel].name,
        ...(email !== undefined && { email }),
        messages: Math.floor(number(body, 'messages', 6, 0, 10_000)),
        waitSeconds: number(body, 'waitSeconds', 10, 0, 86_400),
        talkSeconds: number(body, 'talkSeconds', 180, 0, 86_400),
        abandoned: flag(body, 'abandoned', false),
        ...(body['csat'] !== undefined && { csat: number(body, 'csat', 5, 0, 10) }),
        queue: text(body, 'queue') ?? everyone,
        attributes: read(body, 'attributes', {}, isFields, 'an object'),
      },
    );
    const { conversationSid } = JSON.parse(task.attributes) as { conversationSid: string };
    return { task: task.sid, conversation: conversationSid, ...(survey && { survey: survey.sid }) };
  });

  app.post('/sandbox/surveys', async (request) => {
    const body = bodyOf(request.body);
    const about = world.tasks.get(text(body, 'task') ?? '');
    if (!about) throw new Refused('there is no such task here', 404);
    return { survey: answerSurvey(world, { about, score: number(body, 'score', 5, 0, 10) }).sid };
  });

  /** A conversation that no event was made of: what a customer's history holds. */
  app.post('/sandbox/conversations', async (request) => {
    const body = bodyOf(request.body);
    const channel = choice(body, 'channel', 'webchat', textChannels);
    const ageSeconds = number(body, 'ageSeconds', 3_600, 0, 366 * 86_400);
    const createdAt = new Date(Date.now() - ageSeconds * 1_000);
    const closedAt = new Date(createdAt.getTime() + number(body, 'seconds', 300, 0, 86_400) * 1_000);
    const conversation = openConversation(world, {
      channel,
      address: text(body, 'address') ?? usual[channel].address,
      at: createdAt,
    });
    const [agent] = world.workers.values();
    if (agent) joinConversation(conversation, agent.identity, createdAt);
    const count = Math.floor(number(body, 'messages', 6, 0, 10_000));
    addMessages(conversation, { count, from: createdAt, to: closedAt });
    if (flag(body, 'closed', true)) closeConversation(conversation, closedAt);
    return {
      conversation: conversation.sid,
      participants: conversation.participants.length,
      messages: count,
    };
  });
}

const isFields = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

import type { Conversation, ConversationMessage, ConversationParticipant } from '../conversation.ts';
import type { World } from '../world.ts';
import { iso8601, oneOf, pageV1, params, query, resource } from './format.ts';
import { notFound, onHost, type RestApp, type RestDeps, TwilioError } from './route.ts';

const base = '/v1/Conversations';
const origin = 'https://conversations.twilio.com';
const mostOnPage = 100;
const states = ['initializing', 'active', 'inactive', 'closed'] as const;

/** Conversations, newest first, their messages and their participants. */
export function conversationRoutes(app: RestApp, { world }: RestDeps): void {
  const on = onHost('conversations');
  const find = (sid: string | undefined, path: string): Conversation => {
    const found = world.conversations.get(sid ?? '');
    if (!found) throw notFound(path);
    return found;
  };

  app.get(base, on, async (request) => {
    const { State: state, StartDate: start, EndDate: end } = query(request);
    const wanted = state === undefined ? undefined : oneOf('State', state, states);
    const [from, to] = [dateIn('StartDate', start, -1), dateIn('EndDate', end, 1)];
    const found = [...world.conversations.values()]
      .filter((one) => wanted === undefined || one.state === wanted)
      .filter(({ createdAt }) => createdAt.getTime() >= from && createdAt.getTime() <= to)
      .sort((a, b) => b.createdAt.getTime() - a.createdAt.getTime());
    return pageV1(request, 'conversations', found, (one) => conversationBody(world, one), mostOnPage);
  });

  app.get(`${base}/:sid`, on, async (request) =>
    conversationBody(world, find(params(request)['sid'], resource(request))),
  );

  app.get(`${base}/:sid/Messages`, on, async (request) => {
    const conversation = find(params(request)['sid'], resource(request));
    const { Order: order = 'asc' } = query(request);
    const isNewestFirst = oneOf('Order', order, ['asc', 'desc']) === 'desc';
    const numbered = conversation.messages.map((message, index) => ({ message, index }));
    return pageV1(
      request,
      'messages',
      isNewestFirst ? numbered.toReversed() : numbered,
      ({ message, index }) => messageBody(world, conversation, message, index),
      mostOnPage,
    );
  });

  app.get(`${base}/:sid/Participants`, on, async (request) => {
    const conversation = find(params(request)['sid'], resource(request));
    return pageV1(
      request,
      'participants',
      conversation.participants,
      (one) => participantBody(world, conversation, one),
      mostOnPage,
    );
  });
}

/** Twilio takes days and times; a day's end is included. @param side of a period that has no such end */
function dateIn(name: string, text: string | undefined, side: -1 | 1): number {
  if (text === undefined) return side * Number.POSITIVE_INFINITY;
  const at = Date.parse(text);
  if (Number.isNaN(at)) throw new TwilioError(400, 20001, `Invalid ${name}`);
  if (side < 0) return at;
  return /^\d{4}-\d{2}-\d{2}$/.test(text) ? at + 24 * 3_600_000 - 1 : at + 999;
}

function conversationBody({ account }: World, one: Conversation): Record<string, unknown> {
  const url = `${origin}${base}/${one.sid}`;
  return {
    account_sid: account.accountSid,
    chat_service_sid: serviceSid(account.accountSid),
    messaging_service_sid: null,
    sid: one.sid,
    friendly_name: null,
    unique_name: null,
    attributes: one.attributes,
    state: one.state,
    date_created: iso8601(one.createdAt),
    date_updated: iso8601(one.updatedAt),
    timers: {},
    url,
    links: { participants: `${url}/Participants`, messages: `${url}/Messages`, webhooks: `${url}/Webhooks` },
    bindings: {},
  };
}

function messageBody(
  { account }: World,
  conversation: Conversation,
  message: ConversationMessage,
  index: number,
): Record<string, unknown> {
  const url = `${origin}${base}/${conversation.sid}/Messages/${message.sid}`;
  return {
    account_sid: account.accountSid,
    conversation_sid: conversation.sid,
    sid: message.sid,
    index,
    author: message.author,
    body: message.body,
    media: null,
    attributes: '{}',
    participant_sid: message.participantSid,
    date_created: iso8601(message.createdAt),
    date_updated: iso8601(message.createdAt),
    url,
    delivery: null,
    links: { delivery_receipts: `${url}/Receipts` },
    content_sid: null,
  };
}

function participantBody(
  { account }: World,
  conversation: Conversation,
  one: ConversationParticipant,
): Record<string, unknown> {
  return {
    account_sid: account.accountSid,
    conversation_sid: conversation.sid,
    sid: one.sid,
    identity: one.identity,
    attributes: '{}',
    messaging_binding: one.binding,
    role_sid: null,
    date_created: iso8601(one.createdAt),
    date_updated: iso8601(one.createdAt),
    url: `${origin}${base}/${conversation.sid}/Participants/${one.sid}`,
    last_read_message_index: null,
    last_read_timestamp: null,
  };
}

const serviceSid = (accountSid: string) => `IS${accountSid.slice(2)}`;

import {
  asConversationSid,
  type ConversationSid,
  CustodyError,
  isObject,
  jsonFields,
} from '@flex-custody/core';
import type { ConversationContext } from 'twilio/lib/rest/conversations/v1/conversation.js';
import { type Connection, expected, readAtTurn } from './connection.ts';
import {
  type ConversationParticipant,
  conversationStates,
  type MessageCount,
  type TwilioConversation,
  type TwilioConversations,
} from './conversations-api.ts';
import type { AdjustablePace } from './pace.ts';

export type { TwilioConversations } from './conversations-api.ts';

/** The most that the API gives. */
const pageSize = 100;
/** Of messages of one conversation: 100 pages are 10,000 messages. */
const mostPages = 1_000;
const origin = 'https://conversations.twilio.com';

export function conversationsOf({ conversations }: Connection, pace: AdjustablePace): TwilioConversations {
  const contextOf = async (sid: ConversationSid): Promise<ConversationContext> =>
    (await conversations()).conversations(sid);
  const participantsOf = async (sid: ConversationSid, signal?: AbortSignal) => {
    const all: ConversationParticipant[] = [];
    const base = `/v1/Conversations/${sid}/Participants?`;
    for await (const page of pagesOf(base, signal, async (url) => {
      const list = (await contextOf(sid)).participants;
      return url === undefined ? list.page({ pageSize }) : list.getPage(url);
    })) {
      if (!page) return undefined;
      all.push(...page.instances.map(participantOf));
    }
    return all;
  };

  /** Pages until the last, each at its turn; undefined for a first page that is 404. */
  async function* pagesOf<P extends { nextPageUrl?: string | undefined }>(
    path: string,
    signal: AbortSignal | undefined,
    ask: (url: string | undefined) => Promise<P>,
  ): AsyncGenerator<P | undefined> {
    let url: string | undefined;
    for (let pages = 0; pages < mostPages; pages += 1) {
      const asked = url;
      const page = await readAtTurn(pace, 'a conversation', () => ask(asked), signal);
      if (!page && url !== undefined)
        throw new CustodyError('twilio_answer', 'Twilio has no such page of a conversation');
      yield page;
      url = page?.nextPageUrl || undefined;
      if (url === undefined) return;
      ownPage(url, path);
    }
    throw new CustodyError('twilio_answer', 'the pages of a conversation have no end');
  }

  return {
    async conversationsPage({ since, until, state }, pageUrl, signal) {
      if (pageUrl !== undefined) ownPage(pageUrl, '/v1/Conversations?');
      const ask = async () => {
        const list = (await conversations()).conversations;
        if (pageUrl !== undefined) return list.getPage(pageUrl);
        const period = { startDate: seconds(since), endDate: seconds(until) };
        return list.page({ ...period, ...(state && { state }), pageSize });
      };
      const page = await readAtTurn(pace, 'the conversations', ask, signal);
      // Taken for an empty page it would be the end of the list.
      if (!page) throw new CustodyError('twilio_answer', 'Twilio has no such page of its conversations');
      const next = page.nextPageUrl;
      return { conversations: page.instances.map(conversationOf), ...(next && { next }) };
    },
    conversation: (sid, signal) =>
      readAtTurn(
        pace,
        'a conversation',
        async () => conversationOf(await (await contextOf(sid)).fetch()),
        signal,
      ),
    conversationParticipants: participantsOf,
    async messageCount(sid, signal) {
      const participants = await participantsOf(sid, signal);
      if (!participants) return undefined;
      const customers = customersOf(participants);
      const sids = new Set(customers.map((one) => one.sid));
      const names = new Set(
        customers.flatMap(({ binding, identity }) => [binding?.address ?? [], identity ?? []].flat()),
      );
      const counted: MessageCount = { messages: 0, byCustomer: 0, byAgent: 0 };
      const base = `/v1/Conversations/${sid}/Messages?`;
      for await (const page of pagesOf(base, signal, async (url) => {
        const list = (await contextOf(sid)).messages;
        return url === undefined ? list.page({ order: 'asc', pageSize }) : list.getPage(url);
      })) {
        if (!page) return undefined;
        for (const { participantSid, author, dateCreated } of page.instances) {
          counted.messages += 1;
          if (sids.has(participantSid) || names.has(author)) counted.byCustomer += 1;
          else if (participantSid) counted.byAgent += 1;
          const at = expected(valid(dateCreated), 'time of a message');
          counted.firstAt ??= at;
          counted.lastAt = at;
        }
      }
      return counted;
    },
  };
}

/** Credentials go along, so that a page elsewhere is not asked for. */
function ownPage(url: string, path: string): void {
  if (url.startsWith(origin + path)) return;
  throw new CustodyError('twilio_answer', 'the next page is not at the Conversations API');
}

/** ISO 8601 in whole seconds, as the API's own examples have it. */
const seconds = (date: Date): string => `${date.toISOString().slice(0, 19)}Z`;

const valid = (date: Date | null | undefined): Date | undefined =>
  date instanceof Date && !Number.isNaN(date.getTime()) ? date : undefined;

function conversationOf(found: {
  sid: string;
  chatServiceSid: string;
  state: string;
  friendlyName: string | null;
  attributes: string | null;
  dateCreated: Date | null;
  dateUpdated: Date | null;
}): TwilioConversation {
  const createdAt = expected(valid(found.dateCreated), 'time of a conversation');
  return {
    sid: expected(asConversationSid(found.sid), 'conversation SID'),
    serviceSid: found.chatServiceSid ?? '',
    state: expected(
      conversationStates.find((one) => one === found.state),
      'state of a conversation',
    ),
    friendlyName: found.friendlyName ?? '',
    attributes: found.attributes ?? '{}',
    createdAt,
    updatedAt: valid(found.dateUpdated) ?? createdAt,
  };
}

function participantOf(found: {
  sid: string;
  identity: string | null;
  attributes: string | null;
  messagingBinding: unknown;
  dateCreated: Date | null;
}): ConversationParticipant {
  const binding = isObject(found.messagingBinding) ? found.messagingBinding : {};
  const { type, address } = binding;
  return {
    sid: expected(/^MB[0-9a-f]{32}$/.test(found.sid) ? found.sid : undefined, 'participant SID'),
    ...(found.identity && { identity: found.identity }),
    attributes: found.attributes ?? '{}',
    // The binding of one's own number alone (`projected_address`) has no address.
    ...(typeof address === 'string' &&
      address !== '' && { binding: { type: typeof type === 'string' ? type : '', address } }),
    createdAt: expected(valid(found.dateCreated), 'time of a participant'),
  };
}

/**
 * Those who write for the customer's side: each participant with an address of a channel, or with attributes that say `guest`. A conversation
 * that has neither is a web chat, which its visitor begins: the participant who was there first.
 */
export function customersOf(
  participants: readonly ConversationParticipant[],
): readonly ConversationParticipant[] {
  const stated = participants.filter(
    ({ binding, attributes }) => binding !== undefined || jsonFields(attributes)['member_type'] === 'guest',
  );
  if (stated.length > 0) return stated;
  const first = [...participants].sort((a, b) => a.createdAt.getTime() - b.createdAt.getTime())[0];
  return first?.identity ? [first] : [];
}

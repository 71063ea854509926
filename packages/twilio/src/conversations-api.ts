import type { ConversationSid } from '@flex-custody/core';

export const conversationStates = ['initializing', 'active', 'inactive', 'closed'] as const;
export type ConversationState = (typeof conversationStates)[number];

export interface TwilioConversation {
  sid: ConversationSid;
  /** IS… */
  serviceSid: string;
  state: ConversationState;
  friendlyName: string;
  /** JSON text. */
  attributes: string;
  createdAt: Date;
  /** Whole seconds. Of a closed one: when it was closed, since it cannot change after that. */
  updatedAt: Date;
}

export interface ConversationPage {
  conversations: readonly TwilioConversation[];
  /** Absent on the last. */
  next?: string;
}

/** Both ends are included, in whole seconds, and concern the creation: there is no filter by the last change. */
export interface ConversationPeriod {
  since: Date;
  until: Date;
  state?: ConversationState;
}

export interface ConversationParticipant {
  /** MB… */
  sid: string;
  /** Of a chat user: of an agent, or of a customer in a web chat. */
  identity?: string;
  /** JSON text. */
  attributes: string;
  /** Of a customer by SMS, WhatsApp and the like, as Twilio writes it, such as `whatsapp:+34…`. */
  binding?: { type: string; address: string };
  createdAt: Date;
}

/** How many messages a conversation has; nothing of what they say. */
export interface MessageCount {
  messages: number;
  /** See `customersOf`. */
  byCustomer: number;
  /** By other participants. */
  byAgent: number;
  firstAt?: Date;
  lastAt?: Date;
}

/**
 * The Conversations API, of the account's default service, which Flex uses. A conversation that does not exist is undefined.
 * Source: https://www.twilio.com/docs/conversations/api/conversation-resource
 */
export interface TwilioConversations {
  /**
   * Conversations that were created in a period, 100 at a time; `next` is asked for as `pageUrl`.
   * @throws CustodyError as of `TwilioApi`; `twilio_answer` for a `pageUrl` that is not at the Conversations API, or is no page
   */
  conversationsPage(
    period: ConversationPeriod,
    pageUrl?: string,
    signal?: AbortSignal,
  ): Promise<ConversationPage>;
  conversation(sid: ConversationSid, signal?: AbortSignal): Promise<TwilioConversation | undefined>;
  /** Reads all pages of its messages, and keeps none of them. */
  messageCount(sid: ConversationSid, signal?: AbortSignal): Promise<MessageCount | undefined>;
  conversationParticipants(
    sid: ConversationSid,
    signal?: AbortSignal,
  ): Promise<readonly ConversationParticipant[] | undefined>;
}

import type { AccountSid } from '@flex-custody/core';
import type { ConversationParticipant, TwilioConversation } from '@flex-custody/twilio';

/** Of the Conversations API, as Event Streams would have sent it. */
export interface ConversationEvent {
  specversion: '1.0';
  type: string;
  source: string;
  /** Of SID and state, so that it is the same each time; the stream's own id is not known here. */
  id: string;
  dataschema: string;
  datacontenttype: 'application/json';
  time: string;
  data: Readonly<Record<string, unknown>>;
}

/** The API's times are whole seconds, rounded down. */
const secondMs = 1_000;

/** That a conversation was closed: at the end of the second, so that no other state of that second comes after it. */
export function closedEvent(of: TwilioConversation, accountSid: AccountSid): ConversationEvent {
  const at = new Date(of.updatedAt.getTime() + secondMs - 1);
  return eventOf(of, accountSid, 'conversation-state.updated', 'closed', at, {
    StateFrom: 'active',
    StateTo: 'closed',
    StateUpdated: at.toISOString(),
  });
}

/**
 * The events of a closed conversation: its beginning, its customers, and its end. Nothing of its messages, and nothing of the
 * agents who took part.
 */
export function conversationEvents(
  of: TwilioConversation,
  customers: readonly ConversationParticipant[],
  accountSid: AccountSid,
): ConversationEvent[] {
  return [
    eventOf(of, accountSid, 'conversation.added', 'added', of.createdAt, {
      State: 'active',
      Attributes: of.attributes,
      FriendlyName: of.friendlyName || null,
      DateCreated: of.createdAt.toISOString(),
    }),
    ...customers.map((one) =>
      eventOf(of, accountSid, 'participant.added', one.sid, one.createdAt, {
        ParticipantSid: one.sid,
        Identity: one.identity ?? null,
        ...(one.binding && { MessagingBinding: { Type: one.binding.type, Address: one.binding.address } }),
        DateCreated: one.createdAt.toISOString(),
      }),
    ),
    closedEvent(of, accountSid),
  ];
}

function eventOf(
  { sid, serviceSid }: TwilioConversation,
  accountSid: AccountSid,
  name: string,
  what: string,
  at: Date,
  more: Readonly<Record<string, unknown>>,
): ConversationEvent {
  return {
    specversion: '1.0',
    type: `com.twilio.conversations.${name}`,
    source: `/v1/Conversations/${sid}`,
    id: `${sid}-${what}`,
    dataschema: 'https://events-schemas.twilio.com/Conversations/1',
    datacontenttype: 'application/json',
    time: at.toISOString(),
    data: { AccountSid: accountSid, ChatServiceSid: serviceSid, ConversationSid: sid, ...more },
  };
}

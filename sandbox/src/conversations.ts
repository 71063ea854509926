import type { Conversation, ConversationParticipant } from './conversation.ts';
import { ownNumber } from './live/attributes.ts';
import { newSid } from './sids.ts';
import type { World } from './world.ts';

export const textChannels = ['sms', 'whatsapp', 'webchat'] as const;
export type TextChannel = (typeof textChannels)[number];

/** Begins the text of each message, so that a test can look for it where it must not be. */
export const messageMark = 'what a customer wrote';

/** The customer's address as the channel writes it, such as `whatsapp:+14155550143`. */
export const channelAddress = (channel: TextChannel, address: string): string =>
  channel === 'whatsapp' && !address.startsWith('whatsapp:') ? `whatsapp:${address}` : address;

/** A conversation with its customer in it. @param address without the channel's prefix; of a web chat an identity */
export function openConversation(
  world: World,
  options: { sid?: string; channel: TextChannel; address: string; at?: Date; attributes?: object },
): Conversation {
  const { sid = newSid('CH'), channel, address, at = world.clock.now(), attributes = {} } = options;
  const conversation: Conversation = {
    sid,
    state: 'active',
    attributes: JSON.stringify(attributes),
    participants: [],
    messages: [],
    createdAt: at,
    updatedAt: at,
  };
  const isChat = channel === 'webchat';
  conversation.participants.push({
    sid: newSid('MB'),
    identity: isChat ? address : null,
    binding: isChat
      ? null
      : {
          type: channel,
          address: channelAddress(channel, address),
          proxy_address: channelAddress(channel, ownNumber),
        },
    createdAt: at,
  });
  world.conversations.set(sid, conversation);
  return conversation;
}

export function joinConversation(conversation: Conversation, identity: string, at: Date): void {
  if (conversation.participants.some((one) => one.identity === identity)) return;
  conversation.participants.push({ sid: newSid('MB'), identity, binding: null, createdAt: at });
  conversation.updatedAt = at;
}

/** Messages of all participants by turns, the customer first, from one time to another. */
export function addMessages(
  conversation: Conversation,
  { count, from, to }: { count: number; from: Date; to: Date },
): void {
  const { messages, participants } = conversation;
  const step = (to.getTime() - from.getTime()) / Math.max(1, count);
  for (let at = 0; at < count; at += 1) {
    const writer = participants[at % participants.length];
    if (!writer) return;
    const createdAt = new Date(from.getTime() + Math.floor(at * step));
    messages.push({
      sid: newSid('IM'),
      author: authorOf(writer),
      participantSid: writer.sid,
      body: `${messageMark}, ${messages.length + 1}`,
      createdAt,
    });
    conversation.updatedAt = createdAt;
  }
}

const authorOf = ({ identity, binding }: ConversationParticipant) => identity ?? binding?.address ?? '';

export function closeConversation(conversation: Conversation, at: Date): void {
  Object.assign(conversation, { state: 'closed', updatedAt: at });
}

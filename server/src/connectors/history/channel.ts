import { jsonFields } from '@flex-custody/core';
import type { ConversationParticipant } from '@flex-custody/twilio';
import type { Channel } from '../interaction.ts';

/** Those that a channel of TaskRouter's may be: Flex has web chats, and often WhatsApp and SMS, in its channel `chat`. */
const ofTaskChannel: Readonly<Record<string, readonly Channel[]>> = {
  voice: ['voice'],
  callback: ['voice'],
  voicemail: ['voice'],
  sms: ['sms'],
  whatsapp: ['whatsapp'],
  chat: ['webchat', 'whatsapp', 'sms'],
  web: ['webchat'],
  webchat: ['webchat'],
};

/**
 * The channels that a task may be of, as one of its events says: one where its attributes name it, several where only
 * TaskRouter's channel is known, none where the event says nothing.
 */
export function channelsOfTask(data: Readonly<Record<string, unknown>>): readonly Channel[] {
  const taskChannel = data['task_channel_unique_name'];
  if (typeof taskChannel !== 'string' || taskChannel === '') return [];
  const found = ofTaskChannel[taskChannel.toLowerCase()] ?? ['other'];
  if (found.length === 1) return found;
  const text = data['task_attributes'];
  const attributes = typeof text === 'string' ? jsonFields(text) : {};
  const named = channelNamed(attributes['channelType']);
  if (named) return [named];
  const { from, customerAddress } = attributes;
  return [from, customerAddress].some((one) => typeof one === 'string' && /^whatsapp:/i.test(one))
    ? ['whatsapp']
    : found;
}

/** Undefined where none of the participants is a customer's. */
export function channelOfConversation(customers: readonly ConversationParticipant[]): Channel | undefined {
  const [binding] = customers.flatMap((one) => one.binding ?? []);
  if (!binding) return customers.length > 0 ? 'webchat' : undefined;
  if (/^whatsapp:/i.test(binding.address)) return 'whatsapp';
  return channelNamed(binding.type) ?? 'other';
}

function channelNamed(name: unknown): Channel | undefined {
  if (typeof name !== 'string') return undefined;
  const found = ofTaskChannel[name.toLowerCase()];
  if (name.toLowerCase() === 'chat') return 'webchat';
  return found?.length === 1 ? found[0] : undefined;
}

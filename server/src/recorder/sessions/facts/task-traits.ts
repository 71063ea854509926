import { conversationKey, keysOf, sidKey } from './link-key.ts';
import { asFlag, asText, fieldsIn } from './values.ts';

/** What a task's attributes say that matters here. Names and numbers of callers are not read. */
export interface TaskTraits {
  direction?: 'inbound' | 'outbound';
  /** A call between two agents: two tasks. */
  internal: boolean;
  survey: boolean;
  /** What the attribute `conversations.abandoned` says, if a workflow sets it. */
  abandoned?: boolean;
  /** A callback or a voicemail: work about a call, and no call itself. */
  workItem: boolean;
  /** Of a text contact, such as `web`, `sms`, `whatsapp`, `email`. */
  channelType?: string;
  hasConversation: boolean;
  /** BCP 47. */
  language?: string;
  /** The caller's leg. */
  customerCall?: string;
}

const tag = /^[a-z]{2,3}(-[a-z0-9]{2,8})*$/i;

export const asLanguage = (value: unknown): string | undefined => {
  const text = asText(value);
  return text !== undefined && tag.test(text) ? text : undefined;
};

/** @param attributes an object, a text that holds one, or anything else, which has no traits and no keys */
export function readAttributes(attributes: unknown): { traits: TaskTraits; keys: string[] } {
  const of = fieldsIn(attributes);
  const conversations = fieldsIn(of('conversations'));
  const conference = fieldsIn(of('conference'));
  const participants = fieldsIn(conference('participants'));
  const direction = asText(of('direction'))?.toLowerCase();
  const type = (asText(of('taskType')) ?? '').toLowerCase();
  const channelType = asText(of('channelType'))?.toLowerCase();
  const conversation = [of('conversationSid'), of('channelSid')].map(sidKey).find((key) => key !== undefined);
  const customerCall = [participants('customer'), of('call_sid')]
    .map(sidKey)
    .find((key) => key?.startsWith('CA'));
  const abandoned = asFlag(conversations('abandoned'));
  const language =
    asLanguage(of('language')) ?? asLanguage(conversations('language')) ?? asLanguage(of('locale'));
  return {
    traits: {
      ...((direction === 'inbound' || direction === 'outbound') && { direction }),
      internal: asFlag(of('client_call')) === true || direction === 'internal',
      survey: asFlag(of('isSurveyTask')) === true || type.includes('survey'),
      ...(abandoned !== undefined && { abandoned }),
      workItem: type === 'callback' || type === 'voicemail',
      ...(channelType && { channelType }),
      hasConversation: conversation !== undefined,
      ...(language && { language }),
      ...(customerCall && { customerCall }),
    },
    keys: keysOf(
      sidKey(of('flexInteractionSid')),
      conversationKey(conversations('conversation_id')),
      sidKey(of('call_sid')),
      sidKey(conference('sid')),
      // Of an internal call it holds the SID of the other task.
      sidKey(of('conferenceSid')),
      sidKey(participants('customer')),
      sidKey(participants('worker')),
      conversation,
      // How surveys name the task that they are about.
      sidKey(of('contactTaskId')),
      sidKey(of('originalTaskSid')),
      sidKey(of('parentTaskSid')),
    ),
  };
}

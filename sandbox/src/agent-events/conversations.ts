import { newSid } from '../sids.ts';
import type { World } from '../world.ts';
import type { AgentEvent } from './list.ts';

/** @param name below `com.twilio.conversations.`, such as `conversation-state.updated` */
export function conversationEvent(
  world: World,
  name: string,
  { at, task, conversation, more }: { at: Date; task: string; conversation: string; more?: object },
): AgentEvent {
  return {
    id: newSid('EZ'),
    type: `com.twilio.conversations.${name}`,
    at,
    task,
    data: {
      accountSid: world.account.accountSid,
      conversationSid: conversation,
      dateUpdated: at.toISOString(),
      ...more,
    },
  };
}

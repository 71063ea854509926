import type { AgentEvent } from '../../../events/agent-event.ts';
import type { Fact } from './fact.ts';
import { keysOf, sidKey } from './link-key.ts';
import { present } from './task-router.ts';
import { asLanguage } from './task-traits.ts';
import { asText, asTime, fieldsIn } from './values.ts';

/** Reads `com.twilio.conversations.<name>`; undefined where it names no conversation, as events of a user. */
export function readConversation(event: AgentEvent, name: string): Fact | undefined {
  const of = fieldsIn(event.data['payload'] ?? event.data);
  const attributes = fieldsIn(of('Attributes'));
  const conversation =
    sidKey(of('ConversationSid')) ?? (name.startsWith('conversation') ? sidKey(of('Sid')) : undefined);
  if (!conversation?.startsWith('CH')) return undefined;
  return {
    id: event.id,
    at:
      (name === 'conversation-state.updated' ? asTime(of('StateUpdated')) : undefined) ??
      event.time.getTime(),
    keys: keysOf(conversation),
    kind: 'conversation',
    name,
    ...present({
      state:
        name === 'conversation.removed'
          ? 'closed'
          : (asText(of('StateTo')) ?? asText(of('State')))?.toLowerCase(),
      language: asLanguage(attributes('language')),
    }),
  };
}

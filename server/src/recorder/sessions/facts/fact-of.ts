import type { AgentEvent } from '../../../events/agent-event.ts';
import { readConversation } from './conversation.ts';
import type { Fact } from './fact.ts';
import { readOwn } from './own.ts';
import { readTaskRouter } from './task-router.ts';
import { readVoice } from './voice.ts';

/** What an event says, typed; undefined for what no contact is concerned with. It never throws: a field it cannot read is absent. */
export function factOf(event: AgentEvent): Fact | undefined {
  // Without a time it has no place among the others.
  if (Number.isNaN(event.time.getTime())) return undefined;
  const [, family, rest = ''] =
    /^(?:com\.twilio\.)?(taskrouter|voice|conversations|flex-custody)\.(.+)$/.exec(event.type) ?? [];
  if (family === 'taskrouter') {
    const [, group = '', name = ''] = /^([^.]+)\.(.+)$/.exec(rest) ?? [];
    return readTaskRouter(event, group, name);
  }
  if (family === 'voice') return readVoice(event, rest.replace(/^webhook\./, ''));
  if (family === 'conversations') return readConversation(event, rest);
  return family === 'flex-custody' ? readOwn(event, rest) : undefined;
}

/**
 * The keys of the contact that an event belongs to: SIDs of tasks, reservations, interactions, calls, conferences,
 * conversations and recordings, and `conversation:<id>`. Two events with a key in common belong to one contact. None:
 * the event belongs to no contact.
 */
export const linkKeys = (event: AgentEvent): readonly string[] => factOf(event)?.keys ?? [];

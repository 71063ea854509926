import type { AgentEvent } from '../../../events/agent-event.ts';
import type { Fact } from './fact.ts';
import { asText, fieldsIn } from './values.ts';

const named = {
  inbound: ['from', 'caller', 'customerAddress', 'name'],
  outbound: ['outbound_to', 'to', 'called', 'customerAddress', 'name'],
} as const;

/**
 * The addresses that an event states of the customer, as they are written there: of a task by its direction, of an inbound call who
 * called. The leg of an outbound call can lead to an agent's own phone, so that its number is not taken for a customer's.
 */
export function statedNumbers(event: AgentEvent, fact: Fact): string[] {
  if ('traits' in fact) {
    const attributes = fieldsIn(fieldsIn(event.data['payload'] ?? event.data)('task_attributes'));
    return named[fact.traits.direction ?? 'inbound'].flatMap((name) => asText(attributes(name)) ?? []);
  }
  if (fact.kind !== 'call' || fact.direction !== 'inbound' || fact.agentUri) return [];
  const request = fieldsIn(event.data['request']);
  const of = fieldsIn(request('parameters') ?? event.data['parameters'] ?? event.data);
  return [asText(of('From')) ?? asText(of('Caller')) ?? []].flat();
}

import type { AgentEvent } from '../../../../events/agent-event.ts';
import { parseEvent } from '../../../../events/parse-event.ts';
import { type CloudEvent, type Form, inForm } from '../cloud-event.ts';
import { account } from './wire.ts';

/** What the inbox makes of records: parsed, and each event once by its id, its EV SID, or by what it says. */
export function deliver(events: readonly CloudEvent[], form: Form): AgentEvent[] {
  const known = new Set<string>();
  return events.flatMap((event) => {
    const parsed = parseEvent(inForm(event, form), {
      accounts: [account],
      source: form,
      receivedAt: new Date('2027-01-01'),
    });
    if ('aside' in parsed) return [];
    const { id, type, at, eventSid, sameAs, data } = parsed.event;
    const names = [id, eventSid ?? sameAs].filter((name) => name !== undefined);
    if (names.some((name) => known.has(name))) return [];
    for (const name of names) known.add(name);
    return [{ id, type, time: at, ...(eventSid && { eventSid }), data: JSON.parse(data) }];
  });
}

import { isObject, jsonFields } from '@flex-custody/core';
import type { EventSource } from '../../events/agent-event.ts';
import type { Inbox, InboxLookup } from '../../events/inbox.ts';

type Fields = Readonly<Record<string, unknown>>;
const fieldsOf = (value: unknown): Fields =>
  typeof value === 'string' ? jsonFields(value) : isObject(value) ? value : {};

/** What tells that two events are the same: the CloudEvents id, TaskRouter's SID, or type, resource and time. */
function namesOf(event: unknown): string[] {
  const { id, type, data } = fieldsOf(event);
  const { sid, payload } = fieldsOf(data);
  const { resource_sid: resource, timestamp_ms: ms } = fieldsOf(payload);
  return [
    `id ${id}`,
    ...(typeof sid === 'string' && sid.startsWith('EV') ? [`sid ${sid}`] : []),
    ...(typeof sid !== 'string' && resource !== undefined ? [`at ${type} ${resource} ${ms}`] : []),
  ];
}

/** An inbox in memory. */
export function fakeInbox(): Inbox & InboxLookup & { stored: { event: unknown; source: EventSource }[] } {
  const known = new Set<string>();
  const stored: { event: unknown; source: EventSource }[] = [];
  return {
    stored,
    async take(events, { source }) {
      let duplicate = 0;
      for (const event of events) {
        const names = namesOf(event);
        if (names.some((name) => known.has(name))) duplicate += 1;
        else stored.push({ event, source });
        for (const name of names) known.add(name);
      }
      return { read: events.length, stored: events.length - duplicate, duplicate, setAside: 0 };
    },
    missing: async (events) => events.filter((event) => !namesOf(event).some((name) => known.has(name))),
  };
}

import type { AgentEvent } from '../../../events/agent-event.ts';

/** A CloudEvent as Twilio sends it. */
export interface CloudEvent {
  specversion: '1.0';
  type: string;
  source: string;
  id: string;
  dataschema: string;
  datacontenttype: string;
  time: string;
  data: Record<string, unknown> | string;
}

/** As the webhook delivers it (`data` an object), or as a Kinesis record (`data` a text). */
export type Form = 'webhook' | 'kinesis';

export const inForm = (event: CloudEvent, form: Form): CloudEvent =>
  form === 'kinesis' && typeof event.data === 'object'
    ? { ...event, data: JSON.stringify(event.data) }
    : structuredClone(event);

/** As the inbox gives it to its readers. */
export function received(event: CloudEvent): AgentEvent {
  const data = (typeof event.data === 'string' ? JSON.parse(event.data) : event.data) as Record<
    string,
    unknown
  >;
  const stated = typeof data['timestamp'] === 'string' ? data['timestamp'] : event.time;
  const eventSid = data['sid'];
  return {
    id: event.id,
    type: event.type,
    time: new Date(stated),
    ...(typeof eventSid === 'string' && eventSid.startsWith('EV') && { eventSid }),
    data,
  };
}

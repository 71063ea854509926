/**
 * Where an event came from: the stream, Event Streams' webhook, TaskRouter's Events API by which gaps are filled, or the
 * host itself (`own`).
 */
export type EventSource = 'kinesis' | 'webhook' | 'repair' | 'own';

/** One event, as consumers read it from the inbox. */
export interface AgentEvent {
  /** Its CloudEvents id, an opaque text. */
  id: string;
  /** Such as `com.twilio.taskrouter.reservation.accepted`. */
  type: string;
  /** When it happened, by its sender: the payload's own milliseconds if it has them, else the envelope's time. */
  time: Date;
  /** TaskRouter's own SID of the event (EV…); it names the same event in the Events API. */
  eventSid?: string;
  /** The envelope's `data`, parsed if it came as a string. What is inside is not parsed any further. */
  data: Readonly<Record<string, unknown>>;
}

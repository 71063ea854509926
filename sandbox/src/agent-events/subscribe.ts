import { eventTypes, latestVersions } from '../rest/event-types.ts';
import { newSid } from '../sids.ts';
import type { Sink, World } from '../world.ts';

/** An active sink for a webhook that gets every type, each in its newest schema version. */
export function subscribeWebhook(world: World, destination: string): Sink {
  const now = new Date();
  const dates = { createdAt: now, updatedAt: now };
  const description = 'flex-custody recorder';
  const sink: Sink = {
    ...dates,
    sid: newSid('DG'),
    description,
    type: 'webhook',
    configuration: { destination, method: 'POST', batch_events: true },
    status: 'active',
  };
  const sid = newSid('DF');
  const types = new Map([...eventTypes].map(([type, schema]) => [type, latestVersions[schema] ?? 1]));
  world.sinks.set(sink.sid, sink);
  world.subscriptions.set(sid, { ...dates, sid, description, sinkSid: sink.sid, types });
  return sink;
}

import { eventTypes, latestVersions } from '../rest/event-types.ts';
import { newSid } from '../sids.ts';
import type { Sink, World } from '../world.ts';

/** An active sink, which gets these types, each in its newest schema version. */
export function subscribe(
  world: World,
  type: Sink['type'],
  configuration: Sink['configuration'],
  wanted: readonly string[],
): Sink {
  const now = new Date();
  const dates = { createdAt: now, updatedAt: now };
  const description = 'flex-custody recorder';
  const sink: Sink = { ...dates, sid: newSid('DG'), description, type, configuration, status: 'active' };
  const sid = newSid('DF');
  const versionOf = (name: string) => latestVersions[eventTypes.get(name) ?? ''] ?? 1;
  const types = new Map(wanted.map((name) => [name, versionOf(name)]));
  world.sinks.set(sink.sid, sink);
  world.subscriptions.set(sid, { ...dates, sid, description, sinkSid: sink.sid, types });
  return sink;
}

/** An active sink for a webhook that gets every type. */
export const subscribeWebhook = (world: World, destination: string): Sink =>
  subscribe(world, 'webhook', { destination, method: 'POST', batch_events: true }, [...eventTypes.keys()]);

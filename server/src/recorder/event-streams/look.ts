import type {
  SubscribedType,
  TwilioEventStreams,
  TwilioSink,
  TwilioSubscription,
} from '@flex-custody/twilio';
import { eventTypes, leastVersion } from '../../events/event-types.ts';
import { description, isOwn, type WantedSink } from './wanted-sink.ts';

/** What there is of the host's own stream at Twilio. */
export interface StreamLook {
  /** The host's own; an active one first. */
  sink?: TwilioSink;
  /** More sinks of the same description and place, which nothing needs. */
  surplus: TwilioSink[];
  subscription?: TwilioSubscription;
  /** A subscription of another owner on the host's sink: a sink takes one. */
  foreign?: TwilioSubscription;
  types: TypesLook;
}

export interface TypesLook {
  missing: SubscribedType[];
  /** Of a schema version that the host does not read. */
  outdated: SubscribedType[];
  /** Wanted, but not offered to this account. */
  notOffered: string[];
}

export async function lookAtStream(twilio: TwilioEventStreams, wanted: WantedSink): Promise<StreamLook> {
  const own = (await twilio.sinks())
    .filter((sink) => isOwn(sink, wanted))
    .sort((a, b) => Number(b.status === 'active') - Number(a.status === 'active'));
  const [sink, ...surplus] = own;
  const subscriptions = sink ? await twilio.subscriptions(sink.sid) : [];
  const subscription = subscriptions.find((one) => one.description === description);
  const foreign = subscriptions.find((one) => one.description !== description);
  const now = subscription ? await twilio.subscribedTypes(subscription.sid) : [];
  return {
    ...(sink && { sink }),
    surplus,
    ...(subscription && { subscription }),
    ...(foreign && { foreign }),
    types: await compareTypes(twilio, now),
  };
}

async function compareTypes(
  twilio: Pick<TwilioEventStreams, 'eventTypes' | 'latestVersion'>,
  now: readonly SubscribedType[],
): Promise<TypesLook> {
  const offered = new Map(
    (await twilio.eventTypes())
      .filter(({ status }) => status === 'available' || status === 'deprecated')
      .map(({ type, schemaId }) => [type, schemaId]),
  );
  const subscribed = new Map(now.map(({ type, schemaVersion }) => [type, schemaVersion]));
  const isUsable = (type: string) => (subscribed.get(type) ?? 0) >= leastVersion(type);
  const needed = eventTypes.filter((type) => offered.has(type) && !isUsable(type));
  const versions = new Map<string, number>();
  for (const schema of new Set(needed.map((type) => offered.get(type) ?? '')))
    versions.set(schema, (await twilio.latestVersion(schema)) ?? 1);
  const newest = (type: string): SubscribedType => ({
    type,
    schemaVersion: versions.get(offered.get(type) ?? '') ?? 1,
  });
  return {
    missing: needed.filter((type) => !subscribed.has(type)).map(newest),
    outdated: needed.filter((type) => subscribed.has(type)).map(newest),
    notOffered: eventTypes.filter((type) => !offered.has(type) && !subscribed.has(type)),
  };
}

import { isObject, jsonFields } from '@flex-custody/core';
import { type Connection, expected, read } from './connection.ts';
import { isRefusal, twilioError } from './errors.ts';

export const sinkStatuses = ['initialized', 'validating', 'active', 'failed'] as const;
export type SinkStatus = (typeof sinkStatuses)[number];

/** Where Event Streams delivers. */
export interface TwilioSink {
  /** DG… */
  sid: string;
  description: string;
  /** Such as `kinesis` or `webhook`. */
  type: string;
  status: SinkStatus;
  /** Of a webhook `{destination, method, batch_events}`, of Kinesis `{arn, role_arn, external_id}`. */
  configuration: Readonly<Record<string, unknown>>;
}

export interface TwilioSubscription {
  /** DF… */
  sid: string;
  description: string;
  sinkSid: string;
}

export interface SubscribedType {
  type: string;
  schemaVersion: number;
}

/** A kind of event that the account can subscribe to. */
export interface TwilioEventType {
  type: string;
  schemaId: string;
  /** Only `available` and `deprecated` ones can be subscribed to. */
  status: string;
}

/**
 * Event Streams. Every failure is a CustodyError as of `TwilioApi`.
 * Source: https://www.twilio.com/docs/events
 */
export interface TwilioEventStreams {
  sinks(): Promise<TwilioSink[]>;
  sink(sid: string): Promise<TwilioSink | undefined>;
  createSink(sink: Pick<TwilioSink, 'description' | 'type' | 'configuration'>): Promise<TwilioSink>;
  deleteSink(sid: string): Promise<void>;
  /** Sends a test event through the sink; `data.test_id` of the event that arrives is what validates the sink. */
  testSink(sid: string): Promise<void>;
  /** False if Twilio refuses the test id. */
  validateSink(sid: string, testId: string): Promise<boolean>;
  subscriptions(sinkSid: string): Promise<TwilioSubscription[]>;
  subscribedTypes(subscriptionSid: string): Promise<SubscribedType[]>;
  /** `refused`: the sink is not active, has a subscription already, or a type is unknown. */
  createSubscription(
    subscription: Pick<TwilioSubscription, 'description' | 'sinkSid'> & { types: readonly SubscribedType[] },
  ): Promise<TwilioSubscription | 'refused'>;
  subscribe(subscriptionSid: string, type: SubscribedType): Promise<void>;
  /** Another schema version of a type that is subscribed to. */
  changeVersion(subscriptionSid: string, type: SubscribedType): Promise<void>;
  deleteSubscription(sid: string): Promise<void>;
  eventTypes(): Promise<TwilioEventType[]>;
  /** The newest version of a schema; undefined for an unknown one. */
  latestVersion(schemaId: string): Promise<number | undefined>;
}

const pageSize = 1_000;

export function eventStreams({ events }: Connection): TwilioEventStreams {
  /** Writes; a resource that is gone is an error here. */
  const write = async <T>(what: string, ask: () => Promise<T>): Promise<T> => {
    try {
      return await ask();
    } catch (error) {
      throw twilioError(what, error);
    }
  };
  const remove = async (what: string, ask: () => Promise<boolean>): Promise<void> => {
    await read(what, ask);
  };
  return {
    async sinks() {
      const found = await read('the sinks of events', async () => (await events()).sinks.list({ pageSize }));
      return (found ?? []).map(sinkOf);
    },
    sink: (sid) => read('a sink of events', async () => sinkOf(await (await events()).sinks(sid).fetch())),
    createSink: ({ description, type, configuration }) =>
      write('a sink to be created', async () =>
        sinkOf(
          await (await events()).sinks.create({
            description,
            // The SDK's type is an enumeration of the same words.
            sinkType: type as 'kinesis',
            sinkConfiguration: configuration,
          }),
        ),
      ),
    deleteSink: (sid) => remove('a sink to be deleted', async () => (await events()).sinks(sid).remove()),
    testSink: (sid) =>
      write('a test event', async () => {
        await (await events()).sinks(sid).sinkTest.create();
      }),
    async validateSink(sid, testId) {
      try {
        const { result } = await (await events()).sinks(sid).sinkValidate.create({ testId });
        return result === 'valid';
      } catch (error) {
        if (isRefusal(error)) return false;
        throw twilioError('a sink to be validated', error);
      }
    },
    async subscriptions(sinkSid) {
      const found = await read('the subscriptions of a sink', async () =>
        (await events()).subscriptions.list({ sinkSid, pageSize }),
      );
      return (found ?? []).map(subscriptionOf);
    },
    async subscribedTypes(sid) {
      const found = await read('the types of a subscription', async () =>
        (await events()).subscriptions(sid).subscribedEvents.list({ pageSize }),
      );
      return (found ?? []).map(({ type, schemaVersion }) => ({ type, schemaVersion }));
    },
    async createSubscription({ description, sinkSid, types }) {
      try {
        return subscriptionOf(
          await (await events()).subscriptions.create({ description, sinkSid, types: types.map(asField) }),
        );
      } catch (error) {
        if (isRefusal(error)) return 'refused';
        throw twilioError('a subscription to be created', error);
      }
    },
    subscribe: (sid, { type, schemaVersion }) =>
      write('a type to be subscribed to', async () => {
        await (await events()).subscriptions(sid).subscribedEvents.create({ type, schemaVersion });
      }),
    changeVersion: (sid, { type, schemaVersion }) =>
      write('a schema version to be changed', async () => {
        await (await events()).subscriptions(sid).subscribedEvents(type).update({ schemaVersion });
      }),
    deleteSubscription: (sid) =>
      remove('a subscription to be deleted', async () => (await events()).subscriptions(sid).remove()),
    async eventTypes() {
      const found = await read('the types of events', async () =>
        (await events()).eventTypes.list({ pageSize }),
      );
      return (found ?? []).map(({ type, schemaId, status }) => ({ type, schemaId, status }));
    },
    latestVersion: (schemaId) =>
      read(
        'a schema of events',
        async () => (await (await events()).schemas(schemaId).fetch()).latestVersion,
      ),
  };
}

/** The SDK sends each as the text of a JSON object, in a field `Types` of its own. */
const asField = ({ type, schemaVersion }: SubscribedType) => ({ type, schema_version: schemaVersion });

function sinkOf(found: {
  sid: string;
  description: string;
  sinkType: string;
  status: string;
  sinkConfiguration: unknown;
}): TwilioSink {
  const { sinkConfiguration: given } = found;
  return {
    sid: expected(/^DG[0-9a-f]{32}$/.test(found.sid) ? found.sid : undefined, 'sink SID'),
    description: found.description ?? '',
    type: found.sinkType ?? '',
    status: expected(
      sinkStatuses.find((one) => one === found.status),
      'status of a sink',
    ),
    configuration: typeof given === 'string' ? jsonFields(given) : isObject(given) ? given : {},
  };
}

function subscriptionOf(found: { sid: string; description: string; sinkSid: string }): TwilioSubscription {
  return {
    sid: expected(/^DF[0-9a-f]{32}$/.test(found.sid) ? found.sid : undefined, 'subscription SID'),
    description: found.description ?? '',
    sinkSid: found.sinkSid ?? '',
  };
}

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { subscribe } from '../../../sandbox/src/agent-events/subscribe.ts';
import type { Sandbox } from '../../../sandbox/src/index.ts';
import { eventTypes } from '../../../server/src/events/event-types.ts';
import {
  type KinesisStream,
  openKinesisStream,
  streamName,
  streamRegion,
} from '../../support/kinesis-stream.ts';
import { type KinesisWay, startKinesisWay } from './kinesis-way.ts';

/** The ways on which agents' events come. */
export interface EventWays {
  stream: KinesisStream;
  /** Between the stream and its readers. */
  way: KinesisWay;
  /** Settings of every host. */
  settings: Readonly<Record<string, string>>;
  /** How many sinks get a type. */
  sinksOf(type: string): number;
  close(): Promise<void>;
}

/** A third of the types comes by Kinesis, a third by the webhook, and a third by both. */
const comesBy = { kinesis: (at: number) => at % 3 !== 1, webhook: (at: number) => at % 3 !== 0 } as const;

/** A stream, a webhook, and the subscriptions of both. @param host where Twilio reaches it */
export async function openEventWays(
  folder: string,
  { twilio: { world, eventStreams } }: Sandbox,
  host: string,
): Promise<EventWays> {
  const stream = await openKinesisStream(join(folder, 'kinesis'));
  const way = await startKinesisWay(stream.endpoint);
  eventStreams.toKinesis((_stream, records) => stream.put(records.map(({ data }) => data)));
  const typesOf = (name: keyof typeof comesBy) => eventTypes.filter((_, at) => comesBy[name](at));
  const arn = `arn:aws:kinesis:${streamRegion}:123456789012:stream/${streamName}`;
  subscribe(world, 'kinesis', { arn }, typesOf('kinesis'));
  subscribe(world, 'webhook', { destination: `${host}/events`, method: 'POST' }, typesOf('webhook'));
  const file = (name: string, lines: readonly string[]) => {
    const path = join(folder, name);
    writeFileSync(path, lines.map((line) => `${line}\n`).join(''), { mode: 0o600 });
    return path;
  };
  const workers = [...world.workers.keys()].map(
    (worker, at) => `  - {id: employee-${at}, organization: Sales, worker: ${worker}, start: 2020-01-01}`,
  );
  return {
    stream,
    way,
    settings: {
      AWS_ENDPOINT_URL_KINESIS: way.endpoint,
      CUSTODY_STREAM_START: 'trim_horizon',
      CUSTODY_DATA_SOURCE_FILE: file('data-source.yaml', [
        `streamName: ${streamName}`,
        `region: ${streamRegion}`,
      ]),
      CUSTODY_EMPLOYEES_FILE: file('employees.yaml', ['employees:', ...workers]),
    },
    sinksOf: (type) => Number(typesOf('kinesis').includes(type)) + Number(typesOf('webhook').includes(type)),
    async close() {
      await way.close();
      await stream.close();
    },
  };
}

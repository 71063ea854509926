import { randomBytes } from 'node:crypto';
import {
  CreateStreamCommand,
  DescribeStreamSummaryCommand,
  KinesisClient,
  ListShardsCommand,
  MergeShardsCommand,
  PutRecordsCommand,
  type Shard,
  SplitShardCommand,
} from '@aws-sdk/client-kinesis';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { startKinesis } from '../../sandbox/src/kinesis/index.ts';
import { until } from './until.ts';

export const streamName = 'twilio-events';
export const streamRegion = 'us-east-1';
/** The double takes any. */
export const streamIdentity = { accessKeyId: 'any', secretAccessKey: 'any' };

const mostRecords = 250;

/** A stream of two shards in kinesalite. */
export async function openKinesisStream(folder: string) {
  const kinesis = await startKinesis({ double: 'kinesalite', root: process.cwd(), folder });
  const { endpoint } = kinesis;
  const client = new KinesisClient({
    ...{ region: streamRegion, credentials: streamIdentity, endpoint, requestHandler: new NodeHttpHandler() },
  });
  const StreamName = streamName;
  const active = () =>
    until(async () => {
      const { StreamDescriptionSummary: found } = await client.send(
        new DescribeStreamSummaryCommand({ StreamName }),
      );
      return found?.StreamStatus === 'ACTIVE';
    });
  /** In the order of their hash keys. */
  const openShards = async (): Promise<Shard[]> => {
    const { Shards = [] } = await client.send(new ListShardsCommand({ StreamName }));
    const open = Shards.filter(({ SequenceNumberRange: range }) => range?.EndingSequenceNumber === undefined);
    return open.sort((a, b) => (startOf(a) < startOf(b) ? -1 : 1));
  };
  await client.send(new CreateStreamCommand({ StreamName, ShardCount: 2 }));
  await active();
  return {
    endpoint,
    async put(records: readonly string[]): Promise<void> {
      for (let from = 0; from < records.length; from += mostRecords) {
        const Records = records
          .slice(from, from + mostRecords)
          .map((text) => ({ Data: Buffer.from(text), PartitionKey: randomBytes(8).toString('hex') }));
        const answer = await client.send(new PutRecordsCommand({ StreamName, Records }));
        if (answer.FailedRecordCount) throw new Error(`${answer.FailedRecordCount} records were not put`);
      }
    },
    /** Splits the first open shard into two halves. */
    async split(): Promise<void> {
      const [first] = await openShards();
      const end = BigInt(first?.HashKeyRange?.EndingHashKey ?? 0);
      const NewStartingHashKey = (((first ? startOf(first) : 0n) + end) / 2n).toString();
      await client.send(
        new SplitShardCommand({ StreamName, ShardToSplit: first?.ShardId, NewStartingHashKey }),
      );
      await active();
    },
    /** Makes one of the first two open shards. */
    async merge(): Promise<void> {
      const [first, second] = await openShards();
      await client.send(
        new MergeShardsCommand({
          ...{ StreamName, ShardToMerge: first?.ShardId, AdjacentShardToMerge: second?.ShardId },
        }),
      );
      await active();
    },
    async close(): Promise<void> {
      client.destroy();
      await kinesis.close();
    },
  };
}

export type KinesisStream = Awaited<ReturnType<typeof openKinesisStream>>;

const startOf = ({ HashKeyRange: range }: Shard): bigint => BigInt(range?.StartingHashKey ?? 0);

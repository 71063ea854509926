/** The peer of `events`: reads a stream of Kinesis from its beginning, each shard on its own, and does nothing with the records. */
import {
  GetRecordsCommand,
  GetShardIteratorCommand,
  KinesisClient,
  ListShardsCommand,
} from '@aws-sdk/client-kinesis';
import { NodeHttpHandler } from '@smithy/node-http-handler';

const read = (name: string) => process.env[name] ?? '';
const StreamName = read('BENCH_STREAM');
/** As large as ours. */
const Limit = 1_000;

const client = new KinesisClient({
  region: read('BENCH_REGION'),
  endpoint: read('BENCH_ENDPOINT'),
  credentials: { accessKeyId: 'any', secretAccessKey: 'any' },
  requestHandler: new NodeHttpHandler(),
});

async function readShard(ShardId: string | undefined): Promise<number> {
  const first = await client.send(
    new GetShardIteratorCommand({ StreamName, ShardId, ShardIteratorType: 'TRIM_HORIZON' }),
  );
  let found = 0;
  for (let iterator = first.ShardIterator; iterator !== undefined; ) {
    const page = await client.send(new GetRecordsCommand({ ShardIterator: iterator, Limit }));
    const records = page.Records ?? [];
    found += records.length;
    if (records.length === 0 && (page.MillisBehindLatest ?? 0) === 0) break;
    iterator = page.NextShardIterator;
  }
  return found;
}

const began = performance.now();
const { Shards = [] } = await client.send(new ListShardsCommand({ StreamName }));
const counts = await Promise.all(Shards.map(({ ShardId }) => readShard(ShardId)));
const seconds = (performance.now() - began) / 1_000;
const records = counts.reduce((sum, count) => sum + count, 0);
process.stdout.write(`${JSON.stringify({ records, perSecond: records / seconds })}\n`);
client.destroy();

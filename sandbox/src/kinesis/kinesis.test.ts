import { mkdtempSync, rmSync } from 'node:fs';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateStreamCommand, DescribeStreamSummaryCommand, KinesisClient } from '@aws-sdk/client-kinesis';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { until } from '../../../test/support/until.ts';
import { type OwnKinesis, startKinesis } from './index.ts';

describe.each(['kinesalite', 'kinesis-local'] as const)('%s', (double) => {
  const folder = mkdtempSync(join(tmpdir(), 'kinesis-'));
  let kinesis: OwnKinesis | undefined;
  afterAll(async () => {
    await kinesis?.close();
    rmSync(folder, { recursive: true });
  });

  test('answers on loopback alone, and ends by its process id', async () => {
    kinesis = await startKinesis({ double, root: process.cwd(), folder });
    const { endpoint, pid } = kinesis;
    const client = new KinesisClient({
      ...{ region: 'us-east-1', endpoint, requestHandler: new NodeHttpHandler() },
      credentials: { accessKeyId: 'any', secretAccessKey: 'any' },
    });
    const StreamName = 'twilio-events';
    await client.send(new CreateStreamCommand({ StreamName, ShardCount: 1 }));
    await until(async () => {
      const answer = await client.send(new DescribeStreamSummaryCommand({ StreamName }));
      return answer.StreamDescriptionSummary?.StreamStatus === 'ACTIVE';
    });
    client.destroy();
    const outside = Object.values(networkInterfaces())
      .flatMap((addresses) => addresses ?? [])
      .find(({ family, internal }) => family === 'IPv4' && !internal);
    if (outside) {
      const elsewhere = endpoint.replace('127.0.0.1', outside.address);
      await expect(fetch(elsewhere, { method: 'POST' })).rejects.toThrow();
    }
    await kinesis.close();
    expect(() => process.kill(pid, 0)).toThrow();
  });
});

import { randomBytes } from 'node:crypto';
import type { Agent as HttpsAgent } from 'node:https';
import { CustodyError } from '@flex-custody/core';
import { createAgent, inTime } from '@flex-custody/net';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import type { Kinesis, ListedShard, ShardPosition } from './kinesis.ts';
import { type StreamSettings, streamNameOf } from './stream-settings.ts';

const connectMs = 5_000;
/** Until an answer has come; a page of 10 MB takes some seconds. */
const requestMs = 15_000;
/** Of a whole call: credentials may come from a role, a program or a metadata service, which have no limit of their own. */
const callMs = 30_000;

const nothing = () => undefined;
/** What fails is thrown, and the caller logs it. */
const silent = { debug: nothing, info: nothing, warn: nothing, error: nothing };

/**
 * Kinesis by the AWS SDK, which is loaded on first use. The SDK does not retry: each caller does, with pauses of its own.
 * HTTP/1.1, since proxies and the sandbox's doubles speak no HTTP/2.
 * @param endpoint of another service than AWS
 * @throws CustodyError `stream_invalid`
 */
export async function openKinesis(settings: StreamSettings, endpoint?: string): Promise<Kinesis> {
  const { arn, name, region } = streamNameOf(settings);
  const {
    DescribeStreamSummaryCommand,
    GetRecordsCommand,
    GetShardIteratorCommand,
    KinesisClient,
    ListShardsCommand,
  } = await import('@aws-sdk/client-kinesis');
  const role = settings.role && (await roleCredentials({ ...settings, role: settings.role }));
  const credentials = role?.credentials ?? settings.credentials;
  const client = new KinesisClient({
    region,
    ...(endpoint !== undefined && { endpoint }),
    ...(credentials && { credentials }),
    maxAttempts: 1,
    logger: silent,
    requestHandler: handler(),
  });
  const stream = arn === undefined ? { StreamName: name } : { StreamARN: arn };
  const within = <T>(answer: Promise<T>): Promise<T> =>
    inTime(answer, callMs, () => new CustodyError('stream_unavailable', 'Kinesis gave no answer in time'));

  return {
    async shards(signal) {
      const found: ListedShard[] = [];
      let token: string | undefined;
      do {
        const page = await within(
          client.send(new ListShardsCommand(token === undefined ? stream : { NextToken: token }), {
            abortSignal: signal,
          }),
        );
        for (const { ShardId, ParentShardId, AdjacentParentShardId, SequenceNumberRange } of page.Shards ??
          [])
          found.push({
            shard: ShardId ?? '',
            parents: [ParentShardId, AdjacentParentShardId].filter((id) => id !== undefined),
            firstSequence: SequenceNumberRange?.StartingSequenceNumber ?? '',
            isClosed: SequenceNumberRange?.EndingSequenceNumber !== undefined,
          });
        token = page.NextToken;
      } while (token !== undefined);
      return found;
    },
    async iterator(shard, position, signal) {
      const { ShardIterator } = await within(
        client.send(new GetShardIteratorCommand({ ...stream, ShardId: shard, ...beginning(position) }), {
          abortSignal: signal,
        }),
      );
      if (ShardIterator === undefined)
        throw new CustodyError('stream_unavailable', 'Kinesis gave no iterator');
      return ShardIterator;
    },
    async read(iterator, limit, signal) {
      const page = await within(
        client.send(
          new GetRecordsCommand({
            ShardIterator: iterator,
            Limit: limit,
            ...(arn !== undefined && { StreamARN: arn }),
          }),
          { abortSignal: signal },
        ),
      );
      return {
        records: (page.Records ?? []).map(({ SequenceNumber = '', Data = new Uint8Array() }) => ({
          sequence: SequenceNumber,
          data: Data,
        })),
        next: page.NextShardIterator || undefined,
        behindMs: page.MillisBehindLatest ?? 0,
      };
    },
    async retentionMs(signal) {
      const { StreamDescriptionSummary } = await within(
        client.send(new DescribeStreamSummaryCommand(stream), { abortSignal: signal }),
      );
      return (StreamDescriptionSummary?.RetentionPeriodHours ?? 24) * 3_600_000;
    },
    close() {
      client.destroy();
      role?.close();
    },
  };
}

function beginning(position: ShardPosition) {
  if (position === 'trim_horizon') return { ShardIteratorType: 'TRIM_HORIZON' as const };
  return 'after' in position
    ? { ShardIteratorType: 'AFTER_SEQUENCE_NUMBER' as const, StartingSequenceNumber: position.after }
    : { ShardIteratorType: 'AT_TIMESTAMP' as const, Timestamp: position.at };
}

function handler(): NodeHttpHandler {
  const options = { keepAlive: true, maxSockets: 100 };
  return new NodeHttpHandler({
    connectionTimeout: connectMs,
    requestTimeout: requestMs,
    socketTimeout: requestMs,
    throwOnRequestTimeout: true,
    // Through the proxy that the environment names, which the SDK does not read.
    httpAgent: createAgent('http:', options),
    httpsAgent: createAgent('https:', options) as HttpsAgent,
  });
}

/** Credentials of an assumed role. The client asks again shortly before they expire. */
async function roleCredentials({
  region,
  credentials: own,
  role,
}: StreamSettings & Required<Pick<StreamSettings, 'role'>>) {
  const { AssumeRoleCommand, STSClient } = await import('@aws-sdk/client-sts');
  const sts = new STSClient({
    region,
    ...(own && { credentials: own }),
    maxAttempts: 3,
    logger: silent,
    requestHandler: handler(),
  });
  const { arn, externalId, sessionName = `flex-custody-${randomBytes(8).toString('hex')}` } = role;
  return {
    async credentials() {
      const { Credentials: given } = await sts.send(
        new AssumeRoleCommand({
          RoleArn: arn,
          RoleSessionName: sessionName,
          ...(externalId !== undefined && { ExternalId: externalId }),
        }),
      );
      if (!given?.AccessKeyId || !given.SecretAccessKey || !given.SessionToken)
        throw new CustodyError('stream_unavailable', 'AWS gave no credentials of the role');
      return {
        accessKeyId: given.AccessKeyId,
        secretAccessKey: given.SecretAccessKey,
        sessionToken: given.SessionToken,
        ...(given.Expiration && { expiration: given.Expiration }),
      };
    },
    close: () => sts.destroy(),
  };
}

import { createHash } from 'node:crypto';
import { CustodyError } from '@flex-custody/core';
import type { CurrentStream } from '../../events/kinesis/stream-settings.ts';
import type { Secrets } from '../../secrets/secrets.ts';
import { isAssigned } from './assigned.ts';
import type { DataSourceReader } from './data-source.ts';
import { type DataSource, secretName } from './fields.ts';
import { streamArnOf } from './shapes.ts';

export interface Stream {
  name: string;
  arn?: string;
  region: string;
}

/**
 * The stream to read; undefined if none is set.
 * @param ownRegion the region where the settings name none
 */
export function streamOf(
  { streamName, region, customRegion }: DataSource,
  ownRegion: string,
): Stream | undefined {
  if (streamName === undefined) return undefined;
  const arn = streamArnOf(streamName);
  return {
    name: arn?.name ?? streamName,
    ...(arn && { arn: streamName }),
    region: arn?.region ?? region ?? customRegion ?? ownRegion,
  };
}

export interface CurrentStreamDeps {
  dataSource: DataSourceReader;
  secrets: Pick<Secrets, 'get'>;
  /** The host's own region. */
  region: string;
  /** Name of this node. */
  node: string;
}

/**
 * The stream that this node follows, with the rights to read it; undefined if the settings name none, or assign it to other nodes.
 * @throws CustodyError `stream_invalid` if the access key's secret is missing
 */
export async function currentStream({
  dataSource,
  secrets,
  region,
  node,
}: CurrentStreamDeps): Promise<CurrentStream | undefined> {
  const found = await dataSource.current();
  const stream = found && isAssigned(found.settings, node) ? streamOf(found.settings, region) : undefined;
  if (!found || !stream) return undefined;
  const { specifyCredentials, accessKeyId, specifyRole, roleArn, externalId, roleSessionName } =
    found.settings;
  const secretAccessKey = specifyCredentials ? await secrets.get(secretName('secretAccessKey')) : undefined;
  if (specifyCredentials && (accessKeyId === undefined || secretAccessKey === undefined))
    throw new CustodyError(
      'stream_invalid',
      `specifyCredentials is on, and the access key is not complete: flex-custody secrets set ${secretName('secretAccessKey')}`,
    );
  return {
    // Another secret is another version: the consumer then begins with it.
    version: [found.version, digestOf(secretAccessKey ?? '')].join(' '),
    stream: {
      ...{ stream: stream.arn ?? stream.name, region: stream.region },
      ...(accessKeyId !== undefined &&
        secretAccessKey !== undefined && { credentials: { accessKeyId, secretAccessKey } }),
      ...(specifyRole &&
        roleArn !== undefined && {
          role: {
            arn: roleArn,
            ...(externalId !== undefined && { externalId }),
            ...(roleSessionName !== undefined && { sessionName: roleSessionName }),
          },
        }),
    },
  };
}

const digestOf = (text: string): string => createHash('sha256').update(text).digest('base64url').slice(0, 8);

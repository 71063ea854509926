import { createHash } from 'node:crypto';
import type { CurrentStream, StreamSettings } from '../../events/kinesis/stream-settings.ts';
import type { Secrets } from '../../secrets/secrets.ts';
import { isAssigned } from './assigned.ts';
import type { DataSourceReader } from './data-source.ts';
import { invalid } from './fault.ts';
import { type DataSource, secretName } from './fields.ts';
import { streamArnOf } from './shapes.ts';

/**
 * The stream to read; undefined if none is set.
 * @param ownRegion the region where the settings name none
 * @throws CustodyError `data_source_invalid` if the store has no secret of the access key
 */
export async function streamOf(
  settings: DataSource,
  secrets: Pick<Secrets, 'get'>,
  ownRegion: string,
): Promise<StreamSettings | undefined> {
  const { streamName: stream, region, customRegion, accessKeyId } = settings;
  const { specifyRole, roleArn, externalId, roleSessionName } = settings;
  if (stream === undefined) return undefined;
  const source: StreamSettings = {
    stream,
    region: streamArnOf(stream)?.region ?? region ?? customRegion ?? ownRegion,
  };
  if (settings.specifyCredentials && accessKeyId !== undefined) {
    const secretAccessKey = await secrets.get(secretName('secretAccessKey'));
    if (secretAccessKey === undefined)
      throw invalid([
        `secretAccessKey has no value in the store of secrets: flex-custody secrets set ${secretName('secretAccessKey')}`,
      ]);
    source.credentials = { accessKeyId, secretAccessKey };
  }
  if (specifyRole && roleArn !== undefined)
    source.role = {
      arn: roleArn,
      ...(externalId !== undefined && { externalId }),
      ...(roleSessionName !== undefined && { sessionName: roleSessionName }),
    };
  return source;
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
 * The stream that this node follows; undefined if the settings name none, or assign it to other nodes.
 * @throws CustodyError as {@link streamOf}
 */
export async function currentStream(deps: CurrentStreamDeps): Promise<CurrentStream | undefined> {
  const found = await deps.dataSource.current();
  if (!found || !isAssigned(found.settings, deps.node)) return undefined;
  const stream = await streamOf(found.settings, deps.secrets, deps.region);
  if (!stream) return undefined;
  // Another secret is another version: the consumer then begins with it.
  const secret = createHash('sha256').update(stream.credentials?.secretAccessKey ?? '');
  return { version: `${found.version} ${secret.digest('base64url').slice(0, 8)}`, stream };
}

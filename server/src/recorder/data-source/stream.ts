import { invalid } from './fault.ts';
import { type DataSource, secretName } from './fields.ts';
import type { Secrets } from './secrets.ts';
import { streamArnOf } from './shapes.ts';

/** Where the agents' events are, and by whose rights they are read. */
export interface StreamSource {
  /** Name or ARN. */
  stream: string;
  region: string;
  /** Absent: the host's own AWS identity. */
  credentials?: { accessKeyId: string; secretAccessKey: string };
  role?: { arn: string; externalId?: string; sessionName?: string };
}

/**
 * The stream to read; undefined if none is set.
 * @param ownRegion the region where the settings name none
 * @throws CustodyError `data_source_invalid` if the store has no secret of the access key
 */
export async function streamOf(
  settings: DataSource,
  secrets: Pick<Secrets, 'get'>,
  ownRegion: string,
): Promise<StreamSource | undefined> {
  const { streamName: stream, region, customRegion, accessKeyId } = settings;
  const { specifyRole, roleArn, externalId, roleSessionName } = settings;
  if (stream === undefined) return undefined;
  const source: StreamSource = {
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

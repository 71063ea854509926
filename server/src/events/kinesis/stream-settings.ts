import { CustodyError } from '@flex-custody/core';

/** Where the agents' events are, and by whose rights they are read. */
export interface StreamSettings {
  /** The stream's name, or its ARN. */
  stream: string;
  region: string;
  /** Without them the AWS SDK's own chain finds credentials: a role of the machine, a profile, the environment. */
  credentials?: { accessKeyId: string; secretAccessKey: string };
  /** The role that is assumed for reading, by those credentials. */
  role?: { arn: string; externalId?: string; sessionName?: string };
}

/** The settings in force; another `version` means that the consumer has to begin again. */
export interface CurrentStream {
  version: number | string;
  stream: StreamSettings;
}

export interface StreamName {
  region: string;
  name: string;
  /** As the settings give it; a stream of another AWS account is reached by it alone. */
  arn?: string;
  /** Names the stream in the database: `<region>/<name>`, the same for the name and for the ARN. */
  key: string;
}

const arnShape = /^arn:aws[\w-]*:kinesis:([a-z0-9-]+):\d{12}:stream\/([A-Za-z0-9_.-]{1,128})$/;
const nameShape = /^[A-Za-z0-9_.-]{1,128}$/;

/** @throws CustodyError `stream_invalid` for what is neither name nor ARN, and for an ARN of another region */
export function streamNameOf({ stream, region }: Pick<StreamSettings, 'stream' | 'region'>): StreamName {
  const [arn, ofRegion, named] = arnShape.exec(stream) ?? [];
  const name = named ?? stream;
  if (!nameShape.test(name))
    throw new CustodyError('stream_invalid', 'the stream is neither a name nor an ARN of Kinesis');
  if (ofRegion !== undefined && ofRegion !== region)
    throw new CustodyError('stream_invalid', `the stream's ARN is of ${ofRegion}, the setting of ${region}`);
  return { region, name, key: `${region}/${name}`, ...(arn !== undefined && { arn }) };
}

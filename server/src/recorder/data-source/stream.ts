import type { DataSource } from './fields.ts';
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

/** A shard's name. */
export type ShardId = `shardId-${string}`;

export const asShardId = (shard: string): ShardId => `shardId-${shard.replace(/^shardId-/, '')}`;

type Code = 'shard_silent' | 'stream_silent' | 'stream_unreadable' | 'events_lost';

/** The alarms of a stream; those of one shard are about it. */
export interface StreamAlarms {
  raise(code: Code, shard: ShardId | undefined, detail: string): Promise<void>;
  resolve(codes: readonly Code[], shard?: ShardId): Promise<void>;
}

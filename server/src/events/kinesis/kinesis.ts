import { CustodyError } from '@flex-custody/core';

/** A shard as Kinesis lists it: also a closed one, until its last record is older than the stream's retention. */
export interface ListedShard {
  shard: string;
  /** Two after a merge. */
  parents: readonly string[];
  /** Tells a shard from one of the same name, in a stream that was deleted and created again. */
  firstSequence: string;
  isClosed: boolean;
}

export type ShardPosition = { after: string } | { at: Date } | 'trim_horizon';

export interface ShardPage {
  /** In the order of the shard. */
  records: readonly { sequence: string; data: Uint8Array }[];
  /** Undefined: the shard is closed, and this was its end. */
  next: string | undefined;
  /** How far the end of this page is behind the end of the shard. */
  behindMs: number;
}

/** Why a request to Kinesis failed, as far as a consumer acts on it. */
export type KinesisFault =
  /** The iterator is older than five minutes. */
  | 'expired'
  /** The position is none of this shard's. */
  | 'position'
  /** The stream or the shard does not exist. */
  | 'gone'
  /** Anything else: throttling, network, rights. */
  | 'other';

/** What the consumer needs of Kinesis. Each call ends within some seconds, and soon after `signal` aborts. */
export interface Kinesis {
  shards(signal: AbortSignal): Promise<ListedShard[]>;
  iterator(shard: string, position: ShardPosition, signal: AbortSignal): Promise<string>;
  read(iterator: string, limit: number, signal: AbortSignal): Promise<ShardPage>;
  /** How long the stream keeps a record, in ms. */
  retentionMs(signal: AbortSignal): Promise<number>;
  close(): void;
}

const faults: Readonly<Record<string, KinesisFault>> = {
  ExpiredIteratorException: 'expired',
  InvalidArgumentException: 'position',
  ResourceNotFoundException: 'gone',
};

export function faultOf(error: unknown): KinesisFault {
  return (error instanceof Error && faults[error.name]) || 'other';
}

/** For alarms: the message of AWS may name keys and accounts, and is in the log alone. */
export function nameOf(error: unknown): string {
  if (error instanceof CustodyError) return error.code;
  return error instanceof Error ? error.name : 'unknown';
}

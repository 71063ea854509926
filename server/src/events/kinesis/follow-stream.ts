import { chooseLeases } from './choose.ts';
import { faultOf, type Kinesis, nameOf } from './kinesis.ts';
import type { Lease, Leases, StreamState } from './leases.ts';
import { retryPause } from './pace.ts';
import { type ShardReader, type ShardReaderDeps, startReader } from './shard-reader.ts';
import { asShardId } from './stream-alarms.ts';

export interface FollowDeps extends Omit<ShardReaderDeps, 'kinesis' | 'leases'> {
  owner: string;
  kinesis: Kinesis;
  leases: Leases;
  /** Where a stream begins that was never followed. */
  start: 'trim_horizon' | 'latest';
  /** Called with each look's result. */
  looked?(state: StreamState): Promise<void>;
}

/** Reads this process's share of a stream's shards until the signal aborts; then its leases are free at once. */
export async function followStream(deps: FollowDeps, signal: AbortSignal): Promise<void> {
  const { alarms, leases, log, owner, pace, pause } = deps;
  const readers = new Map<string, ShardReader>();
  /** Also those whose shard waits for its parents. */
  const held = new Map<string, Lease>();
  const raised = new Set<string>();

  /** The next taker of the lease begins with the checkpoint in the database. */
  const drop = async (reader: ShardReader): Promise<void> => {
    const { lease } = reader;
    reader.stop();
    if (readers.get(lease.shard) === reader) readers.delete(lease.shard);
    if (held.get(lease.shard) === lease) held.delete(lease.shard);
    // Where this fails, the lease expires.
    await leases.release(lease).catch(() => undefined);
  };
  const begin = (lease: Lease): void => {
    const reader = startReader(lease, deps);
    readers.set(lease.shard, reader);
    void reader.ended.then(() => drop(reader));
  };

  const beat = async () => {
    const sentAt = performance.now();
    const idle = [...held.values()].filter(({ shard }) => !readers.has(shard));
    const kept = await leases.beat([
      ...[...readers.values()].map((reader) => reader.progress()),
      ...idle.map((lease) => ({ lease, readAgeMs: undefined, behindMs: 0, perSecond: 0 })),
    ]);
    for (const [shard, reader] of readers) {
      if (kept.has(shard)) reader.prolonged(sentAt);
      else reader.stop();
    }
    for (const shard of held.keys()) if (!kept.has(shard)) held.delete(shard);
  };

  const watch = async ({ shards }: StreamState) => {
    for (const shard of raised) {
      if (shards.some((one) => one.shard === shard && !one.isRead)) continue;
      await alarms.resolve(['shard_silent'], asShardId(shard));
      raised.delete(shard);
    }
    for (const { shard, isSilent, owner: silent } of shards) {
      if (!isSilent) continue;
      const reader = readers.get(shard);
      if (!raised.has(shard)) {
        const failure = reader?.failure();
        const why = failure === undefined ? '' : ` (${failure})`;
        await alarms.raise(
          'shard_silent',
          asShardId(shard),
          `${shard}: ${silent} has not read it for ${pace.silentMs / 1_000} s${why}; it is taken again`,
        );
        raised.add(shard);
      }
      if (silent === owner && reader) await drop(reader);
    }
  };

  const look = async () => {
    await beat();
    const state = await leases.look();
    await watch(state);
    for (const { shard, force } of chooseLeases(owner, state)) {
      const lease = await leases.take(shard, force);
      if (!lease) continue;
      readers.get(lease.shard)?.stop();
      held.set(lease.shard, lease);
    }
    for (const { shard, isReady } of state.shards) {
      const lease = held.get(shard);
      if (lease && isReady && !readers.has(shard)) begin(lease);
    }
    await deps.looked?.(state);
  };

  /** Does `work` again and again; failures are logged once until it succeeds. */
  const repeat = async (what: string, everyMs: number, work: () => Promise<void>, failed: Failed) => {
    let failures = 0;
    while (!signal.aborted) {
      try {
        await work();
        failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        failures += 1;
        if (failures === 1)
          log.warn({ event: `${what}.failed`, err: error }, 'it is tried again after a pause');
        await failed(error, failures);
      }
      await pause(failures === 0 ? everyMs : Math.min(retryPause(failures, pace), everyMs), signal);
    }
  };

  let isUnreadable: boolean | undefined;
  const list = async () => {
    await leases.note(await deps.kinesis.shards(signal), deps.start);
    if (isUnreadable === false) return;
    await alarms.resolve(['stream_unreadable']);
    isUnreadable = false;
  };
  const unlisted = async (error: unknown, failures: number) => {
    if (failures < failuresBeforeAlarm || isUnreadable) return;
    await alarms.raise('stream_unreadable', undefined, reasonOf(error)).then(
      () => {
        isUnreadable = true;
      },
      () => undefined,
    );
  };

  await Promise.all([
    repeat('stream.list', pace.listMs, list, unlisted),
    repeat('stream.look', pace.lookMs, look, async () => undefined),
  ]);
  await Promise.all(
    [...readers.values()].map(async (reader) => {
      reader.stop();
      await reader.ended;
      await drop(reader);
    }),
  );
  for (const lease of [...held.values()]) await leases.release(lease);
  await leases.leave();
}

type Failed = (error: unknown, failures: number) => Promise<void>;

/** Throttling and short outages raise no alarm. */
const failuresBeforeAlarm = 10;

function reasonOf(error: unknown): string {
  return faultOf(error) === 'gone'
    ? 'the stream does not exist, or not in this region'
    : `Kinesis answers ${nameOf(error)}`;
}

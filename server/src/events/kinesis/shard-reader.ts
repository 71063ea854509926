import type { Inbox } from '../inbox.ts';
import { faultOf, type Kinesis, nameOf, type ShardPage, type ShardPosition } from './kinesis.ts';
import type { Lease, Leases, Progress } from './leases.ts';
import { type Pace, type Pause, retryPause } from './pace.ts';
import { asShardId, type StreamAlarms } from './stream-alarms.ts';

export interface ShardLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

export interface ShardReaderDeps {
  kinesis: Kinesis;
  inbox: Inbox;
  leases: Pick<Leases, 'checkpoint' | 'drained'>;
  alarms: StreamAlarms;
  pace: Pace;
  pause: Pause;
  log: ShardLog;
}

/** The reading of one shard under one lease. */
export interface ShardReader {
  readonly lease: Lease;
  /** Resolves when reading has ended: by `stop`, at the end of the shard, or because the lease is lost. It never rejects. */
  readonly ended: Promise<void>;
  /** The name of the last failure, until a read succeeds. */
  failure(): string | undefined;
  /** Takes what was read since the last call. */
  progress(): Progress;
  /** The database has prolonged the lease. @param sentAt when it was asked to, by `performance.now` */
  prolonged(sentAt: number): void;
  stop(): void;
}

const text = new TextDecoder();
/** Kinesis keeps each record for 24 hours at least. */
const shortestRetentionMs = 24 * 3_600_000;

/** Reads a shard into the inbox: it moves the checkpoint only after the inbox has stored what was read. */
export function startReader(lease: Lease, deps: ShardReaderDeps): ShardReader {
  const { alarms, inbox, kinesis, leases, log, pace } = deps;
  const { shard } = lease;
  const about = asShardId(shard);
  const stopping = new AbortController();
  const { signal } = stopping;
  let position: ShardPosition =
    lease.checkpoint !== undefined
      ? { after: lease.checkpoint }
      : lease.beginAt
        ? { at: lease.beginAt }
        : 'trim_horizon';
  let leasedUntil = performance.now() + pace.leaseMs;
  let readAt: number | undefined;
  let behindMs = 0;
  let isResolved = false;
  let failure: string | undefined;
  /** By `performance.now`, to within the time of a read: every record that arrived before is stored. */
  let readTo = lease.readToAgeMs === undefined ? undefined : performance.now() - lease.readToAgeMs;
  let counted = { records: 0, since: performance.now() };

  const prolonged = (sentAt: number) => {
    leasedUntil = Math.max(leasedUntil, sentAt + pace.leaseMs);
  };

  const lost = async (from: number | undefined, to: number, why: string) => {
    const date = (at: number) => new Date(Date.now() - performance.now() + at).toISOString();
    await alarms.raise(
      'events_lost',
      about,
      `${shard}: from ${from === undefined ? 'its beginning' : date(from)} to ${date(to)}: ${why}`,
    );
  };

  /** Kinesis itself continues with the oldest record that it has, and says nothing. */
  const checkRetention = async () => {
    if (readTo === undefined || performance.now() - readTo < shortestRetentionMs) return;
    // Without the right to ask, the shortest one counts: rather an alarm for a repair that finds nothing.
    const retention = await kinesis.retentionMs(signal).catch(() => shortestRetentionMs);
    const oldest = performance.now() - retention;
    if (readTo >= oldest) return;
    await lost(readTo, oldest, 'the stream no longer keeps what arrived then');
    readTo = oldest;
  };

  const iterate = async (): Promise<string> => {
    await checkRetention();
    try {
      return await kinesis.iterator(shard, position, signal);
    } catch (error) {
      if (faultOf(error) !== 'position' || position === 'trim_horizon' || 'at' in position) throw error;
      await lost(readTo, performance.now(), 'the stream does not know the checkpoint');
      position = 'trim_horizon';
      return kinesis.iterator(shard, position, signal);
    }
  };

  /** @returns whether the lease is still this reader's */
  const keep = async ({ records, ...page }: ShardPage): Promise<boolean> => {
    const last = records.at(-1);
    if (last) {
      await inbox.take(
        records.map(({ data }) => text.decode(data)),
        { source: 'kinesis', shard },
      );
      const sentAt = performance.now();
      if (!(await leases.checkpoint(lease, last.sequence, page.behindMs))) return false;
      prolonged(sentAt);
      position = { after: last.sequence };
      counted.records += records.length;
    }
    behindMs = page.behindMs;
    readAt = performance.now();
    readTo = readAt - behindMs;
    // An alarm of this shard may be another process's, or of before a restart.
    if (!isResolved)
      isResolved = await alarms.resolve(['shard_silent'], about).then(
        () => true,
        () => false,
      );
    return true;
  };

  /** @returns whether Kinesis lists the stream without this shard: its last record is older than the retention */
  const isOver = async (): Promise<boolean> => {
    const listed = await kinesis.shards(signal);
    if (listed.some((one) => one.shard === shard)) return false;
    await lost(readTo, performance.now(), 'the shard no longer exists');
    return true;
  };

  const read = async () => {
    let iterator: string | undefined;
    /** What was read and is not stored yet. */
    let page: ShardPage | undefined;
    let failures = 0;
    while (!signal.aborted && performance.now() < leasedUntil) {
      try {
        iterator ??= await iterate();
        const askedAt = performance.now();
        page ??= await kinesis.read(iterator, pace.limit, signal);
        if (signal.aborted || !(await keep(page))) return;
        if (page.next === undefined) {
          if (await leases.drained(lease))
            log.info({ event: 'shard.drained', shard }, 'a shard is read to its end');
          return;
        }
        iterator = page.next;
        const isAtEnd = page.records.length === 0 && page.behindMs === 0;
        page = undefined;
        failures = 0;
        failure = undefined;
        // The time that storing took counts.
        const passed = performance.now() - askedAt;
        await deps.pause(Math.max(0, (isAtEnd ? pace.idleMs : pace.readMs) - passed), signal);
      } catch (error) {
        if (signal.aborted) return;
        failures += 1;
        const fault = faultOf(error);
        failure = nameOf(error);
        if (fault === 'gone' && (await isOver().catch(() => false))) {
          await leases.drained(lease);
          return;
        }
        if (fault !== 'other') iterator = undefined;
        if (failures === 1 && fault !== 'expired')
          log.warn({ event: 'shard.failed', shard, err: error }, 'a shard is read again after a pause');
        await deps.pause(retryPause(failures, pace), signal);
      }
    }
  };

  return {
    lease,
    ended: read().catch((error: unknown) => {
      log.warn(
        { event: 'shard.failed', shard, err: error },
        'the reading of a shard ended; it is taken again',
      );
    }),
    progress() {
      const now = performance.now();
      const { records, since } = counted;
      counted = { records: 0, since: now };
      return {
        lease,
        behindMs,
        readAgeMs: readAt === undefined ? undefined : now - readAt,
        perSecond: now > since ? (records * 1_000) / (now - since) : 0,
      };
    },
    failure: () => failure,
    prolonged,
    stop: () => stopping.abort(),
  };
}

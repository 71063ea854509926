import { CustodyError } from '@flex-custody/core';
import type { Db } from '../../db/db.ts';
import type { Inbox } from '../inbox.ts';
import { followStream } from './follow-stream.ts';
import type { Kinesis } from './kinesis.ts';
import { openKinesis } from './kinesis-client.ts';
import { createLeases } from './leases.ts';
import { type Pace, type Pause, pause as realPause, usualPace } from './pace.ts';
import type { ShardLog } from './shard-reader.ts';
import { watchSilence } from './silence.ts';
import type { StreamAlarms } from './stream-alarms.ts';
import { type CurrentStream, type StreamSettings, streamNameOf } from './stream-settings.ts';

export interface AgentEventsDeps {
  db: Db;
  inbox: Inbox;
  /** Undefined while no stream is configured. */
  settings(): Promise<CurrentStream | undefined>;
  alarms: StreamAlarms;
  log: ShardLog;
  start: 'trim_horizon' | 'latest';
  /** Of Kinesis, if it is not AWS. */
  endpoint?: string | undefined;
  /** Minutes without any event of a live call, after which the stream is silent; 0: never. */
  silentMinutes: number;
  /** When each call began that is live now. */
  liveSince(): Promise<readonly Date[]>;
  open?(stream: StreamSettings, endpoint?: string): Promise<Kinesis>;
  /** Names this process among all that read the stream. */
  owner: string;
  pace?: Pace;
  pause?: Pause;
}

/** Follows the configured stream until the signal aborts; with new settings it begins again by them. */
export async function followAgentEvents(deps: AgentEventsDeps, signal: AbortSignal): Promise<void> {
  const { owner, pace = usualPace, pause = realPause, settings } = deps;
  while (!signal.aborted) {
    const current = await settings();
    if (!current) {
      await pause(pace.listMs, signal);
      continue;
    }
    const opened = await opening(deps, current.stream);
    if (!opened) {
      await untilChanged(deps, current.version, pace, pause, signal);
      continue;
    }
    const { key, kinesis } = opened;
    const ending = new AbortController();
    const end = () => ending.abort();
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();
    try {
      await Promise.all([
        followStream(
          {
            ...deps,
            ...{ kinesis, owner, pace, pause },
            leases: createLeases(deps.db, key, owner, pace),
            looked: watchSilence(deps),
          },
          ending.signal,
        ),
        untilChanged(deps, current.version, pace, pause, ending.signal).finally(end),
      ]);
    } finally {
      end();
      signal.removeEventListener('abort', end);
      kinesis.close();
    }
  }
}

/** Undefined for settings that name no stream, which only others can correct. */
async function opening({ alarms, endpoint, open = openKinesis }: AgentEventsDeps, stream: StreamSettings) {
  try {
    return { key: streamNameOf(stream).key, kinesis: await open(stream, endpoint) };
  } catch (error) {
    if (!(error instanceof CustodyError) || error.retryable) throw error;
    await alarms.raise('stream_unreadable', undefined, error.message);
    return undefined;
  }
}

async function untilChanged(
  { settings, log }: AgentEventsDeps,
  version: CurrentStream['version'],
  pace: Pace,
  pause: Pause,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await pause(pace.listMs, signal);
    try {
      if ((await settings())?.version !== version) return;
    } catch (error) {
      // The settings of before stay in force while the database is away.
      log.warn(
        { event: 'stream.settings', err: error },
        'the settings of the stream are read again after a pause',
      );
    }
  }
}

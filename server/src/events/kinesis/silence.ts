import type { StreamState } from './leases.ts';
import type { StreamAlarms } from './stream-alarms.ts';

export interface SilenceDeps {
  alarms: StreamAlarms;
  /** 0: never. */
  silentMinutes: number;
  liveSince(): Promise<readonly Date[]>;
}

/** A call's reservation is made and accepted within this time before its conference begins. */
const beforeCallMs = 5 * 60_000;
const everyMs = 30_000;

/**
 * Says whether a stream is silent that should not be: a call is live, and no event has arrived since some minutes before it
 * began. A quiet night is no alarm, and no long call without news is one. While a shard is not read this says nothing, since
 * `shard_silent` does.
 */
export function watchSilence({ alarms, silentMinutes, liveSince }: SilenceDeps) {
  let nextAt = 0;
  let isOpen: boolean | undefined;
  return async ({ shards, lastEventAt }: Pick<StreamState, 'shards' | 'lastEventAt'>, now = Date.now()) => {
    if (lastEventAt === undefined || (now < nextAt && nextAt - now <= everyMs)) return;
    nextAt = now + everyMs;
    const last = lastEventAt.getTime();
    const isUnread = shards.some(({ isReady, isRead }) => isReady && !isRead);
    const calls = silentMinutes === 0 ? [] : await liveSince();
    const unannounced = calls.filter(
      (began) => now - began.getTime() > silentMinutes * 60_000 && last < began.getTime() - beforeCallMs,
    );
    if (unannounced.length > 0 && !isUnread && !isOpen) {
      isOpen = true;
      await alarms.raise(
        'stream_silent',
        undefined,
        `${unannounced.length} calls are live, and no event has come since ${lastEventAt.toISOString()}`,
      );
    }
    if (unannounced.length === 0 && isOpen !== false) {
      isOpen = false;
      await alarms.resolve(['stream_silent']);
    }
  };
}

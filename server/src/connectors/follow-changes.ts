import { setTimeout as sleep } from 'node:timers/promises';
import type { Consumer } from '../room.ts';
import { switchOn } from './changes.ts';
import { type FollowDeps, follow } from './follow.ts';

/** Until contacts that changed are looked at again, ms. */
const pauseMs = 1_000;

/** Makes interactions and effects of contacts as they change. */
export const followChanges = (
  deps: FollowDeps & { log: { debug(fields: object, message: string): void } },
): Consumer => ({
  name: 'connector-changes',
  async run(signal) {
    // A process of the role recorder may be the first one that runs.
    await switchOn(deps.db, deps.accountSid);
    while (!signal.aborted) {
      const contacts = await follow(deps, signal);
      if (contacts > 0)
        deps.log.debug({ event: 'connector.followed', contacts }, 'contacts that changed were looked at');
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  },
});

import { errorCode } from '@flex-custody/core';
import type { Alarms } from '../alarms/alarms.ts';
import type { Logger } from '../log.ts';
import type { Queue } from '../queue/queue.ts';
import type { Room } from '../room.ts';

/** The jobs of a backlog often fail by the same fault: its alarm is raised once in this time. */
const againMs = 60_000;

export interface RunJobsDeps {
  queue: Pick<Queue, 'work'>;
  alarms: Pick<Alarms, 'raise'>;
  log: Pick<Logger, 'error'>;
  now?: () => number;
}

/** Begins the jobs of these rooms; they end when the queue stops. */
export async function runJobs(
  rooms: readonly Pick<Room, 'jobs' | 'alarms'>[],
  { queue, alarms, log, now = Date.now }: RunJobsDeps,
): Promise<void> {
  const raisedAt = new Map<string, number>();
  const raise = async (error: unknown) => {
    const cause = errorCode(error);
    if (now() - (raisedAt.get(cause) ?? Number.NEGATIVE_INFINITY) < againMs) return;
    for (const room of rooms) {
      const alarm = room.alarms?.(error);
      if (!alarm) continue;
      raisedAt.set(cause, now());
      await alarms.raise(alarm.code, undefined, alarm.detail);
    }
  };
  for (const running of rooms.flatMap(({ jobs = [] }) => jobs)) {
    await queue.work({
      ...running,
      async run(data, info) {
        try {
          await running.run(data, info);
        } catch (error) {
          // Without the database, only the job's own failure can be recorded.
          await raise(error).catch(() => undefined);
          throw error;
        }
      },
      async dead(dead) {
        const { name } = running.job;
        log.error({ job: name, data: dead.data, code: dead.error.code }, 'a job failed for good');
        await running.dead?.(dead);
      },
    });
  }
}

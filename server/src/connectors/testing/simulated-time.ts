import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Db } from '../../db/db.ts';
import type { Time } from '../line.ts';

export interface SimulatedTime extends Time {
  /** The same database; time waits for its answers. */
  watched(db: Db): Db;
  /** Lets time pass: from each wait's end to the next one's, once all that it led to is done. */
  pass(ms: number): Promise<void>;
  /** All waits that end meanwhile end late. */
  stall(ms: number): void;
}

const epoch = Date.parse('2026-11-30T00:00:00Z');

export function simulatedTime(): SimulatedTime {
  let now = 0;
  let asked = 0;
  const waits = new Set<{ at: number; end(): void }>();

  async function settled(): Promise<void> {
    for (let quiet = 0; quiet < 4; quiet = asked === 0 ? quiet + 1 : 0) await nextTurn();
  }

  return {
    now: () => now,
    database: () => new Date(epoch + now),
    wait: (ms, signal) =>
      new Promise<void>((resolve, reject) => {
        const stop = () => {
          waits.delete(wait);
          reject(signal.reason);
        };
        const wait = {
          at: now + ms,
          end() {
            signal.removeEventListener('abort', stop);
            resolve();
          },
        };
        if (signal.aborted) return reject(signal.reason);
        signal.addEventListener('abort', stop, { once: true });
        waits.add(wait);
      }),
    watched: (db) => ({
      ...db,
      async routine<T>(sql: string, values?: readonly unknown[]) {
        asked += 1;
        try {
          return await db.routine<T>(sql, values);
        } finally {
          asked -= 1;
        }
      },
    }),
    async pass(ms) {
      const end = now + ms;
      for (;;) {
        await settled();
        const [first] = [...waits].sort((a, b) => a.at - b.at);
        if (!first || first.at > end) break;
        waits.delete(first);
        now = Math.max(now, first.at);
        first.end();
      }
      now = end;
    },
    stall(ms) {
      now += ms;
    },
  };
}

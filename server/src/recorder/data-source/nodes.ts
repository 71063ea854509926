import { setTimeout as sleep } from 'node:timers/promises';
import type { Db } from '../../db/db.ts';
import type { Consumer } from '../../room.ts';

const beatMs = 10_000;
/** A node without a beat for so long is not alive. */
export const aliveSeconds = 30;
/** A node that was never assigned and ended, such as a container with a name of its own, is forgotten after so long. */
const keptDays = 7;

/** Says every 10 seconds that a process of this node runs. */
export const beatNode = (db: Pick<Db, 'query'>, node: string): Consumer => ({
  name: 'node',
  async run(signal) {
    while (!signal.aborted) {
      await beat(db, node);
      await sleep(beatMs, undefined, { signal }).catch(() => undefined);
    }
  },
});

/** A node that comes back is there since now. */
export async function beat(db: Pick<Db, 'query'>, node: string): Promise<void> {
  await db.query(
    `INSERT INTO recorder_nodes AS had (node, seen_at) VALUES ($1, now())
     ON CONFLICT (node) DO UPDATE SET seen_at = now(),
       since = CASE WHEN had.seen_at > now() - interval '${aliveSeconds} seconds' THEN had.since ELSE now() END`,
    [node],
  );
  await db.query(`DELETE FROM recorder_nodes WHERE seen_at < now() - interval '${keptDays} days'`);
}

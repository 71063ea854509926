import { asWorkerSid, type WorkerSid } from '@flex-custody/core';
import type { FlexTokens, Viewer } from '@flex-custody/twilio';
import type { Db } from '../db/db.ts';

/** The worker of a client identity, as Twilio's IAM stated it for a valid token: no worker can write it. */
export interface Identities {
  /** Stores IAM's statement. The newest one counts: an identity belongs to one worker at a time. */
  stated(viewer: Viewer): Promise<void>;
  /** What IAM has stated about this worker and this identity; undefined if nothing. */
  about(worker: WorkerSid, identity: string): Promise<'this-worker' | 'another' | undefined>;
}

/** An unchanged statement is written again after this time, ms. */
const againMs = 3_600_000;
const workersKept = 10_000;

export function createIdentities(db: Pick<Db, 'query'>, now: () => number = Date.now): Identities {
  /** Statements that this process has written recently. */
  const known = new Map<WorkerSid, { identity: string; at: number }>();
  return {
    async stated({ workerSid, identity }) {
      if (workerSid === undefined) return;
      const before = known.get(workerSid);
      if (before?.identity === identity && now() - before.at < againMs) return;
      await db.query(
        `WITH others AS (DELETE FROM identities WHERE identity = $2 AND worker_sid <> $1)
         INSERT INTO identities (worker_sid, identity) VALUES ($1, $2)
         ON CONFLICT (worker_sid) DO UPDATE SET identity = excluded.identity, seen_at = now()
         WHERE identities.identity <> excluded.identity OR identities.seen_at < now() - interval '1 hour'`,
        [workerSid, identity],
      );
      if (known.size >= workersKept) known.clear();
      known.set(workerSid, { identity, at: now() });
    },
    async about(worker, identity) {
      const rows = await db.query<{ worker_sid: string; identity: string }>(
        'SELECT worker_sid, identity FROM identities WHERE worker_sid = $1 OR identity = $2',
        [worker, identity],
      );
      if (rows.length === 0) return undefined;
      const isThis = rows.some((row) => asWorkerSid(row.worker_sid) === worker && row.identity === identity);
      return isThis ? 'this-worker' : 'another';
    },
  };
}

/** The same validation, which also stores IAM's statement; if the database does not answer, playback does not wait for it. */
export function keepingIdentities(
  flexTokens: FlexTokens,
  identities: Pick<Identities, 'stated'>,
  log: { warn(fields: object, message: string): void },
): FlexTokens {
  return {
    async validate(token, beforeAsking) {
      const viewer = await flexTokens.validate(token, beforeAsking);
      await identities.stated(viewer).catch((err: unknown) => {
        log.warn({ err }, 'the identity of a worker could not be stored');
      });
      return viewer;
    },
  };
}

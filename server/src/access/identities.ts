import { asWorkerSid, type WorkerSid } from '@flex-custody/core';
import type { FlexTokens, Viewer } from '@flex-custody/twilio';
import type { Db } from '../db/db.ts';

/** Whose a client identity is, as Twilio's IAM stated it for a valid token: nothing that a worker could write. */
export interface Identities {
  /** Keeps what IAM stated. The newest statement holds: an identity is one worker's at a time. */
  stated(viewer: Viewer): Promise<void>;
  /** What was ever stated about this worker, or about this identity; undefined where nothing was. */
  about(worker: WorkerSid, identity: string): Promise<'this-worker' | 'another' | undefined>;
}

/** A statement that says nothing new is written this often. */
const againMs = 3_600_000;
const workersKept = 10_000;

export function createIdentities(db: Pick<Db, 'query'>, now: () => number = Date.now): Identities {
  /** Written by this process not long ago. */
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

/** The same validation, which keeps what IAM states; listening does not wait for a database that is away. */
export function keepingIdentities(
  flexTokens: FlexTokens,
  identities: Pick<Identities, 'stated'>,
  log: { warn(fields: object, message: string): void },
): FlexTokens {
  return {
    async validate(token, beforeAsking) {
      const viewer = await flexTokens.validate(token, beforeAsking);
      await identities.stated(viewer).catch((err: unknown) => {
        log.warn({ err }, 'what IAM stated about a worker could not be kept');
      });
      return viewer;
    },
  };
}

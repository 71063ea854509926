import { createHash } from 'node:crypto';
import type { Db } from './db.ts';

/** Of the lock that orders the writers of events; no other lock of the database has the number. */
const inboxLock = 7_264_020_026;
/** A process that stops in the middle of its transaction delays the others no longer than this. */
const idleMs = 5_000;

/**
 * Waits until no other transaction writes events or erases some, and lets none do so until this one ends. Readers thus see
 * events in the order of their numbers, and an erasure sees every event that was stored before it.
 * @param db of a transaction; its limit is the limit of the wait
 */
export async function lockInbox(db: Pick<Db, 'query'>): Promise<void> {
  await db.query(
    `SELECT set_config('idle_in_transaction_session_timeout', $1, true), pg_advisory_xact_lock($2::bigint)`,
    [String(idleMs), inboxLock],
  );
}

/** A SID has 128 random bits: its digest reveals it to nothing but a party that has the SID. */
const digestOf = (sid: string): string => createHash('sha256').update(sid).digest('base64url');

/** From now on no event that names one of these is taken in. */
export async function refuseSids(db: Pick<Db, 'query'>, sids: readonly string[]): Promise<void> {
  await db.query(
    'INSERT INTO erased_sids (digest) SELECT DISTINCT unnest($1::text[]) ON CONFLICT DO NOTHING',
    [sids.map(digestOf)],
  );
}

/** Those of these SIDs that are of erased calls. */
export async function erasedAmong(
  db: Pick<Db, 'query'>,
  sids: ReadonlySet<string>,
): Promise<ReadonlySet<string>> {
  if (sids.size === 0) return new Set();
  const byDigest = new Map([...sids].map((sid) => [digestOf(sid), sid]));
  const found = await db.query<{ digest: string }>(
    'SELECT digest FROM erased_sids WHERE digest = ANY($1::text[])',
    [[...byDigest.keys()]],
  );
  return new Set(found.flatMap(({ digest }) => byDigest.get(digest) ?? []));
}

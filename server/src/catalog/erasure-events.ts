import type { AccountSid, RecordingSid } from '@flex-custody/core';
import type { Db } from '../db/db.ts';
import { lockInbox, refuseSids } from '../db/erased-sids.ts';
import { eraseInteractions } from './erasure-connectors.ts';
import { removeSessions } from './erasure-sessions.ts';
import type { CallSids } from './erasure-traces.ts';

/** From the task to its conference, and from the conference to its legs. */
const rounds = 2;
/** SIDs of one call; a conference has far fewer legs. */
const most = 1_000;

/**
 * Removes agents' events that name the call, and what was set aside of it; from now on none of them is taken in. If the call
 * has another recording its events stay, except those of the recording itself.
 * @param db of the transaction of the erasure, in which the recording is erased already
 */
export async function removeEvents(
  db: Pick<Db, 'query'>,
  account: AccountSid,
  sid: RecordingSid,
  { tasks, conferences, calls }: CallSids,
): Promise<void> {
  await lockInbox(db);
  const own = [...tasks, ...conferences, ...calls];
  if (own.length === 0) {
    await db.query(
      `DELETE FROM agent_events WHERE sids @> ARRAY[$1::text]
         AND type = 'com.twilio.voice.status-callback.recording.processed'`,
      [sid],
    );
    await removeSessions(db, [sid]);
    return;
  }
  await removeCallEvents(db, account, [sid, ...own]);
}

/** The same of a call, by its SIDs. @param db of a transaction that has the inbox's lock */
export async function removeCallEvents(
  db: Pick<Db, 'query'>,
  account: AccountSid,
  own: readonly string[],
): Promise<void> {
  const sids = await withLegs(db, account, own);
  for (const table of ['agent_events', 'events_set_aside'])
    await db.query(`DELETE FROM ${table} WHERE sids && $1::text[]`, [sids]);
  await removeSessions(db, sids);
  // After the sessions: a process that follows changed sessions ends first.
  await eraseInteractions(db, sids);
  await refuseSids(db, sids);
}

/** With the reservations, conferences and calls that the call's events name, without those of recordings that stay. */
async function withLegs(
  db: Pick<Db, 'query'>,
  account: AccountSid,
  own: readonly string[],
): Promise<readonly string[]> {
  let sids = own;
  for (let round = 0; round < rounds; round += 1) {
    const named = await db.query<{ sid: string }>(
      `SELECT DISTINCT sid FROM agent_events, unnest(sids) AS one (sid)
       WHERE sids && $1::text[] AND sid ~ '^(WR|CA|CF)' AND sid <> ALL($1::text[]) LIMIT ${most}`,
      [sids],
    );
    const found = named.map((one) => one.sid);
    const kept = await db.query<{ sid: string }>(
      `SELECT call_sid AS sid FROM recordings WHERE account_sid = $1 AND state <> 'erased' AND call_sid = ANY($2::text[])
       UNION
       SELECT conference_sid FROM recordings WHERE account_sid = $1 AND state <> 'erased' AND conference_sid = ANY($2::text[])
       UNION
       SELECT reservation_sid FROM recordings WHERE account_sid = $1 AND state <> 'erased' AND reservation_sid = ANY($2::text[])`,
      [account, found],
    );
    const stays = new Set(kept.map((one) => one.sid));
    sids = [...sids, ...found.filter((one) => !stays.has(one))];
  }
  return sids;
}

import type { AccountSid, RecordingSid } from '@flex-custody/core';
import type { Db } from '../db/db.ts';
import type { ErasureReason } from './recording-row.ts';

/** {@link ErasureReason} of recordings whose session stays. */
export const shortReason = 'short-session' satisfies ErasureReason;

/** The SIDs by which tables other than `recordings` name a call. */
export interface CallSids {
  tasks: string[];
  conferences: string[];
  calls: string[];
}

interface Found {
  task: string | null;
  hinted: string | null;
  isShort: boolean | null;
  conference: string | null;
  call: string | null;
}

const some = (values: readonly (string | null)[]): string[] => [
  ...new Set(values.filter((value) => value !== null)),
];

/**
 * The SIDs of a recording's call: the recording's own, those of its hints, and those seen while the call was live. None
 * if another recording of the call stays, or if it is erased for the length of its call, whose session stays.
 */
export async function callSidsOf(
  db: Pick<Db, 'query'>,
  account: AccountSid,
  sid: RecordingSid,
): Promise<CallSids> {
  const [own] = await db.query<Found>(
    `SELECT task_sid AS task, hints->>'taskSid' AS hinted,
       intent->>'reason' = '${shortReason}' AS "isShort", conference_sid AS conference, call_sid AS call
     FROM recordings WHERE recording_sid = $1 AND account_sid = $2`,
    [sid, account],
  );
  if (!own || own.isShort) return { tasks: [], conferences: [], calls: [] };
  const live = await db.query<{ conference: string; task: string | null; legs: string[] }>(
    `SELECT conference_sid AS conference, task_sid AS task, legs FROM live_calls
     WHERE account_sid = $1 AND (task_sid = $2 OR conference_sid = $3 OR legs @> ARRAY[$4::text])`,
    [account, own.task ?? own.hinted, own.conference, own.call],
  );
  const sids = {
    tasks: some([own.task, own.hinted, ...live.map(({ task }) => task)]),
    conferences: some([own.conference, ...live.map(({ conference }) => conference)]),
    calls: some([own.call, ...live.flatMap(({ legs }) => legs)]),
  };
  const [other] = await db.query<{ one: number }>(
    `SELECT 1 AS one FROM recordings
     WHERE account_sid = $1 AND recording_sid <> $2 AND state <> 'erased'
       AND (task_sid = ANY($3::text[]) OR conference_sid = ANY($4::text[]) OR call_sid = ANY($5::text[]))
     LIMIT 1`,
    [account, sid, sids.tasks, sids.conferences, sids.calls],
  );
  return other ? { tasks: [], conferences: [], calls: [] } : sids;
}

/**
 * Removes what other tables hold of a recording, and of its call if that has no other recording. docs/retention.md lists
 * what may stay; a test compares it with every table.
 */
export async function removeTraces(
  db: Pick<Db, 'query'>,
  sid: RecordingSid,
  { tasks, conferences, calls }: CallSids,
): Promise<void> {
  for (const table of ['uploads', 'imports', 'alarms', 'proven_news'])
    await db.query(`DELETE FROM ${table} WHERE recording_sid = $1`, [sid]);
  // A pause that has ended keeps no SIDs of recordings.
  await db.query(
    `UPDATE pauses SET recordings = array_remove(recordings, $1)
     WHERE recordings @> ARRAY[$1::text] AND ended_at IS NULL`,
    [sid],
  );
  const named = [sid, ...tasks, ...conferences, ...calls];
  await db.query('DELETE FROM alarms WHERE about && $1::text[]', [named]);
  if (named.length > 1) await removeCallTraces(db, named, { tasks, conferences, calls });
}

/** The same of a call. @param named all its SIDs */
export async function removeCallTraces(
  db: Pick<Db, 'query'>,
  named: readonly string[],
  { tasks, conferences, calls }: CallSids,
): Promise<void> {
  for (const table of ['reports', 'pauses'])
    await db.query(
      `DELETE FROM ${table} WHERE task_sid = ANY($1::text[]) OR conference_sid = ANY($2::text[])`,
      [tasks, conferences],
    );
  await db.query('DELETE FROM pending_reports WHERE report LIKE ANY($1::text[])', [
    named.map((one) => `%${one}%`),
  ]);
  await db.query(
    'DELETE FROM live_calls WHERE task_sid = ANY($1::text[]) OR conference_sid = ANY($2::text[]) OR legs && $3::text[]',
    [tasks, conferences, calls],
  );
}

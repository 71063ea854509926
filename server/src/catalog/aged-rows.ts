import type { AccountSid } from '@flex-custody/core';
import type { Db } from '../db/db.ts';
import { isHinted, sessionEnd } from '../db/indexes.ts';
import type { KeepingCatalog } from './keeping-catalog.ts';
import type { Marks } from './marks.ts';

/** What one statement has removed. */
export interface Slice {
  removed: number;
  /** There may be more rows that are as old. */
  hasMore: boolean;
}

/**
 * Removes rows other than recordings that have ended and are older than `days`, at most 500 in one call. The audit log,
 * certificates and policies are never removed.
 */
export interface AgedRows {
  /** Closed alarms, by when they were closed. */
  alarms(days: number): Promise<Slice>;
  /** Runs that have ended. */
  runs(days: number): Promise<Slice>;
  /** The counts of what each run of retention erased. The newest ones stay: the brake derives from them what is usual. */
  retained(): Promise<Slice>;
  /** Reports of calls, by the time at which they arrived. Reports of pauses stay until every recording of their task is erased. */
  reports(days: number): Promise<Slice>;
  /** Pauses that have ended; they stay as long as their reports. */
  pauses(days: number): Promise<Slice>;
  /** Workers whom no valid token has named within `days`. */
  identities(days: number): Promise<Slice>;
  /** Agents' events, by when they came. */
  events(days: number): Promise<Slice>;
  /** What was set aside of agents' events, by when it last came. */
  eventsSetAside(days: number): Promise<Slice>;
  /** Sessions, with the reasons of their segments, by their close, or their beginning if no close was ever seen. */
  sessions(days: number): Promise<Slice>;
  /** What connectors keep of interactions, as of sessions, with their effects, and customers of whom nothing is left. What is still to be sent stays. */
  interactions(days: number): Promise<Slice>;
  /** What agents did by day. */
  agentDays(days: number): Promise<Slice>;
  /** Digests of the SIDs of erased calls: by then no source has an event of the call any more. */
  erasedSids(): Promise<Slice>;
}

/** Rows that one statement removes, so that no other writer waits long for it. */
const slice = 500;
const retainedDays = 90;
/** Kinesis keeps a record for 365 days at most. */
const erasedSidsDays = 400;
/** {@link KeepingCatalog.usuallyRetained} takes the mean of so many. */
const retainedKept = 20;

const before = (parameter: string) => `now() - ${parameter}::double precision * interval '1 day'`;

/** Reports that explain why a recording is shorter than its call. */
const ofPauses: readonly string[] = ['paused', 'resumed'];

interface Look {
  /** The database's text of the time, to the microsecond. */
  at: string;
}

export function createAgedRows(db: Pick<Db, 'query'>, account: AccountSid, marks: Marks): AgedRows {
  const remove = async (sql: string, values: readonly unknown[]): Promise<Slice> => {
    const removed = (await db.query<object>(sql, values)).length;
    return { removed, hasMore: removed >= slice };
  };

  /**
   * Reads each row once, oldest first: a row that stays is removed later with its recording. The mark is a time, because
   * a SID would outlast the erasure of its call; rows of one instant are read together.
   */
  const onward = async <T extends Look>(
    name: string,
    read: (since: string) => Promise<T[]>,
    removeOf: (rows: readonly T[]) => Promise<number>,
  ): Promise<Slice> => {
    const since = (await marks.mark(name))?.['at'];
    const rows = await read(typeof since === 'string' ? since : '-infinity');
    const last = rows.at(-1);
    if (!last) return { removed: 0, hasMore: false };
    const removed = await removeOf(rows);
    await marks.setMark(name, { at: last.at });
    return { removed, hasMore: rows.length >= slice };
  };

  /** Those of these tasks that have a recording, by a proven task or by a hint. */
  const recorded = async (tasks: readonly string[]): Promise<ReadonlySet<string>> => {
    if (tasks.length === 0) return new Set();
    const found = await db.query<{ task: string }>(
      `SELECT task_sid AS task FROM recordings WHERE task_sid = ANY($1::text[]) AND state <> 'erased'
       UNION
       SELECT hints->>'taskSid' FROM recordings
       WHERE hints->>'taskSid' = ANY($1::text[]) AND ${isHinted} AND state <> 'erased'`,
      [[...new Set(tasks)]],
    );
    return new Set(found.map(({ task }) => task));
  };

  return {
    alarms: (days) =>
      remove(
        // The condition is checked twice: the alarm may have been raised again between the selection and the removal.
        `DELETE FROM alarms WHERE cleared_at < ${before('$1')} AND id IN (
           SELECT id FROM alarms WHERE cleared_at < ${before('$1')} ORDER BY cleared_at LIMIT ${slice}
         ) RETURNING 1`,
        [days],
      ),
    runs: (days) =>
      remove(
        `DELETE FROM runs WHERE finished_at < ${before('$1')} AND (held_until IS NULL OR held_until < now()) RETURNING 1`,
        [days],
      ),
    retained: () =>
      remove(
        // The statement reads only the oldest rows, even if none of them is old enough.
        `DELETE FROM retained WHERE id IN (
           SELECT id FROM (
             SELECT id, at FROM retained WHERE account_sid = $1 ORDER BY id LIMIT ${slice}
           ) oldest
           WHERE at < ${before('$2')}
             AND id < (SELECT id FROM retained WHERE account_sid = $1 ORDER BY id DESC LIMIT 1 OFFSET ${retainedKept - 1})
         ) RETURNING 1`,
        [account, retainedDays],
      ),
    reports: (days) =>
      onward(
        'trim-reports',
        (since) =>
          db.query<Look & { id: string; kind: string; task: string }>(
            `SELECT id, kind, task_sid AS task, received_at::text AS at FROM reports
             WHERE received_at > $1::text::timestamptz AND received_at < ${before('$2')}
             ORDER BY received_at FETCH FIRST ${slice} ROWS WITH TIES`,
            [since, days],
          ),
        async (rows) => {
          const evidence = rows.filter(({ kind }) => ofPauses.includes(kind));
          const tasks = await recorded(evidence.map(({ task }) => task));
          const stays = new Set(evidence.filter(({ task }) => tasks.has(task)));
          const gone = await db.query<object>('DELETE FROM reports WHERE id = ANY($1::uuid[]) RETURNING 1', [
            rows.filter((row) => !stays.has(row)).map(({ id }) => id),
          ]);
          return gone.length;
        },
      ),
    pauses: (days) =>
      onward(
        'trim-pauses',
        (since) =>
          db.query<Look & { conference: string; task: string }>(
            `SELECT conference_sid AS conference, task_sid AS task, ended_at::text AS at FROM pauses
             WHERE ended_at > $1::text::timestamptz AND ended_at < ${before('$2')}
             ORDER BY ended_at FETCH FIRST ${slice} ROWS WITH TIES`,
            [since, days],
          ),
        async (rows) => {
          const tasks = await recorded(rows.map(({ task }) => task));
          const gone = await db.query<object>(
            // A pause that was opened again meanwhile has not ended.
            `DELETE FROM pauses WHERE conference_sid = ANY($1::text[]) AND ended_at < ${before('$2')} RETURNING 1`,
            [rows.filter(({ task }) => !tasks.has(task)).map(({ conference }) => conference), days],
          );
          return gone.length;
        },
      ),
    identities: (days) =>
      remove(
        `DELETE FROM identities WHERE seen_at < ${before('$1')} AND worker_sid IN (
           SELECT worker_sid FROM identities WHERE seen_at < ${before('$1')} ORDER BY seen_at LIMIT ${slice}
         ) RETURNING 1`,
        [days],
      ),
    events: (days) =>
      remove(
        // Events come in the order of their numbers: the statement reads only the oldest, even if none is old enough.
        `DELETE FROM agent_events WHERE seq IN (
           SELECT seq FROM (SELECT seq, received_at FROM agent_events ORDER BY seq LIMIT ${slice}) oldest
           WHERE received_at < ${before('$1')}
         ) RETURNING 1`,
        [days],
      ),
    eventsSetAside: (days) =>
      remove(
        `DELETE FROM events_set_aside WHERE last_at < ${before('$1')} AND key IN (
           SELECT key FROM events_set_aside WHERE last_at < ${before('$1')} ORDER BY last_at LIMIT ${slice}
         ) RETURNING 1`,
        [days],
      ),
    sessions: (days) =>
      remove(
        `WITH gone AS (
           DELETE FROM contacts WHERE number IN (
             SELECT number FROM contacts WHERE ${sessionEnd} < ${before('$1')} ORDER BY ${sessionEnd} LIMIT ${slice}
           ) RETURNING number
         ), reasons AS (
           DELETE FROM segment_reasons WHERE reservation_sid IN (
             SELECT key FROM contact_keys WHERE contact IN (SELECT number FROM gone UNION ALL SELECT -number FROM gone)
           )
         ), keys AS (DELETE FROM contact_keys WHERE contact IN (SELECT number FROM gone UNION ALL SELECT -number FROM gone)),
         events AS (DELETE FROM contact_events WHERE contact IN (SELECT number FROM gone)),
         reports AS (DELETE FROM contact_reports WHERE contact IN (SELECT number FROM gone))
         SELECT number FROM gone`,
        [days],
      ),
    async interactions(days) {
      const old = await db.query<{ id: string; customer: number | null }>(
        `SELECT custody_id AS id, customer FROM connector_interactions WHERE ${sessionEnd} < ${before('$1')}
         ORDER BY ${sessionEnd} LIMIT ${slice}`,
        [days],
      );
      const pending = await db.query<{ id: string }>(
        `SELECT custody_id AS id FROM connector_effects
         WHERE custody_id = ANY($1::uuid[]) AND state IN ('waiting', 'sending', 'uncertain')`,
        [old.map(({ id }) => id)],
      );
      const stays = new Set(pending.map(({ id }) => id));
      const gone = old.filter(({ id }) => !stays.has(id));
      if (gone.length === 0) return { removed: 0, hasMore: false };
      const ids = gone.map(({ id }) => id);
      await db.query('DELETE FROM connector_effects WHERE custody_id = ANY($1::uuid[])', [ids]);
      // Customers first: what ends in between is found again by its interactions.
      await db.query(
        `DELETE FROM connector_customers c WHERE id = ANY($1::bigint[]) AND claim IS NULL AND state <> 'forget' AND NOT EXISTS (
           SELECT FROM connector_interactions i WHERE i.customer = c.id AND i.custody_id <> ALL($2::uuid[])
         )`,
        [[...new Set(gone.flatMap(({ customer }) => customer ?? []))], ids],
      );
      await db.query('DELETE FROM connector_interactions WHERE custody_id = ANY($1::uuid[])', [ids]);
      return { removed: gone.length, hasMore: old.length >= slice };
    },
    agentDays: (days) =>
      remove(
        `DELETE FROM connector_agent_days WHERE (day, worker, measure) IN (
           SELECT day, worker, measure FROM connector_agent_days WHERE day < (${before('$1')})::date ORDER BY day LIMIT ${slice}
         ) RETURNING 1`,
        [days],
      ),
    erasedSids: () =>
      remove(
        `DELETE FROM erased_sids WHERE digest IN (
           SELECT digest FROM erased_sids WHERE at < ${before('$1')} ORDER BY at LIMIT ${slice}
         ) RETURNING 1`,
        [erasedSidsDays],
      ),
  };
}

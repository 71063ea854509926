import { randomBytes } from 'node:crypto';
import type { Db } from '../../server/src/db/db.ts';

/** What a fill can do with, besides the tables that the migrations made. */
type Filled = Pick<Db, 'query'>;

export interface FillOptions {
  account: string;
  recordings: number;
  /** Open alarms, and cleared ones; 2,000 and 20,000 by default. */
  alarms?: { open: number; cleared: number };
  /** Rows of one statement, 20,000 by default. */
  slice?: number;
  onProgress?: (rows: number) => void;
}

/** Rows that are under way, whatever the size: see {@link kindOf}. Their numbers are the lowest. */
export const rowsUnderway = 400;
/** The queue whose recordings a policy of 30 days keeps; older ones were erased, all but {@link heldOverdue}. */
export const shortQueue = 'Short';
/** Of the short queue and older than its policy keeps, set aside since something holds them. */
export const heldOverdue = 40;
const queues = 20;
const workers = 500;
/** Since the first recording. */
const years = 2;

/** SIDs of the nth row, as SQL and as text. Hexadecimal digits of MD5 have no order that an index could profit from. */
const sidSql = (letters: string, n: string) => `'${letters}' || md5('${letters}' || ${n})`;

/**
 * Which kind a row is. The lowest numbers are under way, as many in a small catalog as in a large one; of 1,000 others 965
 * are through all steps, 15 failed, 10 were never recorded, 7 are of the short queue, and 3 have no task.
 */
const kindOf = `CASE
  WHEN n <= 100 THEN 'registered' WHEN n <= 150 THEN 'copying' WHEN n <= 200 THEN 'sealed'
  WHEN n <= 250 THEN 'undescribed' WHEN n <= 300 THEN 'pending-link' WHEN n <= 350 THEN 'intent'
  WHEN n <= ${rowsUnderway} THEN 'unproven'
  WHEN n % 1000 < 965 THEN 'done' WHEN n % 1000 < 980 THEN 'failed' WHEN n % 1000 < 990 THEN 'absent'
  WHEN n % 1000 >= 997 THEN 'unlinked'
  WHEN started_at > now() - interval '29 days' THEN 'short'
  WHEN n <= 1000 * ${heldOverdue} AND n % 1000 = 990 AND started_at < now() - interval '31 days' THEN 'held'
  ELSE 'erased' END`;

/** One slice of `recordings`: `$1` the account, `$2` to `$3` the rows, `$4` how many there are in all. */
const recordingsSql = `
  INSERT INTO recordings (recording_sid, account_sid, call_sid, conference_sid, task_sid, reservation_sid, worker_sid,
    channels, duration_seconds, started_at, source, hints, state, link_state, link_reason, lease, lease_holder, lease_until,
    object, verified_at, failure, attempts, created_at, updated_at, sidecar, source_deleted_at, queue, direction, caller,
    intent, intent_at, intent_by, intent_until, erased_at, certificate, source_completed, leases, proof, copied_by, erase_after, source_after)
  SELECT sid, $1, CASE WHEN k <> 'erased' THEN ${sidSql('CA', 'n')} END, CASE WHEN k <> 'erased' THEN ${sidSql('CF', 'n')} END,
    CASE WHEN linked THEN ${sidSql('WT', 'n')} END, CASE WHEN linked THEN ${sidSql('WR', 'n')} END,
    CASE WHEN linked THEN ${sidSql('WK', `n % ${workers}`)} END,
    2, CASE WHEN k <> 'erased' THEN 20 + n % 600 END, CASE WHEN k = 'erased' THEN gone_at ELSE started_at END, 'callback',
    CASE WHEN k = 'erased' THEN '{}' ELSE jsonb_build_object('taskSid', ${sidSql('WT', 'n')}, 'reservationSid', ${sidSql('WR', 'n')}) END,
    CASE WHEN k IN ('registered', 'copying', 'sealed', 'failed', 'absent', 'erased') THEN k ELSE 'verified' END,
    CASE WHEN linked THEN 'linked' WHEN k IN ('registered', 'copying', 'sealed', 'pending-link') THEN 'pending'
      WHEN k = 'unlinked' AND n % 1000 = 999 THEN 'refused' ELSE 'unlinked' END,
    CASE WHEN k = 'unlinked' THEN 'task_missing' WHEN k = 'erased' THEN 'erased' END,
    CASE WHEN k = 'copying' THEN sid END, CASE WHEN k = 'copying' THEN 'worker' END,
    CASE WHEN k = 'copying' THEN now() + interval '10 minutes' END,
    CASE WHEN stored THEN jsonb_build_object('key', key, 'mode', 'envelope', 'versionId', left(md5('v' || n), 32),
      'etag', '"' || md5('e' || n) || '"', 'bytes', 660044 + n % 1000, 'plaintextBytes', 640044 + n % 1000,
      'plaintextSha256', md5('p' || n) || md5('q' || n), 'keyId', month_key) END,
    CASE WHEN stored AND k <> 'sealed' THEN started_at + interval '15 minutes' END,
    CASE WHEN k = 'failed' THEN 'media_missing' WHEN k = 'absent' THEN '4001' END, CASE WHEN k = 'failed' THEN 3 ELSE 0 END,
    CASE WHEN k = 'erased' THEN gone_at ELSE started_at END,
    CASE WHEN n <= ${rowsUnderway} THEN now() ELSE started_at + interval '20 minutes' END,
    CASE WHEN described THEN jsonb_build_object('key', key || '.json', 'versionId', left(md5('w' || n), 32),
      'etag', '"' || md5('s' || n) || '"', 'keyId', month_key, 'signedBy', md5('signing key')) END,
    CASE WHEN described AND k IN ('done', 'unlinked', 'short', 'held') AND started_at < now() - interval '2 days' AND (k = 'held' OR n % 100 > 0)
      THEN started_at + interval '1 day' END,
    CASE WHEN k IN ('short', 'held') THEN '${shortQueue}' WHEN linked THEN 'Queue ' || n % ${queues} END,
    CASE WHEN k <> 'erased' THEN (ARRAY['inbound', 'inbound', 'outbound'])[1 + n % 3] END,
    CASE WHEN k <> 'erased' THEN 'k0a1b2c3d:' || md5('c' || n % 50000) || md5('d' || n % 50000) END,
    CASE WHEN k = 'intent' THEN jsonb_build_object('reason', 'erasure', 'policy', md5('policy')) END,
    CASE WHEN k = 'intent' THEN now() END, CASE WHEN k = 'intent' THEN md5('run')::uuid END,
    CASE WHEN k = 'intent' THEN now() + interval '1 day' END, CASE WHEN k = 'erased' THEN gone_at END,
    CASE WHEN k = 'erased' THEN md5('certificate' || n / 1000)::uuid END, k <> 'erased', 1,
    CASE WHEN stored AND k NOT IN ('sealed', 'unproven') THEN jsonb_build_object('at', to_char(started_at, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
      'host', md5('signing key'), 'by', 'copy', 'how', 'sha256') END,
    CASE WHEN stored THEN 'host' END,
    CASE WHEN k = 'held' THEN now() + interval '1 day' END,
    CASE WHEN k = 'done' AND n % 100 = 0 THEN now() + interval '1 day' END
  FROM (
    SELECT *, k NOT IN ('registered', 'copying', 'failed', 'absent', 'erased') AS stored,
      k NOT IN ('registered', 'copying', 'sealed', 'undescribed', 'failed', 'absent', 'erased') AS described,
      k NOT IN ('registered', 'copying', 'sealed', 'pending-link', 'absent', 'erased', 'unlinked') AS linked,
      'recordings/' || $1 || '/' || sid AS key, to_char(started_at, 'YYYY-MM') AS month_key,
      started_at + interval '30 days' AS gone_at
    FROM (SELECT n, sid, started_at, ${kindOf} AS k FROM (
      SELECT n, ${sidSql('RE', 'n')} AS sid,
        now() - interval '1 minute' - CASE WHEN n <= ${rowsUnderway} THEN n * interval '1 minute'
          ELSE interval '${years} years' * (n::double precision / $4) END AS started_at
      FROM generate_series($3::integer, $2::integer, -1) n) dated) kinds
  ) one`;

/** Three a recording: two plays by workers and one refusal. */
const auditSql = `
  INSERT INTO audit (at, viewer, worker_sid, roles, action, subject_kind, recording_sid, allowed, reason,
    request_id, custody, last_at, repeats)
  SELECT at, 'worker-' || w || '@example.com', ${sidSql('WK', 'w')}, ARRAY['agent'], 'play', 'recording', ${sidSql('RE', 'n')},
    part > 1, CASE WHEN part > 1 THEN 'own_call' ELSE 'not_own_call' END, gen_random_uuid()::text,
    CASE WHEN part > 1 THEN 'proven' END, CASE WHEN part = 1 THEN at END,
    CASE WHEN part = 1 THEN date_bin('10 minutes', at, 'epoch'::timestamptz) END
  FROM (SELECT n, part, (n + part) % ${workers} AS w,
      now() - interval '${years} years' * (n::double precision / $3) AS at
    FROM generate_series($2::integer, $1::integer, -1) n, generate_series(1, 3) part) one
  ON CONFLICT DO NOTHING`;

/**
 * Fills the tables of a database that has none of this account yet with what two years leave: 500 workers, 20 queues, three
 * audit entries a recording, alarms, calls, reports and pauses. The same numbers give the same rows.
 * Nothing is due by a policy of 30 days for {@link shortQueue} and 3,650 for the others.
 */
export async function fillCatalog(db: Filled, options: FillOptions): Promise<void> {
  const { account, recordings, slice = 20_000, onProgress = () => undefined } = options;
  const { open, cleared } = options.alarms ?? { open: 2_000, cleared: 20_000 };
  // The oldest first, as they would have come.
  for (let last = recordings; last > 0; last -= slice) {
    const first = Math.max(1, last - slice + 1);
    await db.query(recordingsSql, [account, first, last, recordings]);
    await db.query(auditSql, [first, last, recordings]);
    onProgress(recordings - first + 1);
  }
  await db.query(
    `INSERT INTO alarms (code, recording_sid, detail, first_at, last_at, cleared_at, about)
     SELECT 'copy_failed', ${sidSql('RE', 'n')}, 'media_missing', now() - n * interval '1 minute', now() - n * interval '1 minute',
       CASE WHEN n > $1 THEN now() - n * interval '1 minute' END, '{}'
     FROM generate_series(1, $1::integer + $2::integer) n`,
    [open, cleared],
  );
  const many = (share: number) => Math.ceil(recordings / share);
  await db.query(
    `INSERT INTO live_calls (conference_sid, account_sid, task_sid, legs, direction, began_at, agent_at, read_at, ended_at, recorded_at)
     SELECT ${sidSql('CF', 'n')}, $1, ${sidSql('WT', 'n')}, ARRAY[${sidSql('CA', 'n')}, ${sidSql('CA', "'leg' || n")}], 'inbound', at, at, at,
       CASE WHEN n > 50 THEN at + interval '5 minutes' END, at
     FROM (SELECT n, now() - n * interval '1 minute' AS at FROM generate_series(1, $2::integer) n) one`,
    [account, many(50)],
  );
  await db.query(
    `INSERT INTO reports (id, kind, at, received_at, task_sid, conference_sid, details, by)
     SELECT md5('report' || n)::uuid, (ARRAY['paused', 'resumed', 'consent'])[1 + n % 3], at, at, ${sidSql('WT', 'n')}, ${sidSql('CF', 'n')},
       '{"behavior": "skip"}', 'function'
     FROM (SELECT n, now() - n * interval '1 minute' AS at FROM generate_series(1, $1::integer) n) one`,
    [many(5)],
  );
  await db.query(
    `INSERT INTO pauses (conference_sid, task_sid, last_at, ended_at, ended_by)
     SELECT ${sidSql('CF', 'n')}, ${sidSql('WT', 'n')}, at, CASE WHEN n > 20 THEN at END, CASE WHEN n > 20 THEN 'function' END
     FROM (SELECT n, now() - n * interval '1 minute' AS at FROM generate_series(1, $1::integer) n) one`,
    [many(20)],
  );
  await db.query(
    `INSERT INTO certificates (id, at, reason, recordings, jws)
     SELECT md5('certificate' || n)::uuid, now() - n * interval '1 hour', 'retention', 7, repeat(md5(n::text), 40)
     FROM generate_series(0, $1::integer) n`,
    [many(1_000)],
  );
  await db.query(
    `INSERT INTO imports (recording_sid, bucket, key, etag, sha256)
     SELECT recording_sid, 'older', recording_sid, md5(recording_sid), md5(recording_sid) || md5(recording_sid)
     FROM recordings WHERE state = 'verified' ORDER BY started_at LIMIT $1`,
    [many(100)],
  );
  await db.query(
    `INSERT INTO uploads (recording_sid, lease, state)
     SELECT recording_sid, lease, '{"uploadId": "u", "parts": []}' FROM recordings WHERE state = 'copying'`,
  );
  await db.query(
    `INSERT INTO identities (worker_sid, identity)
     SELECT ${sidSql('WK', 'n')}, 'worker-' || n || '@example.com' FROM generate_series(0, ${workers - 1}) n`,
  );
  await db.query(
    'INSERT INTO retained (account_sid, recordings) SELECT $1, 5 FROM generate_series(1, 1000)',
    [account],
  );
}

/**
 * Jobs of a queue that has been set up: of those that wait most are not due for hours, as after an outage.
 * @param of how many wait, how many of them are due, and how many are done and not yet archived
 */
export async function fillJobs(
  db: Filled,
  schema: string,
  { waiting, due, done = 0 }: { waiting: number; due: number; done?: number },
): Promise<void> {
  // Keys of their own: two fills must not be taken for the same jobs.
  const fill = randomBytes(4).toString('hex');
  await db.query(
    `INSERT INTO ${schema}.job (name, data, state, start_after, created_on, completed_on, singleton_key, policy, retry_limit)
     SELECT (ARRAY['copy', 'link', 'verify', 'describe'])[1 + n % 4], jsonb_build_object('recordingSid', ${sidSql('RE', 'n')}),
       (CASE WHEN n > $1 THEN 'completed' WHEN n <= $2 THEN 'created' ELSE 'retry' END)::${schema}.job_state,
       CASE WHEN n <= $2 THEN now() - interval '1 minute' ELSE now() + interval '1 hour' END,
       now() - n * interval '10 milliseconds', CASE WHEN n > $1 THEN now() END, $4 || n, 'short', 12
     FROM generate_series(1, $1::integer + $3::integer) n`,
    [waiting, due, done, fill],
  );
}

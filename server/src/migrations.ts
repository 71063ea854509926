import { CustodyError } from '@flex-custody/core';
import { migrationMs } from './db/limits.ts';
import type { Db } from './db.ts';

/** Ordered and only ever appended to: the number of a migration is its place in the list, from 1. */
export const migrations: readonly string[] = [
  `CREATE TABLE recordings (
     recording_sid text PRIMARY KEY,
     account_sid text NOT NULL,
     call_sid text,
     conference_sid text,
     task_sid text,
     reservation_sid text,
     worker_sid text,
     channels smallint NOT NULL CHECK (channels IN (1, 2)),
     duration_seconds double precision,
     started_at timestamptz NOT NULL,
     source text NOT NULL,
     hints jsonb NOT NULL DEFAULT '{}',
     state text NOT NULL DEFAULT 'registered'
       CHECK (state IN ('registered', 'copying', 'sealed', 'verified', 'failed', 'absent')),
     link_state text NOT NULL DEFAULT 'pending' CHECK (link_state IN ('pending', 'linked', 'unlinked', 'refused')),
     link_reason text,
     lease text,
     lease_holder text,
     lease_until timestamptz,
     object jsonb,
     verified_at timestamptz,
     segment_generation integer NOT NULL DEFAULT 0,
     failure text,
     attempts integer NOT NULL DEFAULT 0,
     forwarded_at timestamptz,
     created_at timestamptz NOT NULL DEFAULT now(),
     updated_at timestamptz NOT NULL DEFAULT now(),
     -- A lease without its end would never lapse, and a copy without its object could not be played.
     CHECK ((lease IS NULL) = (lease_until IS NULL)),
     CHECK (state NOT IN ('sealed', 'verified') OR object IS NOT NULL)
   );
   CREATE INDEX recordings_by_start ON recordings (started_at DESC, recording_sid DESC);
   CREATE INDEX recordings_by_state ON recordings (state, updated_at);
   CREATE INDEX recordings_by_link ON recordings (link_state, updated_at);
   CREATE INDEX recordings_by_reservation ON recordings (reservation_sid, started_at);
   CREATE TABLE copy_rates (id bigserial PRIMARY KEY, at timestamptz NOT NULL DEFAULT now(), rate double precision NOT NULL);
   CREATE TABLE alarms (
     code text NOT NULL,
     -- Empty, not null, where an alarm is about no recording: nulls would not be duplicates of each other.
     recording_sid text NOT NULL DEFAULT '',
     detail text NOT NULL,
     times integer NOT NULL DEFAULT 1,
     first_at timestamptz NOT NULL DEFAULT now(),
     last_at timestamptz NOT NULL DEFAULT now(),
     PRIMARY KEY (code, recording_sid)
   );
   CREATE TABLE audit (
     id bigserial PRIMARY KEY,
     at timestamptz NOT NULL DEFAULT now(),
     viewer text NOT NULL,
     worker_sid text,
     roles text[],
     action text NOT NULL CHECK (action IN ('play', 'segment-link')),
     recording_sid text NOT NULL,
     allowed boolean NOT NULL,
     reason text NOT NULL,
     request_id text
   );
   CREATE INDEX audit_by_recording ON audit (recording_sid, at);`,
  `ALTER TABLE alarms ADD COLUMN id serial UNIQUE, ADD COLUMN cleared_at timestamptz;`,
  `CREATE TABLE reports (
     -- Made by whoever reports: the same report, told twice or by two, counts once.
     id uuid PRIMARY KEY,
     kind text NOT NULL CHECK (kind IN ('paused', 'resumed', 'not-recorded', 'double-recording', 'consent')),
     at timestamptz NOT NULL,
     received_at timestamptz NOT NULL DEFAULT now(),
     task_sid text NOT NULL,
     reservation_sid text,
     worker_sid text,
     conference_sid text,
     details jsonb NOT NULL DEFAULT '{}',
     by text NOT NULL CHECK (by IN ('function', 'browser'))
   );
   CREATE INDEX reports_by_task ON reports (task_sid, at);
   CREATE TABLE pauses (
     conference_sid text PRIMARY KEY,
     task_sid text NOT NULL,
     -- When the newest report of it happened; an older one that comes late changes nothing.
     last_at timestamptz NOT NULL,
     -- Null: only the wrap-up ends it.
     due_at timestamptz,
     due_by text NOT NULL DEFAULT 'timer' CHECK (due_by IN ('timer', 'function', 'browser')),
     -- Those known to be paused: what else is found in the conference came later.
     recordings text[] NOT NULL DEFAULT '{}',
     ended_at timestamptz,
     ended_by text CHECK (ended_by IN ('function', 'browser', 'timer', 'wrap-up', 'over')),
     CHECK ((ended_at IS NULL) = (ended_by IS NULL))
   );
   CREATE INDEX pauses_open ON pauses (last_at) WHERE ended_at IS NULL;
   ALTER TABLE audit DROP CONSTRAINT audit_action_check,
     ADD CONSTRAINT audit_action_check CHECK (action IN ('play', 'segment-link', 'voice-consent'));`,
  `ALTER TABLE recordings
     ADD COLUMN sidecar jsonb,
     ADD COLUMN source_deleted_at timestamptz,
     ADD COLUMN queue text,
     ADD COLUMN direction text CHECK (direction IN ('inbound', 'outbound', 'internal')),
     -- A keyed digest: the number itself is nowhere.
     ADD COLUMN caller text,
     -- What went of it so far, once it is being erased.
     ADD COLUMN erasure jsonb,
     ADD COLUMN erased_at timestamptz,
     ADD COLUMN certificate uuid,
     DROP CONSTRAINT recordings_state_check,
     ADD CONSTRAINT recordings_state_check
       CHECK (state IN ('registered', 'copying', 'sealed', 'verified', 'failed', 'absent', 'erased')),
     ADD COLUMN source_encrypted boolean NOT NULL DEFAULT false,
     -- How often somebody began to copy it: more than once, and there may be more than one copy.
     ADD COLUMN leases integer NOT NULL DEFAULT 0;
   CREATE INDEX recordings_by_task ON recordings (task_sid, started_at);
   CREATE INDEX recordings_by_caller ON recordings (caller) WHERE caller IS NOT NULL;
   CREATE TABLE certificates (
     id uuid PRIMARY KEY,
     at timestamptz NOT NULL DEFAULT now(),
     reason text NOT NULL CHECK (reason IN ('erasure', 'retention')),
     recordings integer NOT NULL,
     jws text NOT NULL
   );
   CREATE TABLE uploads (
     recording_sid text PRIMARY KEY REFERENCES recordings ON DELETE CASCADE,
     -- Who wrote it last, by their lease on the recording: only the holder of the present one may write.
     lease text NOT NULL,
     state jsonb NOT NULL,
     updated_at timestamptz NOT NULL DEFAULT now()
   );
   CREATE TABLE runs (
     name text PRIMARY KEY,
     options jsonb NOT NULL,
     -- Where it goes on after an end that was none.
     state jsonb,
     counts jsonb NOT NULL DEFAULT '{}',
     total integer,
     holder uuid,
     held_until timestamptz,
     started_at timestamptz NOT NULL DEFAULT now(),
     updated_at timestamptz NOT NULL DEFAULT now(),
     finished_at timestamptz,
     failure text
   );`,
  `ALTER TABLE recordings ADD COLUMN source_completed boolean NOT NULL DEFAULT false;`,
  `ALTER TABLE recordings
     -- How the copy was seen to be equal to Twilio's media; null: verified at most.
     ADD COLUMN proof jsonb,
     -- Facts that nobody has proven: owner, caller, direction, start.
     ADD COLUMN unproven text[] NOT NULL DEFAULT '{}',
     -- Keyed digests of numbers that only task attributes name: they can add a hold and nothing else.
     ADD COLUMN hinted_callers text[] NOT NULL DEFAULT '{}';`,
  `CREATE TABLE custody (
     -- One row at most: a database belongs to one custody.
     only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
     account_sid text NOT NULL,
     bucket text NOT NULL,
     storage_mode text NOT NULL,
     -- From here on ids and fingerprints: no secret can be read out of them.
     signing_keys text[] NOT NULL DEFAULT '{}',
     caller_secret text,
     recording_keys text[] NOT NULL DEFAULT '{}',
     bound_at timestamptz NOT NULL DEFAULT now(),
     updated_at timestamptz NOT NULL DEFAULT now()
   );
   -- The program has the list of actions: a list here would have to be replaced by each release that adds one.
   ALTER TABLE audit DROP CONSTRAINT audit_action_check,
     ADD CONSTRAINT audit_action_check CHECK (action ~ '^[a-z]+(-[a-z]+)*$');`,
  `-- Sidecars that are left to be signed: empty once they are.
   CREATE INDEX recordings_unsigned ON recordings (recording_sid COLLATE "C")
     WHERE state = 'verified' AND sidecar IS NOT NULL AND sidecar->>'signedBy' IS NULL;`,
  `CREATE TABLE identities (
     worker_sid text PRIMARY KEY,
     -- As Twilio's IAM stated it for a valid token.
     identity text NOT NULL,
     seen_at timestamptz NOT NULL DEFAULT now()
   );
   CREATE INDEX identities_by_identity ON identities (identity);
   CREATE TABLE pending_reports (
     id uuid PRIMARY KEY,
     -- Text, not JSON: the token is sealed to these characters.
     report text NOT NULL,
     token bytea NOT NULL,
     request_id text NOT NULL,
     received_at timestamptz NOT NULL DEFAULT now()
   );
   CREATE INDEX reports_by_conference ON reports (conference_sid, at) WHERE kind = 'consent';`,
  `ALTER TABLE recordings
     -- Who wrote the object; null: nobody noted it, so it is trusted as little as a Function's.
     ADD COLUMN copied_by text CHECK (copied_by IN ('host', 'function', 'import', 'adopted')),
     -- A copy of it was bad: no Function copies it again.
     ADD COLUMN host_only boolean NOT NULL DEFAULT false,
     -- When its copy could not be proven; null: nobody has tried, or it is proven.
     ADD COLUMN proof_tried_at timestamptz;
   ALTER TABLE audit
     -- What was known of the audio that was played.
     ADD COLUMN custody text CHECK (custody IN ('proven', 'verified', 'unverified', 'twilio'));`,
  `CREATE TABLE live_calls (
     conference_sid text PRIMARY KEY,
     account_sid text NOT NULL,
     task_sid text,
     legs text[] NOT NULL DEFAULT '{}',
     customer_call_sid text,
     direction text CHECK (direction IN ('inbound', 'outbound', 'internal')),
     -- Keyed digests: the numbers themselves are nowhere.
     caller text,
     others text[] NOT NULL DEFAULT '{}',
     -- When a worker's leg was first seen in it.
     agent_at timestamptz,
     began_at timestamptz NOT NULL DEFAULT now(),
     first_seen_at timestamptz NOT NULL DEFAULT now(),
     last_seen_at timestamptz NOT NULL DEFAULT now(),
     read_at timestamptz,
     ended_at timestamptz,
     recorded_at timestamptz,
     alarmed_at timestamptz,
     excused_at timestamptz
   );
   CREATE INDEX live_calls_open ON live_calls (began_at) WHERE ended_at IS NULL;
   CREATE INDEX live_calls_unrecorded ON live_calls (alarmed_at) WHERE alarmed_at IS NOT NULL AND recorded_at IS NULL;
   CREATE INDEX live_calls_by_task ON live_calls (task_sid);
   CREATE INDEX live_calls_by_leg ON live_calls USING gin (legs);
   CREATE INDEX recordings_by_call ON recordings (call_sid);
   CREATE INDEX recordings_by_conference ON recordings (conference_sid) WHERE conference_sid IS NOT NULL;`,
  `CREATE TABLE policies (
     id bigserial PRIMARY KEY,
     account_sid text NOT NULL,
     -- The file as it was applied; it may name callers.
     body text NOT NULL,
     digest text NOT NULL,
     applied_at timestamptz NOT NULL DEFAULT now(),
     applied_by text NOT NULL
   );
   CREATE INDEX policies_in_force ON policies (account_sid, id DESC);`,
  `CREATE TABLE imports (
     recording_sid text PRIMARY KEY REFERENCES recordings ON DELETE CASCADE,
     -- The very object of an older bucket that was sealed: nothing else of this recording's name is it.
     bucket text NOT NULL,
     key text NOT NULL,
     version_id text,
     etag text NOT NULL,
     -- Of its bytes, as they were read.
     sha256 text NOT NULL,
     imported_at timestamptz NOT NULL DEFAULT now()
   );`,
  `ALTER TABLE runs
     -- The last save: a cursor goes out of date with it.
     ADD COLUMN saved_at timestamptz,
     -- Of a run that went on with an earlier one: when that one began, and its last save.
     ADD COLUMN resumed_from timestamptz,
     ADD COLUMN stopped_at timestamptz;
   -- Digests of callers get the id of the secret that the database is bound to. Where another secret was bound before, or a
   -- lost catalog was rebuilt, older rows may be by another one: they stay as they are, and are of nobody known.
   CREATE TEMPORARY TABLE caller_secret_now ON COMMIT DROP AS
     SELECT account_sid, 'k' || left(caller_secret, 8) || ':' AS prefix, greatest(
       (SELECT max(at) FROM audit WHERE action = 'adopt-database' AND reason LIKE '%caller secret: %'),
       (SELECT max(updated_at) FROM runs WHERE name = 'rebuild' AND options->>'dryRun' IS DISTINCT FROM 'true'),
       '-infinity') AS since
     FROM custody WHERE caller_secret IS NOT NULL;
   UPDATE recordings SET caller = prefix || caller,
     hinted_callers = ARRAY(SELECT prefix || one FROM unnest(hinted_callers) one)
   FROM caller_secret_now secret
   WHERE recordings.account_sid = secret.account_sid AND created_at > since
     AND (caller IS NOT NULL OR hinted_callers <> '{}');
   UPDATE live_calls SET caller = prefix || caller, others = ARRAY(SELECT prefix || one FROM unnest(others) one)
   FROM caller_secret_now secret
   WHERE live_calls.account_sid = secret.account_sid AND first_seen_at > since
     AND (caller IS NOT NULL OR others <> '{}');`,
  `ALTER TABLE recordings
     -- Why it is to be erased, by which decision, and what is to go, written before the first step; null: nothing is to go.
     ADD COLUMN intent jsonb,
     ADD COLUMN intent_at timestamptz,
     -- The run that is at it, and until when no other one may be.
     ADD COLUMN intent_by uuid,
     ADD COLUMN intent_until timestamptz;
   -- Earlier releases wrote no intent: who asked for these, and by which policy, nobody knows any more.
   UPDATE recordings SET intent = '{"reason": "erasure", "policy": "unknown"}', intent_at = now()
     WHERE state = 'erased' AND erased_at IS NULL;
   CREATE INDEX recordings_being_erased ON recordings (recording_sid COLLATE "C") WHERE intent IS NOT NULL;
   -- How many recordings each run of retention erased: what is usual.
   CREATE TABLE retained (
     id bigserial PRIMARY KEY,
     account_sid text NOT NULL,
     at timestamptz NOT NULL DEFAULT now(),
     recordings integer NOT NULL
   );
   -- How far work has come that looks at a part of a long list each time.
   CREATE TABLE marks (
     account_sid text NOT NULL,
     name text NOT NULL,
     mark jsonb NOT NULL,
     PRIMARY KEY (account_sid, name)
   );`,
  `ALTER TABLE audit
     -- Of a refusal: how often, and when for the last time.
     ADD COLUMN times integer NOT NULL DEFAULT 1,
     ADD COLUMN last_at timestamptz,
     -- The ten minutes in which refusals like this one are counted here; null of what was allowed, and of earlier rows.
     ADD COLUMN repeats timestamptz;
   CREATE UNIQUE INDEX audit_repeats ON audit (viewer, action, recording_sid, reason, repeats)
     WHERE repeats IS NOT NULL;`,
  `ALTER TABLE imports
     -- Of the bytes that were sealed, where the object's header was put right; sha256 is of the object's own.
     ADD COLUMN repaired_sha256 text;`,
  `-- What was reported of a call goes with its last recording, also where that was never linked to a task.
   CREATE INDEX reports_of_conference ON reports (conference_sid) WHERE conference_sid IS NOT NULL;
   CREATE INDEX pauses_by_task ON pauses (task_sid);
   -- What an earlier release's erasures were asked for.
   UPDATE runs SET options = options - ARRAY['callers', 'tasks']
     WHERE name = 'erase' AND finished_at IS NOT NULL;`,
  `ALTER TABLE recordings
     -- Retention does not look at it before: it was due, and something keeps it. Null: not set aside.
     ADD COLUMN erase_after timestamptz,
     -- The same for its original at Twilio.
     ADD COLUMN source_after timestamptz;
   ALTER TABLE alarms
     -- The SIDs that the detail names, by which an erasure finds them.
     ADD COLUMN about text[] NOT NULL DEFAULT '{}';
   UPDATE alarms SET about = ARRAY(SELECT found[1] FROM regexp_matches(detail, '[A-Z]{2}[0-9a-f]{32}', 'g') found)
     WHERE detail ~ '[A-Z]{2}[0-9a-f]{32}';
   -- The rows themselves now say which originals were looked at.
   DELETE FROM marks WHERE name = 'sources';`,
  `-- How many recordings there are of each kind, kept by triggers: counting would read every row.
   CREATE TABLE tallies (
     account_sid text NOT NULL,
     kind text NOT NULL,
     what jsonb NOT NULL,
     -- By connection, so that two connections rarely wait for one row. The number is the sum over all shards.
     shard smallint NOT NULL,
     n bigint NOT NULL,
     PRIMARY KEY (account_sid, kind, what, shard)
   ) WITH (fillfactor = 50);
   CREATE FUNCTION recording_tallies(one recordings) RETURNS TABLE (kind text, what jsonb) LANGUAGE sql STABLE AS $$
     SELECT kind, what FROM (VALUES
       ('standing', jsonb_build_array(one.state, one.link_state, one.proof IS NOT NULL)),
       -- What a policy's rules tell apart.
       ('keeping', CASE WHEN one.erased_at IS NULL THEN jsonb_build_array(coalesce(one.queue, ''),
         CASE WHEN 'direction' = ANY(one.unproven) THEN '' ELSE coalesce(one.direction, '') END) END),
       ('caller', CASE
         WHEN one.erased_at IS NOT NULL OR one.state = 'absent' OR one.direction = 'internal' THEN NULL
         WHEN one.caller IS NULL OR 'caller' = ANY(one.unproven) THEN '[false, null]'
         ELSE jsonb_build_array(true, substring(one.caller FROM '^(k[0-9a-f]{8}):')) END),
       -- The key of the recording, and of its sidecar where it has one.
       ('sealing', CASE WHEN one.state IN ('sealed', 'verified') AND one.object->>'mode' = 'envelope' THEN
         jsonb_build_array(one.object->>'keyId') || CASE WHEN one.state = 'verified' AND one.sidecar IS NOT NULL
           THEN jsonb_build_array(one.sidecar->>'keyId') ELSE '[]' END END),
       ('signer', CASE WHEN one.sidecar IS NOT NULL THEN jsonb_build_array(one.sidecar->>'signedBy') END)
     ) AS tallied (kind, what) WHERE what IS NOT NULL
   $$;
   -- Rows are always written in one order, so that two transactions cannot deadlock.
   CREATE FUNCTION tally_change() RETURNS trigger LANGUAGE plpgsql AS $$
   BEGIN
     INSERT INTO tallies AS had (account_sid, kind, what, shard, n)
     SELECT account_sid, kind, what, pg_backend_pid() % 8, sum(n) FROM (
       SELECT NEW.account_sid, one.kind, one.what, 1 AS n FROM recording_tallies(NEW) one
       UNION ALL
       SELECT OLD.account_sid, one.kind, one.what, -1 FROM recording_tallies(OLD) one
     ) changes
     GROUP BY account_sid, kind, what HAVING sum(n) <> 0
     ORDER BY account_sid, kind, what
     ON CONFLICT (account_sid, kind, what, shard) DO UPDATE SET n = had.n + excluded.n;
     RETURN NULL;
   END $$;
   CREATE FUNCTION tally_all() RETURNS trigger LANGUAGE plpgsql AS $$
   BEGIN
     INSERT INTO tallies AS had (account_sid, kind, what, shard, n)
     SELECT changed.account_sid, one.kind, one.what, pg_backend_pid() % 8,
       CASE TG_OP WHEN 'DELETE' THEN -count(*) ELSE count(*) END
     FROM changed CROSS JOIN LATERAL recording_tallies(changed::recordings) one
     GROUP BY changed.account_sid, one.kind, one.what
     ORDER BY changed.account_sid, one.kind, one.what
     ON CONFLICT (account_sid, kind, what, shard) DO UPDATE SET n = had.n + excluded.n;
     RETURN NULL;
   END $$;
   CREATE FUNCTION forget_tallies() RETURNS trigger LANGUAGE plpgsql AS $$
   BEGIN
     DELETE FROM tallies;
     RETURN NULL;
   END $$;
   CREATE TRIGGER recordings_come AFTER INSERT ON recordings REFERENCING NEW TABLE AS changed
     FOR EACH STATEMENT EXECUTE FUNCTION tally_all();
   CREATE TRIGGER recordings_go AFTER DELETE ON recordings REFERENCING OLD TABLE AS changed
     FOR EACH STATEMENT EXECUTE FUNCTION tally_all();
   CREATE TRIGGER recordings_change AFTER UPDATE ON recordings
     FOR EACH ROW WHEN (
       (OLD.account_sid, OLD.state, OLD.link_state, OLD.proof IS NULL, OLD.erased_at IS NULL, OLD.queue, OLD.direction,
         OLD.caller, OLD.unproven, OLD.object->>'keyId', OLD.object->>'mode', OLD.sidecar->>'keyId', OLD.sidecar->>'signedBy',
         OLD.sidecar IS NULL)
       IS DISTINCT FROM
       (NEW.account_sid, NEW.state, NEW.link_state, NEW.proof IS NULL, NEW.erased_at IS NULL, NEW.queue, NEW.direction,
         NEW.caller, NEW.unproven, NEW.object->>'keyId', NEW.object->>'mode', NEW.sidecar->>'keyId', NEW.sidecar->>'signedBy',
         NEW.sidecar IS NULL)
     ) EXECUTE FUNCTION tally_change();
   CREATE TRIGGER recordings_emptied AFTER TRUNCATE ON recordings
     FOR EACH STATEMENT EXECUTE FUNCTION forget_tallies();
   INSERT INTO tallies (account_sid, kind, what, shard, n)
     SELECT recordings.account_sid, one.kind, one.what, 0, count(*)
     FROM recordings CROSS JOIN LATERAL recording_tallies(recordings) one GROUP BY 1, 2, 3;`,
  `-- The keys of the bucket as the last inventory of S3 lists them. Not logged: a crash empties it, and it is read again.
   CREATE UNLOGGED TABLE inventory_keys (
     -- Of one reading of an inventory: rows of another reading are not seen by it.
     load integer NOT NULL,
     recording_sid text COLLATE "C" NOT NULL,
     -- The recording's sidecar; otherwise its object.
     sidecar boolean NOT NULL,
     etag text NOT NULL,
     last_modified timestamptz NOT NULL,
     PRIMARY KEY (load, recording_sid, sidecar)
   );`,
];

/** Any number will do, as long as every process of ours takes the same. */
const lockNumber = 4_100_190_001;

/**
 * Brings the database to this program's version, one process at a time. Each migration is a transaction of its own, which
 * releases its locks before the next one. Where one fails, the next start continues with it. `indexes.ts` builds indexes.
 * @throws CustodyError `database_newer` when a newer program has been here: running an old one on it could lose data
 */
export async function migrate(db: Db, list: readonly string[] = migrations): Promise<number> {
  while (await migrateOnce(db, list));
  return list.length;
}

/** @returns whether it did one */
async function migrateOnce(db: Db, list: readonly string[]): Promise<boolean> {
  return db.transaction(async (inner) => {
    await inner.query('SELECT pg_advisory_xact_lock($1)', [lockNumber]);
    await inner.query(
      'CREATE TABLE IF NOT EXISTS schema_version (version integer PRIMARY KEY, at timestamptz NOT NULL DEFAULT now())',
    );
    const [row] = await inner.query<{ version: number }>(
      'SELECT coalesce(max(version), 0)::int AS version FROM schema_version',
    );
    const before = row?.version ?? 0;
    if (before > list.length) {
      throw new CustodyError(
        'database_newer',
        `the database is at version ${before}, this program knows ${list.length}: run the newer release, or restore a backup made before it`,
      );
    }
    const next = list[before];
    if (next === undefined) return false;
    await inner.query(next);
    await inner.query('INSERT INTO schema_version (version) VALUES ($1)', [before + 1]);
    return true;
  }, migrationMs);
}

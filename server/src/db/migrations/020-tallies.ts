export const tallies = `
-- How many recordings there are of each kind, kept by triggers: counting would read every row.
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
  FROM recordings CROSS JOIN LATERAL recording_tallies(recordings) one GROUP BY 1, 2, 3;
`;

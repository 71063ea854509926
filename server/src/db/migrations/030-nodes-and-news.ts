export const nodesAndNews = `
-- The processes of the role recorder, by the name of their node. All times are the database's.
CREATE TABLE recorder_nodes (
  node text PRIMARY KEY,
  since timestamptz NOT NULL DEFAULT now(),
  -- The last beat.
  seen_at timestamptz NOT NULL
);

-- Recordings that became proven, and whose webhook has no job yet.
CREATE TABLE proven_news (
  recording_sid text PRIMARY KEY,
  account_sid text NOT NULL,
  -- As in recordings.
  proof jsonb NOT NULL,
  -- Key, ETag and version of the object that was proven.
  version jsonb NOT NULL
);
-- In the transaction of the proof, whichever statement proves it, and only while the mark 'proven-webhook' is there.
CREATE FUNCTION note_proof() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO proven_news (recording_sid, account_sid, proof, version)
  SELECT NEW.recording_sid, NEW.account_sid, NEW.proof,
    jsonb_build_array(NEW.object->>'key', NEW.object->>'etag', NEW.object->>'versionId')
  FROM marks WHERE account_sid = NEW.account_sid AND name = 'proven-webhook'
  ON CONFLICT (recording_sid) DO UPDATE SET proof = excluded.proof, version = excluded.version;
  RETURN NULL;
END $$;
CREATE TRIGGER recordings_proven AFTER UPDATE ON recordings
  FOR EACH ROW WHEN (OLD.proof IS NULL AND NEW.proof IS NOT NULL) EXECUTE FUNCTION note_proof();
`;

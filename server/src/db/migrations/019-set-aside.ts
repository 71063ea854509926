export const setAside = `
ALTER TABLE recordings
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
DELETE FROM marks WHERE name = 'sources';
`;

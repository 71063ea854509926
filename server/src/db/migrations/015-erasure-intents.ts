export const erasureIntents = `
ALTER TABLE recordings
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
);
`;

export const repeatedRefusals = `
ALTER TABLE audit
  -- Of a refusal: how often, and when for the last time.
  ADD COLUMN times integer NOT NULL DEFAULT 1,
  ADD COLUMN last_at timestamptz,
  -- The ten minutes in which refusals like this one are counted here; null of what was allowed, and of earlier rows.
  ADD COLUMN repeats timestamptz;
CREATE UNIQUE INDEX audit_repeats ON audit (viewer, action, recording_sid, reason, repeats)
  WHERE repeats IS NOT NULL;
`;

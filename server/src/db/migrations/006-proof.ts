export const proof = `
ALTER TABLE recordings
  -- How the copy was seen to be equal to Twilio's media; null: verified at most.
  ADD COLUMN proof jsonb,
  -- Facts that nobody has proven: owner, caller, direction, start.
  ADD COLUMN unproven text[] NOT NULL DEFAULT '{}',
  -- Keyed digests of numbers that only task attributes name: they can add a hold and nothing else.
  ADD COLUMN hinted_callers text[] NOT NULL DEFAULT '{}';
`;
